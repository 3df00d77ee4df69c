package appservice

import (
	"context"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"
)

// What a transaction of the homeserver brings comes by /sync as well, as a rule in the same
// moment. Storing it twice would cost every message a second write, so a transaction first looks
// whether /sync has kept everything in it already, and waits a moment for that. It is answered
// only when all of it is kept, by whichever way.

const (
	// syncHeadStart is how long a transaction waits for /sync. The homeserver waits with it; nothing
	// else does.
	syncHeadStart = 300 * time.Millisecond
	// seenSize bounds how many events are remembered as kept.
	seenSize = 4_096
)

// seen remembers the events that /sync has kept last.
type seen struct {
	mu      sync.Mutex
	events  map[id.EventID]bool
	order   []id.EventID // a ring, oldest at next once it is full
	next    int
	changed chan struct{} // closed and replaced at each addition; nil: nothing was added yet
}

func newSeen() *seen { return &seen{events: map[id.EventID]bool{}} }

// add is called after the events were stored.
func (s *seen) add(rows []row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		if !r.history { // a transaction may know better: that it is news
			s.remember(r.event.ID)
		}
	}
	if s.changed != nil {
		close(s.changed)
	}
	s.changed = make(chan struct{})
}

func (s *seen) remember(event id.EventID) {
	if s.events[event] {
		return
	}
	s.events[event] = true
	if len(s.order) < seenSize {
		s.order = append(s.order, event)
		return
	}
	delete(s.events, s.order[s.next])
	s.order[s.next] = event
	s.next = (s.next + 1) % seenSize
}

// missing says which of some events are not known to be kept; changed is closed when that may
// have changed, and nil while /sync has brought nothing since the start.
func (s *seen) missing(events []incoming) (left []incoming, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if !s.events[e.ID] {
			left = append(left, e)
		}
	}
	return left, s.changed
}

// notKept waits a moment for /sync to keep events, and returns those that it has not.
func (s *seen) notKept(ctx context.Context, events []incoming, atMost time.Duration) []incoming {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for {
		left, changed := s.missing(events)
		if len(left) == 0 || changed == nil {
			return left
		}
		select {
		case <-changed:
		case <-timer.C:
			return left
		case <-ctx.Done():
			return left
		}
	}
}
