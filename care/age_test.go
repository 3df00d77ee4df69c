package care

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func date(t testing.TB, s string) Date {
	t.Helper()
	var d Date
	require.NoError(t, d.UnmarshalText([]byte(s)))
	return d
}

func TestAgeChangesOnTheBirthday(t *testing.T) {
	for _, tt := range []struct {
		name, born, on string
		want           int
	}{
		{"the day before the 16th birthday", "2010-03-11", "2026-03-10", 15},
		{"the 16th birthday", "2010-03-10", "2026-03-10", 16},
		{"the day after the 16th birthday", "2010-03-09", "2026-03-10", 16},
		{"the day before the 12th birthday", "2014-03-11", "2026-03-10", 11},
		{"the 12th birthday", "2014-03-10", "2026-03-10", 12},
		{"born on 29 February, on 28 February of a common year", "2008-02-29", "2023-02-28", 14},
		{"born on 29 February, on 1 March of a common year", "2008-02-29", "2023-03-01", 15},
		{"born on 29 February, on 28 February of a leap year", "2008-02-29", "2024-02-28", 15},
		{"born on 29 February, on 29 February of a leap year", "2008-02-29", "2024-02-29", 16},
		{"born on 29 February 2012, sixteen in a leap year", "2012-02-29", "2028-02-28", 15},
		{"born on 28 February, on 28 February of a leap year", "2008-02-28", "2024-02-28", 16},
		{"born on 1 March, on 29 February", "2008-03-01", "2024-02-29", 15},
		{"born today", "2026-03-10", "2026-03-10", 0},
		{"born tomorrow", "2026-03-11", "2026-03-10", -1},
		{"born on the last day of the year", "2009-12-31", "2026-01-01", 16},
		{"born on the first day of the year", "2010-01-01", "2025-12-31", 15},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, date(t, tt.born).Age(date(t, tt.on)))
		})
	}
}

func TestWhoIsYoungerThanSixteenLeavesNothing(t *testing.T) {
	for _, tt := range []struct {
		name, born string
		now        time.Time
		tooYoung   bool
	}{
		{"the day before the birthday", "11-3-2010", noon, true},
		{"on the birthday", "10-3-2010", noon, false},
		{"a minute before midnight in Amsterdam", "11-3-2010", time.Date(2026, 3, 10, 23, 59, 0, 0, amsterdam), true},
		{"at midnight in Amsterdam, still the day before in UTC", "11-3-2010", time.Date(2026, 3, 11, 0, 0, 0, 0, amsterdam), false},
		{"in summer, just after midnight in Amsterdam", "1-7-2010", time.Date(2026, 6, 30, 22, 0, 1, 0, time.UTC).In(amsterdam), false},
		{"in summer, just before midnight in Amsterdam", "1-7-2010", time.Date(2026, 6, 30, 21, 59, 59, 0, time.UTC).In(amsterdam), true},
		{"born on 29 February, on 28 February of a leap year", "29-2-2012", time.Date(2028, 2, 28, 12, 0, 0, 0, amsterdam), true},
		{"born on 29 February, on 29 February of a leap year", "29-2-2012", time.Date(2028, 2, 29, 12, 0, 0, 0, amsterdam), false},
		{"a newborn", "10-3-2026", noon, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := registering(t, AskBirthDate)
			w.now = tt.now
			w.types(tt.born)
			if !tt.tooYoung {
				w.stands(Registering, AskPractice)
				return
			}
			w.stands(Refused, NoQuestion)
			assert.Equal(t, Answers{}, w.c.Person.Answers)
			assert.Equal(t, []Effect{{Do: Forget, Text: "account.too_young"}}, w.last)
			assert.False(t, w.c.Person.MaySpeak())
			w.types("ik ben 17", "intrekken", "terug").sendsPhoto().stands(Refused, NoQuestion)
			assert.Error(t, w.approve())
		})
	}
}

func TestAWrongBirthDateCanAlsoBeFoundOutWhenItIsCorrected(t *testing.T) {
	w := registering(t, AskSummary).types("2", "5", "1-2-2015").stands(Refused, NoQuestion)
	assert.Equal(t, Answers{Practice: "noord"}, w.c.Person.Answers, "only what the count needs")
}

