package appservice

import (
	"context"
	"sync/atomic"
	"time"
)

// When as much is being sent as can be, asking for more brings nobody anything sooner: each /sync
// only takes the homeserver time that it could send in. So /sync then pauses a moment, and
// brings more at once.

const (
	// manySends is how many events are being sent when there is no hurry to take in more.
	manySends = 3
	// lullTime is how much later something comes in then, at most.
	lullTime = 100 * time.Millisecond
)

// load counts what is being sent.
type load struct{ sends atomic.Int32 }

// begin counts one more; what it returns ends that.
func (l *load) begin() (end func()) {
	l.sends.Add(1)
	return func() { l.sends.Add(-1) }
}

// lull waits a moment while much is being sent.
func (l *load) lull(ctx context.Context) {
	if l.sends.Load() >= manySends {
		pause(ctx, lullTime)
	}
}
