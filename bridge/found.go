package bridge

import (
	"cmp"
	"context"
	"errors"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// foundWithin is how long a homeserver may not find an event that we know of before that is believed.
// Dendrite tells of an event before it gives it to who asks; when it was away, that can be long after.
const foundWithin = 2 * time.Minute

// readEvent reads what somebody sent. While its homeserver may still have to find it, it is errNotYet.
func (b *Bridge) readEvent(ctx context.Context, room id.RoomID, one id.EventID) (*event.Event, error) {
	evt, err := b.Matrix.Read(ctx, room, one)
	what := "event " + string(one)
	if !errors.Is(err, ErrNotFound) {
		b.troubles.over(what)
		return evt, err
	}
	if stays, failed := b.stays(ctx, one); failed != nil || !stays {
		return nil, cmp.Or(failed, err)
	}
	if t := b.troubles.failed(what, b.Now()); b.waited(t.since) < foundWithin {
		return nil, errNotYet
	}
	return nil, err
}

// stays says that an event has not been removed, as far as we know.
func (b *Bridge) stays(ctx context.Context, one id.EventID) (bool, error) {
	row, known, err := b.Store.LedgerEvent(ctx, string(one))
	return known && row.RedactedAt.IsZero(), err
}

// wasRemoved says that there is nothing any more to read.
func wasRemoved(err error) bool { return errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) }
