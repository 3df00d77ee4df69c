package care

import "time"

// An ExtraHoliday is a day on which some practices are closed and others are not.
type ExtraHoliday string

// The extra holidays.
const (
	GoodFriday     ExtraHoliday = "good_friday"
	LiberationDay  ExtraHoliday = "liberation_day"   // 5 May, every year
	LustrumHoliday ExtraHoliday = "liberation_day_5" // 5 May, once in five years, as many Dutch agreements have it
)

// easterSunday is Easter in the Gregorian calendar (the algorithm of Meeus, Jones and Butcher).
func easterSunday(year int) Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*month + 19) % 32
	return Date{year, time.Month(month), day}
}

// moving are the holidays that go with Easter, in days after it.
var moving = map[int]bool{0: true, 1: true, 39: true, 49: true, 50: true} // Pasen, Hemelvaart, Pinksteren

// A yearDay is a day of every year.
type yearDay struct {
	month time.Month
	day   int
}

// fixed are the holidays on the same day of every year.
var fixed = map[yearDay]bool{{time.January, 1}: true, {time.December, 25}: true, {time.December, 26}: true}

// extra says for each extra holiday whether it is on a day.
var extra = map[ExtraHoliday]func(Date) bool{
	GoodFriday:     func(d Date) bool { return d == easterSunday(d.Year).plus(-2) },
	LiberationDay:  func(d Date) bool { return d.Month == time.May && d.Day == 5 },
	LustrumHoliday: func(d Date) bool { return d.Month == time.May && d.Day == 5 && d.Year%5 == 0 },
}

// KnownHoliday says whether an extra holiday exists.
func KnownHoliday(h ExtraHoliday) bool { _, ok := extra[h]; return ok }

// holiday says whether a day is one on which GP practices in the Netherlands are closed: those of
// the Algemene termijnenwet, article 3, of which Good Friday and 5 May only where the practice
// takes them too.
func holiday(d Date, taken []ExtraHoliday) bool {
	if fixed[yearDay{d.Month, d.Day}] || d == kingsDay(d.Year) || moving[easterSunday(d.Year).daysUntil(d)] {
		return true
	}
	for _, h := range taken {
		if is, known := extra[h]; known && is(d) {
			return true
		}
	}
	return false
}

// kingsDay is 27 April, or the day before when that is a Sunday.
func kingsDay(year int) Date {
	d := Date{year, time.April, 27}
	if d.weekday() == time.Sunday {
		return d.plus(-1)
	}
	return d
}

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// plus is the day some days later.
func (d Date) plus(days int) Date { return DateOf(d.utc().AddDate(0, 0, days)) }

func (d Date) weekday() time.Weekday { return d.utc().Weekday() }

func (d Date) daysUntil(other Date) int { return int(other.utc().Sub(d.utc()) / (24 * time.Hour)) }

// After says that d is later than other.
func (d Date) After(other Date) bool { return d.utc().After(other.utc()) }
