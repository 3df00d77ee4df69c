package bridge

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

const (
	ledgerBatch    = 200
	ledgerParallel = 4                      // rooms, or files, at the same time
	verifyAfter    = 500 * time.Millisecond // before the first reading back
)

// due is when what was sent at a time must be gone.
func (b *Bridge) due(sent time.Time) time.Time { return care.Due(sent, b.Retention, b.Zone) }

// runRetention removes what is due, reads it back, and says so in the ledger.
func (b *Bridge) runRetention(ctx context.Context) error {
	if err := b.Store.ShortenRetention(ctx, b.Retention); err != nil {
		return err
	}
	for {
		did, err := b.sweep(ctx)
		if err != nil && ctx.Err() == nil {
			b.Log.Err(err).Msg("Retention failed, will be tried again")
		}
		if did > 0 && err == nil {
			continue
		}
		if err := b.forgetKeys(ctx); err != nil && ctx.Err() == nil {
			b.Log.Err(err).Msg("Forgetting message keys failed, will be tried again")
		}
		if err := b.tidy(ctx); err != nil && ctx.Err() == nil {
			b.Log.Err(err).Msg("Tidying the database failed, will be tried again")
		}
		if err := b.ledger.wait(ctx, idle); err != nil {
			return nil // stopped
		}
	}
}

const (
	tidyEvery  = time.Minute
	trafficLog = 31 * 24 * time.Hour // how long it is known that an event was handled (requirement D8)
)

// tidy takes what is gone out of the database's files too (requirement D5).
func (b *Bridge) tidy(ctx context.Context) error {
	if b.Now().Before(b.tidied.Add(tidyEvery)) {
		return nil
	}
	b.tidied = b.Now()
	if _, err := b.Store.ForgetDone(ctx, b.Now().Add(-trafficLog)); err != nil {
		return err
	}
	return b.Store.Compact(ctx)
}

