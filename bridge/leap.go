package bridge

import (
	"sync"
	"time"
)

// leaps are when the clock was set ahead, or the machine slept: time in which nothing was tried, and
// nothing could arrive. It does not count as time in which something was waited for.
type leaps struct {
	mu   sync.Mutex
	tick func() time.Time // nobody sets it; nil is time.Now, which has a clock of its own for differences

	wall, ticked time.Time // what both clocks said when they were compared last; zero = never
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
	case by > setBackBy:
		l.all = append(l.all[max(0, len(l.all)+1-mostLeaps):], leap{wall.Add(-by), by})
	case by < -setBackBy: // what came in before a leap cannot be told any more from what came after
		l.all = nil
	}
	l.wall, l.ticked = wall, ticked
}

// over is how much of the time since a moment the clock leapt over. Without a first look nothing is known.
func (l *leaps) over(since, now time.Time) (all time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wall.IsZero() {
		return 0
	}
	l.compare(now)
	for _, leap := range l.all {
		if !since.After(leap.from) {
			all += leap.by
		}
	}
	return all
}
