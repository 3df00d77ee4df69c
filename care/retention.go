package care

import "time"

// MaxRetention is the longest that a message may stay in chat: 30 days, and never more
// than one calendar month (requirement D1).
const MaxRetention = 30 * 24 * time.Hour

// AlarmAfter is how long after it was said people have to hear that something is not in the HIS
// yet: on day 20 of 30 (requirement D6).
func AlarmAfter(period time.Duration) time.Duration { return min(period, MaxRetention) / 3 * 2 }

// KeysAfter is how long after it was sent the key of a message that was removed early may go:
// half the period. Until then one sent before it can still arrive from another homeserver, which
// the same key opens; senders change their key after a week at most.
func KeysAfter(period time.Duration) time.Duration { return min(period, MaxRetention) / 2 }

// Begin is when removing starts of what was sent at sent and must be gone at due: a thirtieth of
// the period earlier (a day of 30), so that failing is seen and told before the limit.
func Begin(sent, due time.Time) time.Time { return due.Add(-max(0, due.Sub(sent)) / margin) }

// margin is which part of the period is kept for what goes wrong.
const margin = 30

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
