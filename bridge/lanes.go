package bridge

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/spreekkamer/spreekkamer/his"
)

// A lane is a line of effects with workers of its own. Matrix is one, and each system of each
// practice is one: a HIS that hangs (a network folder that is gone blocks whoever touches it,
// whatever time limit we set) holds back no room and no other practice.
type lane struct {
	name    string // as in the outbox
	workers int
}

const (
	matrixLane    = ""
	matrixWorkers = 6 // about four rooms in parallel help, and two that wait for files
	filingWorkers = 3 // conversations of one practice that are filed at the same time
	lookWorkers   = 2 // looking somebody up: staff wait for it, whatever has to be filed
)

// filingLimit is how long a system may take for one request: below the lease. Reading what is
// filed does not count: that a photo is slow to come says nothing about the system.
const filingLimit = lease - 30*time.Second

func lanesOf(practices []Practice) []lane {
	all := []lane{{matrixLane, matrixWorkers}}
	for _, p := range practices {
		for _, name := range slices.Sorted(maps.Keys(p.systems())) {
			all = append(all, lane{name, filingWorkers})
		}
		if _, can := p.Connector.(his.Finder); can {
			all = append(all, lane{systemLane(lookName, p.ID), lookWorkers})
		}
	}
	return all
}

// joinLanes gives what waits for a CRM that is no longer in the settings to the HIS.
func (b *Bridge) joinLanes(ctx context.Context) error {
	for _, p := range b.Practices {
		if p.CRM != nil {
			continue
		}
		if err := b.Store.MoveLane(ctx, systemLane(crmName, p.ID), systemLane(hisName, p.ID)); err != nil {
			return err
		}
	}
	return nil
}

// bells wakes the workers of each lane.
type bells map[string]bell

func newBells(lanes []lane) bells {
	all := bells{}
	for _, l := range lanes {
		all[l.name] = newBell()
	}
	return all
}

func (all bells) ring(lanes ...string) {
	for _, name := range lanes {
		if bell, ok := all[name]; ok {
			bell.ring()
		}
	}
}

func (all bells) ringAll() {
	for _, bell := range all {
		bell.ring()
	}
}

// pool runs the deliveries of a lane.
func (all bells) pool(l lane) *pool {
	return &pool{slots: make(chan struct{}, l.workers), busy: map[string]bool{}, freed: all[l.name].ring}
}

// pauses are until when systems want to be left alone, by lane. They are in memory: after a restart
// a system is asked once, and says it again.
type pauses struct {
	mu  sync.Mutex
	all map[string]time.Time
}

// begin lets a lane wait until a time at least.
func (ps *pauses) begin(lane string, until time.Time) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.all == nil {
		ps.all = map[string]time.Time{}
	}
	if until.After(ps.all[lane]) {
		ps.all[lane] = until
	}
}

// left is how long a lane has to wait still; zero: it goes on.
func (ps *pauses) left(lane string, now time.Time) time.Duration {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return max(ps.all[lane].Sub(now), 0)
}

// end ends every pause.
func (ps *pauses) end() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	clear(ps.all)
}

// leaveAlone lets all that goes to a system wait as long as it asked with an error, not only what
// it said so about; it returns how long that is.
func (b *Bridge) leaveAlone(lane string, err error) time.Duration {
	asked := his.RetryAfter(err)
	if asked > 0 && lane != matrixLane {
		b.pauses.begin(lane, b.Now().Add(asked))
	}
	return asked
}

// paused is how long a system still wants to be left alone.
func (b *Bridge) paused(lane string) time.Duration { return b.pauses.left(lane, b.Now()) }
