package bridge

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// The bot's receipt in a room says that somebody at the other side has read up to there, and
// nothing else: it never follows from what the bot itself does (requirement B6). How far a room
// was read is one row that goes on (store/reading.go), so a hundred messages cost one receipt.

const (
	readingBatch    = 16
	readingParallel = 2 // receipts at the same time: messages go before
	readingAttempts = 8 // a receipt that the homeserver cannot take by then is not worth more
	readingTime     = 10 * time.Second
	earlierEvents   = 5 // tried when the newest event that was read cannot have a receipt
)

// runReadings shows at each side what was read at the other.
func (b *Bridge) runReadings(ctx context.Context) error {
	for {
		did, err := b.passReadings(ctx)
		if errors.Is(err, store.ErrTakenOver) {
			return err // another instance has this database: stop at once
		}
		if err != nil && ctx.Err() == nil {
			b.Log.Err(err).Msg("Passing on receipts failed, will be tried again")
		}
		if did > 0 && err == nil {
			continue
		}
		if err := b.readings.wait(ctx, idle); err != nil {
			return nil // stopped
		}
	}
}

// passReadings passes on what is due; it returns how many there were.
func (b *Bridge) passReadings(ctx context.Context) (int, error) {
	due, err := b.Store.DueReadings(ctx, b.Now(), readingBatch)
	if err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readingParallel)
	for _, r := range due {
		group.Go(func() error { return b.passReading(ctx, r) })
	}
	return len(due), group.Wait()
}

func (b *Bridge) passReading(ctx context.Context, r store.Reading) error {
	err := b.showRead(ctx, r)
	switch {
	case err == nil, errors.Is(err, ErrRefused), errors.Is(err, ErrNotFound):
		return b.Store.EndReading(ctx, r)
	case ctx.Err() != nil:
		return nil // stopped: the row is still there
	case errors.Is(err, store.ErrTakenOver):
		return err
	case r.Attempt >= readingAttempts:
		b.Log.Warn().Err(err).Str("room_id", r.Room).Msg("Receipt given up")
		return b.Store.EndReading(ctx, r)
	}
	b.Log.Warn().Err(err).Str("room_id", r.Room).Int("attempt", r.Attempt).Msg("Passing on a receipt failed, will be tried again")
	return b.Store.RetryReading(ctx, r, b.Now().Add(backoff(r.Attempt)))
}

// showRead sets the bot's receipt at the other side. What was read may stand for an event that
// can have no receipt there, such as one in a thread; then one before it is taken.
func (b *Bridge) showRead(ctx context.Context, r store.Reading) (err error) {
	if r.SentAt.IsZero() { // not one of ours to remove, such as someone coming in
		if r.SentAt, err = b.Matrix.SentAt(ctx, id.RoomID(r.Room), id.EventID(r.Event)); err != nil {
			return err
		}
	}
	events, err := b.Store.ReadEvents(ctx, r, earlierEvents)
	for _, m := range events {
		if err = b.showUpTo(ctx, r, m); !errors.Is(err, ErrRefused) {
			return err
		}
	}
	return err
}

// showUpTo sets the receipt on one event, unless a later one has it.
func (b *Bridge) showUpTo(ctx context.Context, r store.Reading, m store.Mirror) error {
	row, kept, err := b.Store.LedgerEvent(ctx, m.SourceEvent)
	if err != nil || !kept {
		return err
	}
	thread, ok, err := b.threadAcross(ctx, r.Thread, m.SourceRoom)
	if err != nil || !ok {
		return err
	}
	may, err := b.mayKnow(ctx, m.SourceRoom)
	if err != nil || !may {
		return err
	}
	shown, err := b.Store.ShownUpTo(ctx, m.SourceRoom, thread)
	if err != nil || !row.SentAt.After(shown) {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	if err := b.Matrix.MarkRead(soon, id.RoomID(m.SourceRoom), id.EventID(m.SourceEvent), thread); err != nil {
		return err
	}
	return b.Store.SetShown(ctx, m.SourceRoom, thread, row.SentAt)
}

// threadAcross is the same thread at the other side; false when it is not there.
func (b *Bridge) threadAcross(ctx context.Context, thread, room string) (string, bool, error) {
	if thread == "" || thread == "main" {
		return thread, true, nil
	}
	return b.Store.MirrorOf(ctx, thread, room)
}

// mayKnow says whether anything still passes to a room: nothing does once consent is withdrawn.
func (b *Bridge) mayKnow(ctx context.Context, roomID string) (bool, error) {
	room, known, err := b.Store.Room(ctx, roomID)
	if err != nil || !known || !room.LeftAt.IsZero() {
		return false, err
	}
	person, known, err := b.Store.Person(ctx, room.Person)
	return known && person.State == care.Active, err
}
