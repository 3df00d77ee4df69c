package care

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func hours(t require.TestingT, blocks, closed, holidays []string) Hours {
	h, err := HoursOf(blocks, closed, holidays)
	require.NoError(t, err)
	return h
}

// office is a practice with a lunch break, one evening, and a week of absence.
func office(t require.TestingT) Hours {
	return hours(t, []string{"mon-fri 08:00-12:00", "mon-fri 13:00-17:00", "tue 18:30-20:00"},
		[]string{"2026-07-20/2026-07-31", "2026-06-19"}, []string{"good_friday"})
}

func local(t require.TestingT, text string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, amsterdam)
	require.NoError(t, err)
	return at
}

func TestWhenThePracticeOpens(t *testing.T) {
	h := office(t)
	for _, tt := range []struct{ name, at, opens string }{
		{"open", "2026-03-10 09:30", "2026-03-10 09:30"},
		{"the minute it opens", "2026-03-10 08:00", "2026-03-10 08:00"},
		{"the minute before", "2026-03-10 07:59", "2026-03-10 08:00"},
		{"lunch", "2026-03-10 12:00", "2026-03-10 13:00"},
		{"before the evening", "2026-03-10 17:00", "2026-03-10 18:30"},
		{"in the evening", "2026-03-10 19:59", "2026-03-10 19:59"},
		{"after the evening", "2026-03-10 20:00", "2026-03-11 08:00"},
		{"an evening without one", "2026-03-11 18:45", "2026-03-12 08:00"},
		{"Friday night", "2026-03-13 17:00", "2026-03-16 08:00"},
		{"Saturday", "2026-03-14 11:00", "2026-03-16 08:00"},
		{"the evening before Good Friday and Easter", "2026-04-02 17:00", "2026-04-07 08:00"},
		{"King's Day", "2026-04-27 10:00", "2026-04-28 08:00"},
		{"Ascension Day", "2026-05-14 10:00", "2026-05-15 08:00"},
		{"Christmas on Friday and Saturday", "2026-12-24 17:30", "2026-12-28 08:00"},
		{"New Year's Eve", "2026-12-31 17:00", "2027-01-04 08:00"},
		{"one day of absence", "2026-06-19 10:00", "2026-06-22 08:00"},
		{"two weeks of absence", "2026-07-17 17:00", "2026-08-03 08:00"},
		{"the night in which the clock goes forward", "2026-03-29 03:30", "2026-03-30 08:00"},
		{"the night in which the clock goes back", "2026-10-25 02:30", "2026-10-26 08:00"},
	} {
		opens, known := h.Opens(local(t, tt.at))
		assert.True(t, known)
		assert.Equal(t, local(t, tt.opens), opens, tt.name)
		assert.Equal(t, tt.at == tt.opens, h.Open(local(t, tt.at)), tt.name)
	}
}

func TestOneClosureLastsUntilThePracticeOpens(t *testing.T) {
	h := office(t)
	for _, tt := range []struct {
		from, until string
		same        bool
	}{
		{"2026-03-10 12:00", "2026-03-10 12:59", true},
		{"2026-03-10 12:30", "2026-03-10 17:30", false},
		{"2026-03-13 17:00", "2026-03-16 07:59", true},
		{"2026-03-16 07:59", "2026-03-13 17:00", true}, // the clock was set back
		{"2026-03-13 16:59", "2026-03-14 10:00", false},
		{"2026-03-13 17:00", "2026-03-16 08:00", false},
		{"2026-07-17 17:00", "2026-08-02 23:59", true}, // absence
		{"2026-10-24 23:00", "2026-10-25 02:30", true}, // the clock goes back
		{"0001-01-01 00:00", "2026-03-14 10:00", false},
	} {
		from := local(t, tt.from).UTC() // as it comes out of the store
		assert.Equal(t, tt.same, h.shutFrom(from, local(t, tt.until)), "%s to %s", tt.from, tt.until)
	}
	assert.False(t, Hours{}.shutFrom(noon, noon), "never closed")
	assert.False(t, h.shutFrom(time.Time{}, local(t, "2026-03-14 10:00")), "never said")
}

func TestANightShiftGoesByTheClock(t *testing.T) {
	h := hours(t, []string{"sun 00:00-24:00"}, nil, nil)
	for _, day := range []string{"2026-03-29", "2026-10-25"} { // 23 and 25 hours long
		from, n := local(t, day+" 00:00"), 0
		for at := from; DateOf(at).String() == day; at = at.Add(time.Minute) {
			assert.True(t, h.Open(at), "%s", at)
			n++
		}
		assert.Contains(t, []int{23 * 60, 25 * 60}, n)
	}
}

func TestWithoutHoursNothingIsSaidAboutThem(t *testing.T) {
	_, known := Hours{}.Opens(noon)
	assert.False(t, known)
	assert.True(t, Hours{}.Open(noon))
	assert.Equal(t, "2026-03-12", Hours{}.AnswerBy(noon, 2).String())
	assert.Equal(t, "2026-03-17", Hours{}.AnswerBy(local(t, "2026-03-14 11:00"), 1).String(), "read on Monday")
}

func TestAPracticeThatNeverOpensPromisesNoDay(t *testing.T) {
	h := hours(t, []string{"mon 08:00-09:00"}, []string{"2026-01-01/2029-01-01"}, nil)
	_, known := h.Opens(noon)
	assert.False(t, known)
	assert.NotPanics(t, func() { h.AnswerBy(noon, 2) })
}

