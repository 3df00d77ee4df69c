package bridge

import (
	"context"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
)

// What people wrote, and the homeserver never told of, is found by a walk through the room's
// history. It is taken in after all, in the transaction that enters it in the ledger, and passes
// marked as late.

const (
	// missedMargin is how long before the last answer of /sync something has to have been sent, by
	// clocks that differ: what is younger may be on its way.
	missedMargin = 5 * time.Minute
	// patientGap is how many tries a walk leaves to a gap in its room: about a quarter of an hour.
	// What a gap gives has its right place.
	patientGap = 20
)

// missed are those of a page's events that intake should have brought and has not, oldest first;
// coming are those that it may still bring: with the next answer of /sync, or by a gap that is open
// in the room. They are not entered in the ledger, or the next walk would take them for known. What
// is older than the room is to us was there before we listened, and what is older than messages may
// stay is only removed. Who came and went is left out: that may be otherwise by now.
func (b *Bridge) missed(ctx context.Context, w store.Walk, page []store.Event) (missed, coming []store.Event, err error) {
	written := slices.DeleteFunc(slices.Clone(page), func(e store.Event) bool { return e.StateKey != nil })
	untaken, err := b.Store.Untaken(ctx, written)
	if err != nil || len(untaken) == 0 {
		return nil, nil, err
	}
	after, before, err := b.listened(ctx, w.RoomID)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range slices.Backward(untaken) {
		switch {
		case !e.OriginAt.After(after):
		case e.OriginAt.Before(before):
			missed = append(missed, e)
		default:
			coming = append(coming, e)
		}
	}
	return missed, coming, nil
}

// listened is between which times everything that was sent in a room has to have come in, and may
// still be there.
func (b *Bridge) listened(ctx context.Context, room string) (after, before time.Time, err error) {
	r, _, err := b.Store.Room(ctx, room)
	if err != nil {
		return after, before, err
	}
	after = b.Now().Add(-b.Retention)
	if r.CreatedAt.After(after) {
		after = r.CreatedAt
	}
	gap, open, err := b.Store.GapIn(ctx, room)
	if err != nil || open && gap.Attempt < patientGap {
		return after, after, err
	}
	bot, err := b.Store.Bot(ctx)
	return after, bot.AliveAt.Add(-missedMargin), err
}

// without are those of some events that are not among others.
func without(events, others []store.Event) []store.Event {
	return slices.DeleteFunc(events, func(e store.Event) bool {
		return slices.ContainsFunc(others, func(o store.Event) bool { return o.ID == e.ID })
	})
}

// sayMissed tells the operator what was taken in after all.
func (b *Bridge) sayMissed(w store.Walk, missed []store.Event) {
	if len(missed) > 0 {
		b.Log.Error().Str("room_id", w.RoomID).Int("events", len(missed)).Msg("A walk found messages that had never come in; they are taken in now, marked as late")
	}
}
