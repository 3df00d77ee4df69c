package bridge

import (
	"slices"
	"sync"
	"time"
)

// leaps are when the clock was set ahead, or the machine slept: time in which nothing was tried, and
// nothing could arrive. It does not count as time in which something was waited for.
type leaps struct {
	mu   sync.Mutex
	tick func() time.Time // nobody sets it; nil is time.Now, which has a clock of its own for differences

	wall, ticked time.Time // what both clocks said when they were compared last; zero = never
	began        time.Time // what the ticking one said at the first look
	all          []leap
}

// A leap is from what the clock would have said when it was found, and how far it went.
type leap struct {
	from time.Time
	by   time.Duration
}

const mostLeaps = 16 // that are remembered: what is waited for that long is told already

// look compares the two clocks.
func (l *leaps) look(wall time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.compare(wall)
}

func (l *leaps) compare(wall time.Time) {
	ticked := time.Now()
	if l.tick != nil {
		ticked = l.tick()
	}
	wall = wall.Round(0) // without the other clock
	switch by := wall.Sub(l.wall) - ticked.Sub(l.ticked); {
	case l.wall.IsZero():
		l.began = ticked
	case by > setBy:
		l.all = append(l.all[max(0, len(l.all)+1-mostLeaps):], leap{wall.Add(-by), by})
	case by < -setBy: // what came in before a leap cannot be told any more from what came after
		l.all = nil
	}
	l.wall, l.ticked = wall, ticked
}

// waited is how long something was waited for since a moment: what the clock leapt over does not count,
// nor what was before the first look, when we began to run. Without a first look it is what the clock says.
func (l *leaps) waited(since, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := now.Sub(since)
	if l.wall.IsZero() {
		return all
	}
	l.compare(now)
	for _, leap := range l.all {
		if !since.After(leap.from) {
			all -= leap.by
		}
	}
	return max(0, min(all, l.ticked.Sub(l.began)))
}

// before is since when something has to be waited for to have waited so long by now; zero: we have
// not run so long.
func (l *leaps) before(wait time.Duration, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := now.Add(-wait)
	if l.wall.IsZero() {
		return since
	}
	l.compare(now)
	if l.ticked.Sub(l.began) < wait {
		return time.Time{}
	}
	for _, leap := range slices.Backward(l.all) {
		if since.Before(leap.from.Add(leap.by)) {
			since = since.Add(-leap.by)
		}
	}
	return since
}

// waited is how long something was waited for since a moment, by no clock that can be set.
func (b *Bridge) waited(since time.Time) time.Duration { return b.leaps.waited(since, b.Now()) }