func TestTheLastDayForAnAnswer(t *testing.T) {
	h := office(t)
	for _, tt := range []struct {
		name, received string
		days           int
		by             string
	}{
		{"in hours", "2026-03-10 09:30", 2, "2026-03-12"},
		{"the same day", "2026-03-10 09:30", 0, "2026-03-10"},
		{"over a weekend", "2026-03-12 09:30", 2, "2026-03-16"},
		{"after closing time it is read the next day", "2026-03-11 17:30", 2, "2026-03-16"},
		{"on Saturday", "2026-03-14 11:00", 2, "2026-03-18"},
		{"before Easter", "2026-04-02 16:00", 2, "2026-04-08"},
		{"on Easter Monday", "2026-04-06 11:00", 1, "2026-04-08"},
		{"before King's Day", "2026-04-24 09:00", 2, "2026-04-29"},
		{"before Ascension Day", "2026-05-13 09:00", 1, "2026-05-15"},
		{"before Christmas", "2026-12-24 09:00", 2, "2026-12-29"},
		{"before the absence", "2026-07-17 09:00", 1, "2026-08-03"},
		{"in the absence", "2026-07-21 09:00", 1, "2026-08-04"},
		{"in the night of the clock", "2026-10-25 02:30", 1, "2026-10-27"},
	} {
		assert.Equal(t, tt.by, h.AnswerBy(local(t, tt.received), tt.days).String(), tt.name)
	}
}

func TestHoursAreReadAsTheyAreWritten(t *testing.T) {
	everyDay := [7]bool{true, true, true, true, true, true, true}
	for text, want := range map[string]Block{
		"mon-fri 08:00-12:30":     {[7]bool{false, true, true, true, true, true, false}, 480, 750},
		"  TUE,Thu   18:00-20:00": {[7]bool{false, false, true, false, true, false, false}, 1080, 1200},
		"sat 00:00-24:00":         {[7]bool{6: true}, 0, 1440},
		"fri-mon 09:00-10:00":     {[7]bool{true, true, false, false, false, true, true}, 540, 600},
		"sun-sat 09:00-10:00":     {everyDay, 540, 600},
		"mon,wed-thu 9:00-10:00":  {[7]bool{false, true, false, true, true, false, false}, 540, 600},
	} {
		b, err := ParseBlock(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, b, text)
	}
	for _, text := range []string{
		"", "mon", "mon 08:00", "mon 08:00-", "08:00-12:00", "ma 08:00-12:00", "mon-vr 08:00-12:00", "mon 12:00-08:00",
		"mon 08:00-08:00", "mon 08:00-25:00", "mon 24:00-24:00", "mon, 08:00-12:00", "mon 8-12", "mon 08:00-12:00 extra", "-mon 08:00-09:00",
	} {
		b, err := ParseBlock(text)
		assert.ErrorIs(t, err, errBlock, text)
		assert.Zero(t, b, text)
	}
}

func TestClosedDaysAreReadAsTheyAreWritten(t *testing.T) {
	p, err := ParsePeriod("2026-07-20/2026-07-31")
	require.NoError(t, err)
	for day, in := range map[string]bool{
		"2026-07-19": false, "2026-07-20": true, "2026-07-25": true, "2026-07-31": true, "2026-08-01": false,
	} {
		var d Date
		require.NoError(t, d.UnmarshalText([]byte(day)))
		assert.Equal(t, in, p.has(d), day)
	}
	for _, text := range []string{"", "/", "2026-07-20/", "20-07-2026", "2026-07-20/2026-07-19", "2026-02-30", "2026-07-20/2026-07-21/2026-07-22"} {
		_, err := ParsePeriod(text)
		assert.ErrorIs(t, err, errPeriod, text)
	}
}

func TestTheFirstMistakeInHoursIsNamed(t *testing.T) {
	for _, tt := range []struct{ blocks, closed, holidays []string }{
		{[]string{"mon-fri 08:00-17:00", "x"}, nil, nil}, {nil, []string{"x"}, nil}, {nil, nil, []string{"x"}},
	} {
		_, err := HoursOf(tt.blocks, tt.closed, tt.holidays)
		assert.ErrorContains(t, err, `"x"`)
	}
}

// What must hold for any hours: opening is not in the past, is open, and nothing before it is.
func TestOpeningHoldsForAnyHours(t *testing.T) {
	h := office(t)
	rapid.Check(t, func(t *rapid.T) {
		at := local(t, "2026-01-01 00:00").Add(time.Duration(rapid.IntRange(0, 3*365*24*60).Draw(t, "minute")) * time.Minute)
		opens, known := h.Opens(at)
		require.True(t, known)
		require.False(t, opens.Before(at))
		require.True(t, h.Open(opens) && h.WorkingDay(DateOf(opens)))
		between := at.Add(time.Duration(rapid.Int64Range(0, max(0, int64(opens.Sub(at))-1)).Draw(t, "between")))
		require.Equal(t, opens.Equal(at), h.Open(between) || between.Equal(opens))
		by := h.AnswerBy(at, rapid.IntRange(0, 20).Draw(t, "days"))
		require.True(t, h.WorkingDay(by) && !DateOf(opens).After(by))
	})
}
