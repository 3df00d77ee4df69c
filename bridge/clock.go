package bridge

import (
	"context"
	"time"
)

// setBy is from when a clock that is set matters, more than a time server corrects.
const setBy = 10 * time.Second

// watchClock keeps a clock that is set back from stopping what waits to be tried again: without
// it, that would wait as long as the clock went back.
func (b *Bridge) watchClock(ctx context.Context) error {
	tick := time.NewTicker(idle)
	defer tick.Stop()
	for last := (time.Time{}); ; b.leaps.look(b.Now()) {
		last = b.lookAtClock(ctx, last)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// lookAtClock compares the clock with what it said last. It may have been set back while we did
// not run, so the first look (a zero time) counts too.
func (b *Bridge) lookAtClock(ctx context.Context, last time.Time) (now time.Time) {
	now = b.Now().Round(0) // the wall clock: the other one never goes back
	if !last.IsZero() && !now.Before(last.Add(-setBy)) {
		return now
	}
	b.insist(ctx, "Looking for what waits too long", func() error { return b.Store.Hasten(ctx, now, maxBackoff) })
	b.pauses.end() // they would last as much longer
	b.Wake()
	b.ledger.ring()
	return now
}
