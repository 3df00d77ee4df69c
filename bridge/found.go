package bridge

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// foundWithin is how long a homeserver may not find an event that we know of before that is believed.
// Dendrite tells of an event before it gives it to who asks; when it was away, that can be long after.
const foundWithin = 2 * time.Minute

// mostBetween is how much of the time between two such answers counts: it may have been away meanwhile, or
// the clock was set.
const mostBetween = time.Minute

// readEvent reads what somebody sent. While its homeserver may still have to find it, it is errNotYet.
func (b *Bridge) readEvent(ctx context.Context, room id.RoomID, one id.EventID) (*event.Event, error) {
	evt, err := b.Matrix.Read(ctx, room, one)
	switch {
	case err == nil, errors.Is(err, ErrNoKey), errors.Is(err, ErrUnreadable), errors.Is(err, ErrRedacted):
		b.absent.found(one) // it is there
	case errors.Is(err, ErrNotFound):
		if stays, failed := b.stays(ctx, one); failed != nil || !stays {
			return nil, cmp.Or(failed, err)
		}
		if b.absent.missed(one, b.Now()) < foundWithin {
			return nil, errNotYet
		}
	}
	return evt, err
}

// stays says that an event came in and has not been removed since, as far as we know. What has no
// content, as a removal, is in no ledger.
func (b *Bridge) stays(ctx context.Context, one id.EventID) (bool, error) {
	row, known, err := b.Store.LedgerEvent(ctx, string(one))
	if err != nil || known {
		return row.RedactedAt.IsZero() && row.VerifiedAt.IsZero(), err
	}
	_, known, err = b.Store.Turn(ctx, string(one), 0)
	return known, err
}

// absentees are the events that their homeserver says it does not have, in memory: a new start begins
// to count anew.
type absentees struct {
	mu  sync.Mutex
	all map[id.EventID]absence
}

// An absence is for how long a homeserver has said so, until when.
type absence struct {
	long time.Duration
	last time.Time
}

// mostAbsent bounds what is remembered; beyond that all are counted anew.
const mostAbsent = 10_000

// missed is for how long a homeserver has said by now that it does not have an event.
func (a *absentees) missed(one id.EventID, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil || len(a.all) >= mostAbsent {
		a.all = map[id.EventID]absence{}
	}
	was, known := a.all[one]
	if known {
		was.long += min(max(now.Sub(was.last), 0), mostBetween)
	}
	was.last = now
	a.all[one] = was
	return was.long
}

func (a *absentees) found(one id.EventID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, one)
}

// wasRemoved says that there is nothing any more to read.
func wasRemoved(err error) bool { return errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) }
