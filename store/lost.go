package store

import (
	"context"
	"fmt"
	"time"
)

// LostTurn is the type of a turn in which people hear that a part of a room's events will never be
// read. It stands in its queue where those events would have stood. OriginAt is until when
// everything had come in, ReceivedAt from when it does again.
const LostTurn = "nl.spreekkamer.lost"

const (
	setGapEnd = `UPDATE gap SET until_at = $2 WHERE room_id = $1`
	getGapEnd = `SELECT until_at FROM gap WHERE room_id = $1 AND place = $2`
)

// ends notes that a gap lasts until now: what comes next has come in.
func (k *keeper) ends(ctx context.Context, g Gap) error {
	_, err := k.store.exec(ctx, setGapEnd, clean(g.RoomID), ms(k.batch.Now))
	return err
}

// lostOpen adds the turn of a gap that is not closed yet. One that has grown since it was read is
// tried again, and lost as a whole.
func (k *keeper) lostOpen(ctx context.Context, g Gap) error {
	until, found, err := one(ctx, k.store, scalar[int64], getGapEnd, g.RoomID, g.Place)
	if err != nil || !found {
		return err
	}
	if until == 0 { // opened before this was noted
		until = ms(k.batch.Now)
	}
	return k.lost(ctx, g.RoomID, g.KnownAt, at(until))
}

// lost adds the turn in which people hear what is missing, once for each part that is.
func (k *keeper) lost(ctx context.Context, room string, from, until time.Time) error {
	room = clean(room)
	queue, _, err := k.store.queueOfRoom(ctx, room)
	if err != nil {
		return err
	}
	err = k.store.appendTurn(ctx, Turn{
		EventID: fmt.Sprintf("act:lost:%s:%d", room, ms(until)), RoomID: room, Queue: queue, Type: LostTurn,
		OriginAt: from, ReceivedAt: until,
	})
	if err != nil {
		return fmt.Errorf("add the turn of what is lost in room %s: %w", room, err)
	}
	return nil
}