// forgetKeys lets the keys of what is gone go too (requirement D5): whoever kept a copy of the
// encrypted message opens it with nothing that we have.
func (b *Bridge) forgetKeys(ctx context.Context) error {
	keys, err := b.Store.SpentKeys(ctx, b.Now().Add(-care.KeysAfter(b.Retention)), ledgerBatch)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := b.Matrix.ForgetKey(ctx, key); err != nil {
			return err
		}
		if err := b.Store.MarkForgotten(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// sweep handles one batch of what is due; it returns how many rows went forward. Files go once no event is
// left that is due: what an event leads to, such as filing it after all, may need its file.
func (b *Bridge) sweep(ctx context.Context) (int, error) {
	rows, err := b.Store.LedgerDue(ctx, b.Now(), ledgerBatch)
	if err != nil {
		return 0, err
	}
	err = inParallel(ctx, byRoom(rows), b.advanceAll)
	if err != nil || len(rows) == ledgerBatch {
		return len(rows), err
	}
	media, err := b.Store.MediaDue(ctx, b.Now(), ledgerBatch)
	if err != nil {
		return len(rows), err
	}
	return len(rows) + len(media), inParallel(ctx, media, b.erase)
}

// inParallel does something with a few of many at a time, up to the first error.
func inParallel[T any](ctx context.Context, all []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(ledgerParallel)
	for _, one := range all {
		group.Go(func() error { return do(ctx, one) })
	}
	return group.Wait()
}

// byRoom puts together what is in one room, in the order of rows.
func byRoom(rows []store.LedgerRow) (all [][]store.LedgerRow) {
	at := map[string]int{}
	for _, row := range rows {
		i, known := at[row.RoomID]
		if !known {
			i = len(all)
			at[row.RoomID], all = i, append(all, nil)
		}
		all[i] = append(all[i], row)
	}
	return all
}

// advanceAll takes the events of one room a step further, one after the other: redactions at the same
// moment have the same events before them, and of such Dendrite refuses some, or the homeserver of a
// patient elsewhere never carries one out (docs/homeservers.md).
func (b *Bridge) advanceAll(ctx context.Context, rows []store.LedgerRow) error {
	for _, row := range rows {
		if err := b.advance(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// advance takes one event a step further: kept → redacted → verified.
func (b *Bridge) advance(ctx context.Context, row store.LedgerRow) error {
	if row.State == store.LedgerRedacted {
		return b.verify(ctx, row)
	}
	if err := errors.Join(b.letHeldGo(ctx, row.EventID), b.saveUnfiled(ctx, row)); err != nil {
		return b.later(ctx, row, err)
	}
	err := b.Matrix.Redact(ctx, id.RoomID(row.RoomID), id.EventID(row.EventID), "rd"+row.EventID)
	switch {
	case err == nil:
		return b.forgotten(ctx, row.EventID)
	case errors.Is(err, ErrNotFound):
		return b.Store.MarkVerified(ctx, row.EventID, b.Now())
	case errors.Is(err, ErrRefused):
		return b.notOurs(ctx, row, err)
	}
	return b.later(ctx, row, err)
}

// verify reads an event back: only what the homeserver no longer gives is gone
// (requirement D2).
func (b *Bridge) verify(ctx context.Context, row store.LedgerRow) error {
	gone, err := b.Matrix.Gone(ctx, id.RoomID(row.RoomID), id.EventID(row.EventID))
	switch {
	case errors.Is(err, ErrNotFound), err == nil && gone:
		return b.Store.MarkVerified(ctx, row.EventID, b.Now())
	case errors.Is(err, ErrRefused):
		return b.notOurs(ctx, row, err)
	case err == nil:
		err = errors.New("content is still there")
	}
	return b.later(ctx, row, err)
}

func (b *Bridge) later(ctx context.Context, row store.LedgerRow, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.Log.Warn().Err(cause).Str("event_id", row.EventID).Int("attempt", row.Attempt).Msg("Removing an event failed, will be tried again")
	return b.Store.MarkLedgerFailed(ctx, row.EventID, b.Now().Add(backoff(row.Attempt)), "failed")
}

// refusedTries are how often the bot is told that it may not remove something before it believes that:
// Dendrite has refused it for a moment where it may.
const refusedTries = 6

// notOurs handles an event that the bot may not remove: in a patient's own chat the bot
// has only what power it was given. It leaves that chat, so that it is no room of ours.
func (b *Bridge) notOurs(ctx context.Context, row store.LedgerRow, cause error) error {
	room, known, err := b.Store.Room(ctx, row.RoomID)
	if err != nil {
		return err
	}
	if known && !room.LeftAt.IsZero() { // nor may it in a room that it has left or deleted
		return b.Store.MarkGone(ctx, row.EventID, b.Now())
	}
	if !known || room.Kind != store.RoomContact || row.Attempt < refusedTries {
		return b.later(ctx, row, cause)
	}
	return b.Store.Transact(ctx, func(ctx context.Context) error {
		if err := b.Store.MarkGone(ctx, row.EventID, b.Now()); err != nil {
			return err
		}
		room.LeftAt = b.Now()
		if err := b.Store.SaveRoom(ctx, room); err != nil {
			return err
		}
		return b.add(ctx, job("leave", contact(room.ID), body{Room: room.ID}))
	})
}

// erase removes a file from the media repository. Where the homeserver cannot, it has
// become unreadable: its key was in a message that is gone.
func (b *Bridge) erase(ctx context.Context, m store.Media) error {
	err := b.Matrix.EraseMedia(ctx, m.URI)
	switch {
	case err == nil, errors.Is(err, ErrNotFound):
		return b.Store.MarkMedia(ctx, m.URI, store.MediaErased, b.Now())
	case errors.Is(err, ErrCannotErase):
		return b.Store.MarkMedia(ctx, m.URI, store.MediaUnerasable, b.Now())
	case ctx.Err() != nil:
		return ctx.Err()
	}
	b.Log.Warn().Err(err).Int("attempt", m.Attempt).Msg("Erasing a file failed, will be tried again")
	return b.Store.RetryMedia(ctx, m.URI, b.Now().Add(backoff(m.Attempt)), "failed")
}

// addReport fills in what !bewaartermijn shows.
func (b *Bridge) addReport(ctx context.Context, _ task, args *texts.Args) error {
	r, err := b.Store.RetentionReport(ctx, b.Now())
	if err != nil {
		return err
	}
	walks, err := b.Store.WalkReport(ctx)
	if err != nil {
		return err
	}
	oldest := "-"
	if !r.Oldest.IsZero() {
		oldest = r.Oldest.In(b.Zone).Format("02-01-2006 15:04")
	}
	args.Report = texts.Report{
		Kept: r.Kept, Due: r.Due, Redacted: r.Redacted, Verified: r.Verified, Failed: r.Failed,
		MediaKept: r.MediaKept, MediaErased: r.MediaErased, MediaUnerasable: r.MediaUnerasable,
		Rooms: walks.Rooms, Walked: walks.Rooms - walks.Unwalked, Oldest: oldest,
	}
	return nil
}
