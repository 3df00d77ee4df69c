package bridge

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A walk reads the history of a room of ours and enters what the ledger does not know
// (requirement D3). Intake is the first net, this is the second: for a database that came from
// a backup, a gap that could not be filled, a homeserver whose /sync passed something over, a
// mistake of ours. What people wrote and intake missed is taken in as well (bridge/missed.go).

const (
	walkEvery  = 24 * time.Hour
	walkJitter = time.Hour   // so that not all rooms are walked in the same minute
	walkOften  = time.Minute // at most, when the retention period is very short
	walkAgain  = 10 * time.Minute
	// walkMargin is how far before the last complete walk the next one looks: what is older
	// was dealt with twice.
	walkMargin = 2 * care.MaxRetention
	walkPause  = 20 * time.Millisecond // between steps: everything else goes first
)

// runWalks walks every room at the start and then once a day, one page at a time.
func (b *Bridge) runWalks(ctx context.Context) error {
	if err := b.Store.StartWalks(ctx, b.Now()); err != nil {
		return err
	}
	for {
		pause := walkPause
		if found, err := b.walkStep(ctx); !found || err != nil {
			pause = idle
		}
		if err := b.walks.wait(ctx, pause); err != nil {
			return nil // stopped
		}
	}
}

// walkStep reads one page of one room. It says whether there was anything to walk.
func (b *Bridge) walkStep(ctx context.Context) (found bool, err error) {
	w, found, err := b.Store.NextWalk(ctx, b.Now())
	if err == nil && found {
		if err = b.walkPage(ctx, w); err != nil && ctx.Err() == nil {
			err = b.walkLater(ctx, w, err)
		}
	}
	if err != nil && ctx.Err() == nil {
		b.Log.Err(err).Str("room_id", w.RoomID).Msg("Walking a room failed, will be tried again")
	}
	return found, err
}

// walkLater puts a walk off, so that one broken room holds up no other. A place that the
// homeserver no longer knows is given up: the walk begins anew.
func (b *Bridge) walkLater(ctx context.Context, w store.Walk, cause error) error {
	if errors.Is(cause, ErrRefused) || errors.Is(cause, ErrNotFound) {
		w.Place = ""
	}
	w.Attempt++
	b.Log.Warn().Err(cause).Str("room_id", w.RoomID).Int("attempt", w.Attempt).Msg("Walking a room failed, will be tried again")
	return b.Store.SaveWalk(ctx, w, b.Now().Add(backoff(w.Attempt)))
}

// walkPage takes one step: what it finds and how far it came are stored together.
func (b *Bridge) walkPage(ctx context.Context, w store.Walk) error {
	if w.Place == "" {
		w.BeganAt = b.Now()
	}
	page, err := b.Matrix.History(ctx, id.RoomID(w.RoomID), w.Place)
	if err != nil {
		return err
	}
	unknown, err := b.Store.Unledgered(ctx, page.Events)
	if err != nil {
		return err
	}
	missed, coming, err := b.missed(ctx, w, page.Events)
	if err != nil {
		return err
	}
	unknown, w.Again = without(unknown, coming), w.Again || len(coming) > 0
	files, err := b.filesIn(ctx, unknown)
	if err != nil {
		return err
	}
	next, over := b.Now(), false
	if w.Place, w.Attempt = page.Next, 0; page.Next == "" || beyond(w, page.Events) {
		next, over = next.Add(b.nextWalk(w)), !w.Again
		w.Place, w.WalkedAt, w.BeganAt, w.Again = "", w.BeganAt, time.Time{}, false
	}
	err = b.Store.Transact(ctx, func(ctx context.Context) error {
		found := store.Find{Unledgered: unknown, Missed: missed, Now: b.Now(), Due: b.due}
		if err := b.Store.EnterFound(ctx, found); err != nil {
			return err
		}
		for _, m := range files {
			if err := b.Store.AddMedia(ctx, m); err != nil {
				return err
			}
		}
		if err := b.Store.SaveWalk(ctx, w, next); err != nil || !over {
			return err
		}
		return b.dissolveWhenOver(ctx, w)
	})
	if err == nil {
		b.walkFound(w, unknown)
		b.sayMissed(w, missed)
	}
	return err
}

// walkFound wakes retention, and tells the operator what the ledger had missed. What was sent a
// moment ago may be on its way.
func (b *Bridge) walkFound(w store.Walk, unknown []store.Event) {
	old := 0
	for _, e := range unknown {
		if b.Now().Sub(e.OriginAt) > walkOften {
			old++
		}
	}
	if old > 0 {
		b.Log.Warn().Str("room_id", w.RoomID).Int("events", old).Msg("A walk found events that the ledger did not know")
	}
	if len(unknown) > 0 {
		b.ledger.ring()
	}
}

// beyond says that a page is older than what still needs a second look.
func beyond(w store.Walk, events []store.Event) bool {
	if w.WalkedAt.IsZero() {
		return false
	}
	floor := w.WalkedAt.Add(-walkMargin)
	for _, e := range events {
		if !e.OriginAt.Before(floor) {
			return false
		}
	}
	return true
}

// nextWalk is how long after a walk the next one begins: a day, or the retention period when
// that is shorter, and a little more that differs per room. Soon, when something has to come in.
func (b *Bridge) nextWalk(w store.Walk) time.Duration {
	every := max(min(walkEvery, b.Retention), walkOften)
	if w.Again {
		every = min(every, walkAgain)
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(w.RoomID))
	return every + min(walkJitter, every/10)*time.Duration(hash.Sum32()%1000)/1000
}

// filesIn are the files that some events show, as far as they can still be read.
func (b *Bridge) filesIn(ctx context.Context, events []store.Event) (all []store.Media, err error) {
	for _, e := range events {
		if e.StateKey != nil || e.Type != event.EventEncrypted.Type && e.Type != event.EventMessage.Type {
			continue
		}
		evt, err := b.Matrix.Read(ctx, id.RoomID(e.RoomID), id.EventID(e.ID))
		switch {
		case errors.Is(err, ErrNoKey), errors.Is(err, ErrUnreadable), errors.Is(err, ErrRedacted), errors.Is(err, ErrNotFound), errors.Is(err, ErrRefused):
			continue
		case err != nil:
			return nil, err
		}
		all = append(all, b.mediaOf(evt, e.OriginAt)...)
	}
	return all, nil
}
