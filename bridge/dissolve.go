package bridge

import (
	"context"
	"errors"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// The staff room of a conversation goes when the conversation is over and everything that was
// said in it is proven to be gone (requirement D4).

// dissolveWhenOver looks at a room whose history has just been walked to its end; so nothing is
// there that the ledger does not know. It runs in the transaction that ends the walk.
func (b *Bridge) dissolveWhenOver(ctx context.Context, w store.Walk) error {
	room, known, err := b.Store.Room(ctx, w.RoomID)
	if err != nil || !known || room.Kind != store.RoomConversation || !room.LeftAt.IsZero() {
		return err
	}
	over, err := b.isOver(ctx, room, w)
	if err != nil || !over {
		return err
	}
	effect := job("dissolve", conversation(room.Conversation), body{Room: room.ID})
	effect.Conversation = room.Conversation
	b.outbox.ringAll()
	return b.add(ctx, effect)
}

// isOver says whether a conversation was closed before its room was walked, and nothing is left
// to be removed. One that is not known any more went with its patient.
func (b *Bridge) isOver(ctx context.Context, room store.Room, w store.Walk) (bool, error) {
	c, known, err := b.Store.Conversation(ctx, room.Conversation)
	if err != nil {
		return false, err
	}
	if known && (c.State == care.Open || c.State == care.Asking || w.WalkedAt.Before(c.ClosedAt)) {
		return false, nil
	}
	left, err := b.Store.HasOpen(ctx, room.ID)
	return !left, err
}

// deliverDissolve takes a room out of the space, empties it and deletes it. Where the homeserver
// cannot delete rooms it stays, empty; the bot leaves it once what people's leaving left behind
// is removed as well, after another walk.
func (b *Bridge) deliverDissolve(ctx context.Context, t task) (done delivery, err error) {
	room, known, err := b.Store.Room(ctx, t.body.Room)
	if err != nil || !known || !room.LeftAt.IsZero() {
		return done, err
	}
	c, known, err := b.Store.Conversation(ctx, room.Conversation)
	if err != nil || known && c.State == care.Open { // opened again meanwhile
		return done, err
	}
	space, _, err := b.Store.RoomOf(ctx, store.RoomSpace, room.Practice)
	if err != nil {
		return done, err
	}
	removed, err := b.Matrix.Dissolve(ctx, id.RoomID(room.ID), id.RoomID(space.ID), alias(room.Kind, room.Conversation))
	if errors.Is(err, ErrCannotErase) {
		if removed > 0 {
			return done, nil
		}
		err = b.Matrix.Leave(ctx, id.RoomID(room.ID))
	}
	if err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error {
		room.LeftAt = b.Now()
		return b.Store.SaveRoom(ctx, room)
	}
	return done, nil
}
