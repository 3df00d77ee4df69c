package care

import (
	"encoding"
	"fmt"
	"strings"
	"time"
)

// AdultForCare is the age in years from which someone decides alone about care
// (article 7:447 of the Dutch Civil Code), and so may have an account.
const AdultForCare = 16

// CoDeciding is the age in years from which a child decides together with the parent
// (article 7:450 paragraph 2 of the Dutch Civil Code).
const CoDeciding = 12

// oldest is the greatest age in years that we take for true.
const oldest = 130

// A Date is a day without a time or a zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

var (
	_ encoding.TextMarshaler   = Date{}
	_ encoding.TextUnmarshaler = (*Date)(nil)
)

// DateOf is the day of t in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero says that no day is given.
func (d Date) IsZero() bool { return d == Date{} }

// String writes the date as in FHIR: 1980-05-31.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("date: want year-month-day")
	}
	*d = DateOf(t)
	return nil
}

// Age is the number of full years on a day. Who was born on 29 February has the
// birthday on 1 March in a common year.
func (d Date) Age(on Date) int {
	birthday := time.Date(on.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
	age := on.Year - d.Year
	if time.Date(on.Year, on.Month, on.Day, 0, 0, 0, 0, time.UTC).Before(birthday) {
		age--
	}
	return age
}

// plausible says that someone born on d can be alive on a day.
func (d Date) plausible(on Date) bool {
	age := d.Age(on)
	return age >= 0 && age <= oldest
}

// layouts are the ways in which people type a date, day first as is usual here.
var layouts = []string{
	"2-1-2006", "2/1/2006", "2.1.2006", "2 1 2006", "02012006", "2006-1-2", "2006/1/2",
	"2 January 2006", "2 Jan 2006", "2-Jan-2006", "2-January-2006", "January 2, 2006", "Jan 2, 2006",
}

// months translates Dutch months to what package time reads; English ones are read as they are.
var months = strings.NewReplacer(
	"januari", "January", "februari", "February", "maart", "March", "mrt", "March", "mei", "May",
	"juni", "June", "juli", "July", "augustus", "August", "oktober", "October", "okt", "October",
)

// ParseDate reads a date as people type it: 31-5-1980, 31 mei 1980, 1980-05-31.
func ParseDate(s string) (Date, error) {
	s = months.Replace(strings.ToLower(strings.Join(strings.Fields(s), " ")))
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return DateOf(t), nil
		}
	}
	return Date{}, fmt.Errorf("no date that we can read")
}
