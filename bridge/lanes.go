package bridge

import (
	"context"
	"maps"
	"slices"
	"time"
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
