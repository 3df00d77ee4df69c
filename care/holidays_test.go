package care

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// easters are from the tables of the Dutch calendar.
var easters = map[int]string{
	1961: "1961-04-02", 2000: "2000-04-23", 2008: "2008-03-23", 2011: "2011-04-24", 2019: "2019-04-21", 2024: "2024-03-31",
	2025: "2025-04-20", 2026: "2026-04-05", 2027: "2027-03-28", 2028: "2028-04-16", 2029: "2029-04-01",
	2030: "2030-04-21", 2035: "2035-03-25", 2038: "2038-04-25", 2049: "2049-04-18", 2076: "2076-04-19",
}

func TestEasterIsWhereTheCalendarHasIt(t *testing.T) {
	for year, want := range easters {
		assert.Equal(t, want, easterSunday(year).String())
	}
	for year := 1900; year < 2200; year++ {
		e := easterSunday(year)
		assert.Equal(t, time.Sunday, e.weekday(), "%s", e)
		assert.True(t, !(Date{year, time.March, 22}).After(e) && !e.After(Date{year, time.April, 25}), "%s", e)
	}
}

func TestKingsDayIsNeverOnASunday(t *testing.T) {
	for year, want := range map[int]string{
		2024: "2024-04-27", 2025: "2025-04-26", 2026: "2026-04-27", 2031: "2031-04-26", 2036: "2036-04-26",
	} {
		assert.Equal(t, want, kingsDay(year).String())
	}
}

func TestTheHolidaysOfAYear(t *testing.T) {
	none, all := []ExtraHoliday(nil), []ExtraHoliday{GoodFriday, LiberationDay}
	for _, tt := range []struct {
		year  int
		taken []ExtraHoliday
		want  []string
	}{
		{2026, none, []string{
			"2026-01-01", "2026-04-05", "2026-04-06", "2026-04-27", "2026-05-14", "2026-05-24", "2026-05-25", "2026-12-25", "2026-12-26",
		}},
		{2025, none, []string{
			"2025-01-01", "2025-04-20", "2025-04-21", "2025-04-26", "2025-05-29", "2025-06-08", "2025-06-09", "2025-12-25", "2025-12-26",
		}},
		{2026, all, []string{
			"2026-01-01", "2026-04-03", "2026-04-05", "2026-04-06", "2026-04-27", "2026-05-05", "2026-05-14", "2026-05-24", "2026-05-25",
			"2026-12-25", "2026-12-26",
		}},
		{2030, []ExtraHoliday{LustrumHoliday}, []string{
			"2030-01-01", "2030-04-21", "2030-04-22", "2030-04-27", "2030-05-05", "2030-05-30", "2030-06-09", "2030-06-10", "2030-12-25", "2030-12-26",
		}},
		{2027, []ExtraHoliday{LustrumHoliday, "of another country"}, []string{
			"2027-01-01", "2027-03-28", "2027-03-29", "2027-04-27", "2027-05-06", "2027-05-16", "2027-05-17", "2027-12-25", "2027-12-26",
		}},
	} {
		var found []string
		for d := (Date{tt.year, time.January, 1}); d.Year == tt.year; d = d.plus(1) {
			if holiday(d, tt.taken) {
				found = append(found, d.String())
			}
		}
		assert.Equal(t, tt.want, found)
	}
}

func TestAnExtraHolidayHasAName(t *testing.T) {
	for _, h := range []ExtraHoliday{GoodFriday, LiberationDay, LustrumHoliday} {
		assert.True(t, KnownHoliday(h), h)
	}
	assert.False(t, KnownHoliday("carnaval"))
}
