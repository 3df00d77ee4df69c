package bridge

import (
	"context"
	"errors"
	"fmt"

	"github.com/spreekkamer/spreekkamer/store"
)

// mostAttempts is how often a turn is tried that fails by itself: two thirds of a day. By then Beheer
// has been told for long that it holds up its queue.
const mostAttempts = 200

var (
	// errBroken is of a turn that can never be dealt with.
	errBroken = errors.New("cannot be dealt with")
	// errAway is of a turn whose event could not be fetched: the homeserver may be away for days.
	errAway = errors.New("the event could not be fetched")
)

// isHopeless says that trying a turn again is of no use.
func isHopeless(t store.Turn, err error) bool {
	return errors.Is(err, errBroken) || t.Attempt >= mostAttempts && !errors.Is(err, errAway)
}

// giveUpTurn ends a turn that can never be dealt with, so that its queue goes on; who has to know is
// told what is missing (requirement B2). When that fails too, it is tried as often again, and
// then the turn ends without it.
func (b *Bridge) giveUpTurn(ctx context.Context, t store.Turn) bool {
	err := b.failTurn(ctx, t, t.Attempt < 2*mostAttempts)
	if err != nil {
		b.Log.Err(err).Str("event_id", t.EventID).Msg("Giving up a turn failed, will be tried again")
		return false
	}
	b.Log.Error().Str("event_id", t.EventID).Int("attempt", t.Attempt).Msg("Turn given up")
	b.outbox.ringAll()
	return true
}

func (b *Bridge) failTurn(ctx context.Context, t store.Turn, tell bool) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("panic in giving up turn %s", t.EventID)
		}
	}()
	return b.Store.Transact(ctx, func(ctx context.Context) error {
		if open, err := b.Store.TurnIsOpen(ctx, t.ID); err != nil || !open {
			return err
		}
		if tell {
			if err := b.tellGap(ctx, t); err != nil {
				return err
			}
		}
		if err := b.Store.Unpark(ctx, t.EventID); err != nil {
			return err
		}
		return b.Store.FailTurn(ctx, t.ID, store.TurnFailed, b.Now())
	})
}

// tellGap says that something written is missing, where both sides would miss it.
func (b *Bridge) tellGap(ctx context.Context, t store.Turn) error {
	room, known, err := b.Store.Room(ctx, t.RoomID)
	if err != nil || !known || room.Kind == store.RoomContact || !wrote(t.Type) || t.Type == store.LostTurn {
		return err
	}
	return b.tellMissing(ctx, place{Turn: t, room: room}, "unreadable")
}