func TestDatesAreReadAsPeopleTypeThem(t *testing.T) {
	for typed, want := range map[string]string{
		"31-5-1980": "1980-05-31", "31-05-1980": "1980-05-31", "31/5/1980": "1980-05-31", "31.5.1980": "1980-05-31", "31 5 1980": "1980-05-31",
		"31051980": "1980-05-31", "1980-05-31": "1980-05-31", "1980/5/31": "1980-05-31", "31 mei 1980": "1980-05-31", "31 MEI 1980": "1980-05-31",
		"  31   mei\n1980 ": "1980-05-31", "31-mei-1980": "1980-05-31", "31 may 1980": "1980-05-31", "May 31, 1980": "1980-05-31",
		"1 januari 2001": "2001-01-01", "1 jan 2001": "2001-01-01", "2 februari 2001": "2001-02-02", "2 feb 2001": "2001-02-02",
		"3 maart 2001": "2001-03-03", "3 mrt 2001": "2001-03-03", "4 april 2001": "2001-04-04", "4 apr 2001": "2001-04-04",
		"6 juni 2001": "2001-06-06", "6 jun 2001": "2001-06-06", "7 juli 2001": "2001-07-07", "8 augustus 2001": "2001-08-08",
		"8 aug 2001": "2001-08-08", "9 september 2001": "2001-09-09", "10 oktober 2001": "2001-10-10", "10 okt 2001": "2001-10-10",
		"11 november 2001": "2001-11-11", "12 december 2001": "2001-12-12", "12 dec 2001": "2001-12-12", "5 January 2001": "2001-01-05",
		"29-2-2024": "2024-02-29", "29-02-2000": "2000-02-29", "3-4-2001": "2001-04-03", "1-1-0001": "0001-01-01",
	} {
		got, err := ParseDate(typed)
		assert.NoError(t, err, typed)
		assert.Equal(t, want, got.String(), typed)
	}
}

// noDates cannot be the day on which someone who writes now was born.
var noDates = []string{
	"", "29-02-2023", "29-2-1900", "31-4-1980", "0-1-1980", "1-0-1980", "32-1-1980", "1-13-1980", "31-5-80", "31-5", "mei 1980", "1980",
	"01-01-1800", "1-1-1890", "11-3-2026", "1-1-2999", "1-1-9999", "1-1-10000", "-1-1-1980", "gisteren", "weet ik niet", "31 mei of juni 1980",
	"31-5-1980 12:00", "３１-５-１９８０", "31\x005-1980", "31-5-1980; drop table", "👶", "\u202e0891-5-13", "1e1-1-1980",
	strings.Repeat("1", 64<<10), strings.Repeat("mei ", 16<<10), strings.Repeat("\u200b", 20000),
}

func TestWhatIsNoBirthDateIsAskedAgain(t *testing.T) {
	for _, typed := range noDates {
		w := registering(t, AskBirthDate).types(typed)
		if typed != "" {
			w.stands(Registering, AskBirthDate)
		}
		assert.Zero(t, w.c.Person.Answers.BirthDate, "%.40q", typed)
		assert.False(t, w.did(Forget), "%.40q", typed)

		w = asking(t, AskDerdeBirth).types(typed).stands(Active, AskDerdeBirth)
		assert.Zero(t, w.c.Person.Draft.BirthDate, "%.40q", typed)
	}
}

func TestTheOldestPersonIsBelieved(t *testing.T) {
	on := DateOf(noon)
	assert.True(t, date(t, "1896-03-10").plausible(on))
	assert.True(t, date(t, "1895-03-11").plausible(on))
	assert.False(t, date(t, "1895-03-10").plausible(on))
	assert.True(t, on.plausible(on))
	assert.False(t, date(t, "2026-03-11").plausible(on))
}

func TestADateIsStoredAsText(t *testing.T) {
	type row struct{ Born Date }
	text, err := json.Marshal(row{date(t, "1980-05-31")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Born":"1980-05-31"}`, string(text))
	for _, want := range []row{{date(t, "1980-05-31")}, {}} {
		text, err := json.Marshal(want)
		require.NoError(t, err)
		got := row{date(t, "2001-01-01")}
		require.NoError(t, json.Unmarshal(text, &got))
		assert.Equal(t, want, got)
	}
	for _, wrong := range []string{`{"Born":"31-5-1980"}`, `{"Born":"2023-02-29"}`, `{"Born":5}`, `{"Born":"x"}`} {
		assert.Error(t, json.Unmarshal([]byte(wrong), &row{}), wrong)
	}
	assert.True(t, Date{}.IsZero())
	assert.Empty(t, Date{}.String())
}

func TestAgesGrowByOneInAYear(t *testing.T) {
	day := rapid.Custom(func(t *rapid.T) Date {
		return DateOf(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 60000).Draw(t, "days")))
	})
	rapid.Check(t, func(t *rapid.T) {
		born, on := day.Draw(t, "born"), day.Draw(t, "on")
		next := Date{on.Year + 1, on.Month, on.Day}
		if grown := next.valid() && born.Age(next) != born.Age(on)+1; grown {
			t.Fatalf("born %s: %d on %s, %d a year later", born, born.Age(on), on, born.Age(next))
		}
		again, err := ParseDate(born.String())
		if err != nil || again != born {
			t.Fatalf("%s reads as %s: %v", born, again, err)
		}
	})
}

// valid says that the day exists.
func (d Date) valid() bool {
	return DateOf(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)) == d
}
