package bridge

import (
	"maps"
	"sync"
	"time"
)

// A quota counts in how many turns something happens within a time. It forgets everything when it has
// grown large: then something happens more often than it should, and memory stays bounded.
type quota struct {
	mu   sync.Mutex
	used map[string]use
}

type use struct {
	turns map[int64]bool // that it was allowed to
	since time.Time
}

const quotaSize = 10_000

func newQuota() *quota { return &quota{used: map[string]use{}} }

func (q *quota) allow(what string, turn int64, most int, within time.Duration, now time.Time) bool {
	if most == 0 {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	u, known := q.used[what]
	if !known || now.Sub(u.since) >= within || now.Before(u.since) { // the clock may have been set back
		u = use{turns: map[int64]bool{}, since: now}
	}
	if !u.turns[turn] && len(u.turns) >= most {
		return false
	}
	u.turns[turn] = true
	if !known && len(q.used) >= quotaSize {
		clear(q.used)
	}
	q.used[what] = u
	return true
}

// since is when the time began in which something is counted now.
func (q *quota) since(what string) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.used[what].since
}

// forget lets something happen as if it had not happened before.
func (q *quota) forget(what string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.used, what)
}

// A queue knows which turns of each homeserver wait now. Who waits comes again within a time, or does not wait
// any longer. It forgets them all when it has grown large, as a quota does.
type queue struct {
	mu   sync.Mutex
	here map[string]map[int64]time.Time // by homeserver: when each of them came last
}

func newQueue() *queue { return &queue{here: map[string]map[int64]time.Time{}} }

// enter says whether a turn may wait: it does already, or fewer than so many do.
func (q *queue) enter(server string, turn int64, most int, within time.Duration, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	here := q.here[server]
	if _, waits := here[turn]; !waits && len(here) >= most {
		maps.DeleteFunc(here, func(_ int64, came time.Time) bool { return now.Sub(came) >= within || now.Before(came) })
		if len(here) >= most {
			return false
		}
	}
	if here == nil {
		if len(q.here) >= quotaSize {
			clear(q.here)
		}
		here = map[int64]time.Time{}
		q.here[server] = here
	}
	here[turn] = now
	return true
}

// leave says that a turn does not wait any longer.
func (q *queue) leave(server string, turn int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.here[server], turn)
	if len(q.here[server]) == 0 {
		delete(q.here, server)
	}
}
