package care

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Hours is when a practice reads messages (requirement B8). The zero value says nothing about
// hours: it is never closed, and works from Monday to Friday.
type Hours struct {
	Blocks   []Block
	Closed   []Period // absence, with cover elsewhere
	Holidays []ExtraHoliday
}

// A Block is a part of the day on some days of the week.
type Block struct {
	Days        [7]bool // by time.Weekday
	From, Until int     // minutes after midnight; Until is not in it
}

// A Period is some days on end, both included.
type Period struct{ From, Until Date }

// lookAhead is how far the next opening is looked for, in days: a practice that is closed for
// longer says nothing about when it opens.
const lookAhead = 400

// weekdays are the days as the configuration names them, from Sunday as in package time.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var (
	errBlock  = errors.New(`want days and times such as "mon-fri 08:00-12:30" or "tue,thu 18:00-20:00"`)
	errPeriod = errors.New(`want a day such as "2026-05-15", or two: "2026-07-20/2026-07-31"`)
)

// ParseBlock reads "mon-fri 08:00-12:30", "tue,thu 18:00-20:00" or "sat 09:00-24:00".
func ParseBlock(text string) (b Block, err error) {
	days, times, ok := strings.Cut(strings.Join(strings.Fields(strings.ToLower(text)), " "), " ")
	from, until, two := strings.Cut(times, "-")
	if !ok || !two {
		return b, errBlock
	}
	for part := range strings.SplitSeq(days, ",") {
		if err := b.addDays(part); err != nil {
			return Block{}, err
		}
	}
	if b.From, err = minutes(from); err == nil {
		b.Until, err = minutes(until)
	}
	if err != nil || b.From >= b.Until {
		return Block{}, errBlock
	}
	return b, nil
}

// addDays adds one day, or a range of them; a range may pass the weekend.
func (b *Block) addDays(text string) error {
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	from, until := weekdayNamed(first), weekdayNamed(last)
	if from < 0 || until < 0 {
		return errBlock
	}
	for day := from; ; day = (day + 1) % 7 {
		b.Days[day] = true
		if day == until {
			return nil
		}
	}
}

func weekdayNamed(name string) int {
	for day, known := range weekdays {
		if name == known {
			return day
		}
	}
	return -1
}

// minutes reads a time of day; 24:00 is the end of the day.
func minutes(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err
}

// ParsePeriod reads one day, or the first and the last: "2026-07-20/2026-07-31".
func ParsePeriod(text string) (p Period, err error) {
	first, last, two := strings.Cut(text, "/")
	if !two {
		last = first
	}
	if p.From.UnmarshalText([]byte(first)) != nil || p.Until.UnmarshalText([]byte(last)) != nil ||
		p.From.IsZero() || p.Until.IsZero() || p.From.After(p.Until) {
		return Period{}, errPeriod
	}
	return p, nil
}

// has says whether a day is in the period.
func (p Period) has(d Date) bool { return !p.From.After(d) && !d.After(p.Until) }

// WorkingDay says whether messages are read on a day at all.
func (h Hours) WorkingDay(d Date) bool {
	for _, p := range h.Closed {
		if p.has(d) {
			return false
		}
	}
	return h.usually(d.weekday()) && !holiday(d, h.Holidays)
}

func (h Hours) usually(day time.Weekday) bool {
	for _, b := range h.Blocks {
		if b.Days[day] {
			return true
		}
	}
	return len(h.Blocks) == 0 && day != time.Saturday && day != time.Sunday
}

// Open says whether the practice reads messages at a time, which is in its own zone.
func (h Hours) Open(at time.Time) bool {
	opens, known := h.Opens(at)
	return !known || opens.Equal(at)
}

// shutFrom says whether the practice is closed at both times, and does not open in between: then
// it next opens at the same moment. The second is in its own zone.
func (h Hours) shutFrom(from, until time.Time) bool {
	opens, known := h.Opens(until)
	before, also := h.Opens(from.In(until.Location()))
	return known && also && opens.Equal(before) && opens.After(until) && opens.After(from)
}

// Opens is when the practice first reads messages from a time on: at that time itself when it
// is open. It reports false when no hours are known, or none in the next year.
func (h Hours) Opens(at time.Time) (time.Time, bool) {
	if len(h.Blocks) == 0 {
		return time.Time{}, false
	}
	for n := range lookAhead {
		if opens, found := h.opensOn(DateOf(at).plus(n), at); found {
			return opens, true
		}
	}
	return time.Time{}, false
}

// opensOn is the first moment on a day, not before at, at which the practice is open.
func (h Hours) opensOn(d Date, at time.Time) (first time.Time, found bool) {
	if !h.WorkingDay(d) {
		return first, false
	}
	for _, b := range h.Blocks {
		if !b.Days[d.weekday()] || !at.Before(d.at(b.Until, at.Location())) {
			continue
		}
		from := d.at(b.From, at.Location())
		if from.Before(at) {
			from = at
		}
		if !found || from.Before(first) {
			first, found = from, true
		}
	}
	return first, found
}

// at is a time of a day by the clock, also on the two days a year on which the clock is moved.
func (d Date) at(minutes int, zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, minutes/60, minutes%60, 0, 0, zone)
}

// AnswerBy is the last day on which a message may be answered: a number of working days after
// the day on which it is first read.
func (h Hours) AnswerBy(received time.Time, workingDays int) Date {
	day := DateOf(received)
	if opens, known := h.Opens(received); known {
		day = DateOf(opens)
	}
	for range lookAhead {
		if h.WorkingDay(day) {
			break
		}
		day = day.plus(1)
	}
	for range lookAhead {
		if workingDays <= 0 {
			break
		}
		if day = day.plus(1); h.WorkingDay(day) {
			workingDays--
		}
	}
	return day
}

// HoursOf makes hours from what an operator wrote, and names the first mistake.
func HoursOf(blocks, closed, holidays []string) (h Hours, err error) {
	for _, text := range blocks {
		b, err := ParseBlock(text)
		if err != nil {
			return h, fmt.Errorf("%q: %w", text, err)
		}
		h.Blocks = append(h.Blocks, b)
	}
	for _, text := range closed {
		p, err := ParsePeriod(text)
		if err != nil {
			return h, fmt.Errorf("%q: %w", text, err)
		}
		h.Closed = append(h.Closed, p)
	}
	for _, text := range holidays {
		if !KnownHoliday(ExtraHoliday(text)) {
			return h, fmt.Errorf("%q: choose %s, %s or %s", text, GoodFriday, LiberationDay, LustrumHoliday)
		}
		h.Holidays = append(h.Holidays, ExtraHoliday(text))
	}
	return h, nil
}
