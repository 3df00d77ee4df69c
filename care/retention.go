package care

import "time"

// MaxRetention is the longest that a message may stay in chat: 30 days, and never more
// than one calendar month (requirement D1).
const MaxRetention = 30 * 24 * time.Hour

// Due is when a message sent at sent must be gone: after period, after 30 days or after
// one calendar month in the practice's zone, whichever comes first. A month from
// 31 January is 28 (or 29) February.
func Due(sent time.Time, period time.Duration, zone *time.Location) time.Time {
	due := sent.Add(min(period, MaxRetention))
	if month := monthLater(sent.In(zone)); month.Before(due) {
		return month
	}
	return due
}

// monthLater is the same clock time one calendar month later, clamped to its last day.
func monthLater(t time.Time) time.Time {
	y, m, d := t.Date()
	last := time.Date(y, m+2, 0, 0, 0, 0, 0, t.Location()).Day()
	hour, minute, sec := t.Clock()
	return time.Date(y, m+1, min(d, last), hour, minute, sec, t.Nanosecond(), t.Location())
}
