package care

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAMessageGoesAfterThirtyDaysAndNeverLaterThanAMonth(t *testing.T) {
	local := func(y int, m time.Month, d, hour, minute int) time.Time {
		return time.Date(y, m, d, hour, minute, 0, 0, amsterdam)
	}
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	for _, tt := range []struct {
		name       string
		sent, want time.Time
		period     time.Duration
		zone       *time.Location
	}{
		{"31 January, to 28 February", local(2027, 1, 31, 9, 0), local(2027, 2, 28, 9, 0), MaxRetention, amsterdam},
		{"31 January of a leap year, to 29 February", local(2028, 1, 31, 9, 0), local(2028, 2, 29, 9, 0), MaxRetention, amsterdam},
		{"30 January, to 28 February", local(2027, 1, 30, 9, 0), local(2027, 2, 28, 9, 0), MaxRetention, amsterdam},
		{"29 January of a leap year, a whole month", local(2028, 1, 29, 9, 0), local(2028, 2, 28, 9, 0), MaxRetention, amsterdam},
		{"1 February, to 1 March: 28 days", local(2027, 2, 1, 9, 0), local(2027, 3, 1, 9, 0), MaxRetention, amsterdam},
		{"1 February of a leap year: 29 days", local(2028, 2, 1, 9, 0), local(2028, 3, 1, 9, 0), MaxRetention, amsterdam},
		{"29 February, to 29 March", local(2028, 2, 29, 9, 0), local(2028, 3, 29, 9, 0), MaxRetention, amsterdam},
		{"in a month of 31 days, 30 days come first", local(2027, 5, 1, 9, 0), local(2027, 5, 31, 9, 0), MaxRetention, amsterdam},
		{"31 May, to 30 June", local(2027, 5, 31, 9, 0), local(2027, 6, 30, 9, 0), MaxRetention, amsterdam},
		{"in a month of 30 days, both at once", local(2027, 6, 15, 9, 0), local(2027, 7, 15, 9, 0), MaxRetention, amsterdam},
		{"across the new year", local(2026, 12, 31, 9, 0), local(2027, 1, 30, 9, 0), MaxRetention, amsterdam},
		{"clocks go forward in between: the clock time stays", local(2027, 2, 28, 9, 0), local(2027, 3, 28, 9, 0), MaxRetention, amsterdam},
		{"clocks go forward in between 30 days", local(2027, 3, 10, 9, 0), local(2027, 4, 9, 10, 0), MaxRetention, amsterdam},
		{"clocks go back in between 30 days", local(2027, 10, 10, 9, 0), local(2027, 11, 9, 8, 0), MaxRetention, amsterdam},
		{"a shorter period", local(2027, 1, 31, 9, 0), local(2027, 2, 7, 9, 0), 7 * 24 * time.Hour, amsterdam},
		{"a period of seconds", local(2027, 1, 31, 9, 0), local(2027, 1, 31, 9, 0).Add(5 * time.Second), 5 * time.Second, amsterdam},
		{"a longer period than the law allows", local(2027, 5, 1, 9, 0), local(2027, 5, 31, 9, 0), 365 * 24 * time.Hour, amsterdam},
		{"no time at all", local(2027, 5, 1, 9, 0), local(2027, 5, 1, 9, 0), 0, amsterdam},
		{"far future", local(9000, 1, 31, 9, 0), local(9000, 2, 28, 9, 0), MaxRetention, amsterdam},
		{
			"just after midnight in Amsterdam it is the next month already",
			time.Date(2027, 1, 31, 23, 30, 0, 0, time.UTC), local(2027, 3, 1, 0, 30), MaxRetention, amsterdam,
		},
		{
			"the same moment in another zone", time.Date(2027, 1, 31, 23, 30, 0, 0, time.UTC),
			time.Date(2027, 2, 28, 18, 30, 0, 0, newYork), MaxRetention, newYork,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Due(tt.sent, tt.period, tt.zone)
			assert.True(t, tt.want.Equal(got), "want %s, got %s", tt.want, got.In(tt.zone))
			assert.True(t, got.Equal(Due(tt.sent.UTC(), tt.period, tt.zone)), "the zone in which it was noted is of no matter")
		})
	}
}

func TestAnHourThatDoesNotExistStretchesNoMonth(t *testing.T) {
	// 28 March 2027, 02:30 does not exist: the clocks go from 02:00 to 03:00
	sent := time.Date(2027, 2, 28, 2, 30, 0, 0, amsterdam)
	due := Due(sent, MaxRetention, amsterdam)
	assert.False(t, due.Before(time.Date(2027, 3, 28, 1, 30, 0, 0, amsterdam)))
	assert.False(t, due.After(time.Date(2027, 3, 28, 3, 30, 0, 0, amsterdam)))
}

func TestNoMessageStaysTooLong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "sent"), rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds"))
		period := time.Duration(rapid.Int64Range(0, int64(60*24*time.Hour)).Draw(t, "period"))
		due := Due(sent, period, amsterdam)
		if due.Before(sent) || due.Sub(sent) > MaxRetention || due.Sub(sent) > period {
			t.Fatalf("sent %s, due %s", sent, due)
		}
		from, to := sent.In(amsterdam), due.In(amsterdam)
		months := (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
		if months > 1 && to.Day() > 1 || months == 1 && to.Day() > from.Day() {
			t.Fatalf("sent %s, due %s: more than a calendar month", from, to)
		}
	})
}

func TestALaterMessageIsNeverDueEarlierOnTheSameDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "sent"), 0).In(amsterdam)
		next := sent.Add(time.Duration(rapid.Int64Range(0, 3600).Draw(t, "seconds")) * time.Second)
		if next.Day() != sent.Day() {
			return
		}
		_, before := sent.Zone()
		_, after := next.Zone()
		a, b := Due(sent, MaxRetention, amsterdam), Due(next, MaxRetention, amsterdam)
		if before == after && b.Before(a.Add(-time.Hour)) {
			t.Fatalf("%s is due %s, %s is due %s", sent, a, next, b)
		}
	})
}

func TestKeysOfWhatWasRemovedEarlyStayLongerThanASenderUsesOne(t *testing.T) {
	assert.Equal(t, 15*24*time.Hour, KeysAfter(MaxRetention))
	assert.Equal(t, 15*24*time.Hour, KeysAfter(365*24*time.Hour))
	assert.Equal(t, 10*time.Second, KeysAfter(20*time.Second))
}
