package bridge

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How long trouble with a file is waited out before what comes after it goes on: the media
// repository of another server that is away, or the virus scanner.
const (
	fileWait = 10 * time.Minute
	scanWait = time.Minute
	leastTry = 5 // failures; a bridge that was down itself has not tried
)

// urgency says whether there is time to wait.
type urgency bool

const (
	calm    urgency = false
	pressed urgency = true // the chat has to go: only as many attempts as must be
)

// troubles are the files with which something is wrong, and since when. They are in memory: a
// new start begins to count anew. How often a delivery was tried says nothing about it, since
// that may have failed for another reason, such as a HIS that was away.
type troubles struct {
	mu  sync.Mutex
	all map[string]trouble
}

type trouble struct {
	failures int
	since    time.Time
}

// mostTroubles bounds what is remembered; beyond that all are counted anew.
const mostTroubles = 10_000

// failed counts a failure, and tells what there has been of the same.
func (ts *troubles) failed(what string, now time.Time) trouble {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.all == nil || len(ts.all) >= mostTroubles {
		ts.all = map[string]trouble{}
	}
	t, known := ts.all[what]
	if !known || now.Before(t.since) { // the clock may have been set back
		t.since = now
	}
	t.failures++
	ts.all[what] = t
	return t
}

// of is what trouble there is with something.
func (ts *troubles) of(what string) (trouble, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, known := ts.all[what]
	return t, known
}

// over forgets what is no trouble any more.
func (ts *troubles) over(what string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.all, what)
}

// patience turns trouble that lasts into something to say; before that it is tried again. An
// attempt that was broken off says nothing about the file that it was at; only when the chat has
// to go, one that takes too long is as good as gone.
func (b *Bridge) patience(ctx context.Context, what string, u urgency, cause error, wait time.Duration, why string) error {
	if err := ctx.Err(); err != nil && (u == calm || !errors.Is(err, context.DeadlineExceeded)) {
		return cause
	}
	t := b.troubles.failed(what, b.Now())
	if t.failures < leastTry || u == calm && b.waited(t.since) < wait {
		return cause
	}
	return errNotCarried(why)
}
