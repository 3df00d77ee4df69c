package bridge

import (
	"strings"
	"sync"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
)

// A system that is down fails at all that goes to it. Every conversation that waits would knock once a
// minute, and after a day that are many. So once several failed in a row one of them knocks for all, once
// a minute, the one that waits longest first; when it gets through all go on at once.

// severalFail is how many conversations have to fail, with nothing filed between, before a system
// counts as down: of one that fails at a message in one or two, the others go on.
const severalFail = 3

// standings are how systems behave, by lane. They are in memory: after a restart it shows again.
type standings struct {
	mu  sync.Mutex
	all map[string]*standing
}

type standing struct {
	failed map[string]bool // destinations, since something was filed
	tries  int             // since it counts as down
	next   time.Time       // when the next may knock
}

// isSystem says that a lane is of a system where things are filed. Staff wait for who is looked up.
func isSystem(lane string) bool {
	return lane != matrixLane && !strings.HasPrefix(lane, lookName+":")
}

// failed counts an effect that could not be carried out.
func (s *standings) failed(e store.Effect, now time.Time) {
	if !isSystem(e.Lane) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*standing{}
	}
	if s.all[e.Lane] == nil {
		s.all[e.Lane] = &standing{failed: map[string]bool{}}
	}
	one := s.all[e.Lane]
	if one.failed[e.Destination] = true; len(one.failed) < severalFail {
		return
	}
	one.next = now.Add(patiently(one.tries))
	one.tries++
}

// worked ends that: the system does its work.
func (s *standings) worked(lane string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, lane)
}

// room is how many of the effects of a lane may be started now: all, or one of a system that is down,
// or none before its time has come.
func (s *standings) room(l lane, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[l.name]
	switch {
	case one == nil || one.tries == 0:
		return l.workers
	case now.Before(one.next):
		return 0
	}
	return 1
}

// knocks says that one was started: others wait for what becomes of it.
func (s *standings) knocks(lane string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.all[lane]; one != nil && one.tries > 0 {
		one.next = now.Add(fileBackoff)
	}
}

// end forgets everything: the clock was set back.
func (s *standings) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.all)
}
