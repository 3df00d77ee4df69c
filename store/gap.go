package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	gapColumns = `SELECT room_id, since, place, entered, newest, attempt, known_at FROM gap `
	getGap     = gapColumns + `WHERE room_id = $1`
	nextGap    = gapColumns + `WHERE next_at <= $1 ORDER BY next_at LIMIT 1`
	roomsOfGap = `SELECT room_id FROM gap`
	// openGap makes one gap of two in the same room: from where the first begins to where the second ends.
	openGap = `
		INSERT INTO gap (room_id, since, place, entered, newest, known_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (room_id) DO UPDATE SET place = excluded.place, newest = gap.newest OR excluded.newest
	`
	// closeGap leaves a gap that has grown since it was read.
	closeGap    = `DELETE FROM gap WHERE room_id = $1 AND place = $2`
	postponeGap = `UPDATE gap SET attempt = attempt + 1, next_at = $2 WHERE room_id = $1`
	loseGap     = `UPDATE room SET lost_at = $2 WHERE room_id = $1`
	// latestPlaced is when the last was sent of what came into a room since a time and has its place.
	latestPlaced = `
		SELECT COALESCE(MAX(origin_at), 0) FROM (
			SELECT origin_at FROM inbox WHERE room_id = $1 AND received_at > $2 AND step = 0 AND state = 'open' AND position IS NOT NULL
			UNION ALL
			SELECT origin_at FROM inbox WHERE room_id = $1 AND received_at > $2 AND step = 0 AND state <> 'open'
		) placed
	`
	knownBefore = `SELECT EXISTS (SELECT 1 FROM inbox WHERE event_id = $1 AND step = 0 AND received_at <= $2)`
)

// A Gap is a part of a room's events that /sync left out and that could not be read yet.
type Gap struct {
	RoomID  string
	Since   string    // where in the stream it begins; "" = at the room's beginning, before we had a database
	Place   string    // where it ends
	Entered bool      // the bot had just come into the room: it begins there
	Newest  bool      // these places are of a stream that is no more: it is read from the newest event back
	Attempt int       // how often reading it failed since
	Lost    bool      // nothing will ever give it: it is closed, and Beheer is told
	KnownAt time.Time // until when everything had come in; set by Keep only
}

// NextGap is a gap that can be tried again; false when there is none.
func (s *Store) NextGap(ctx context.Context, now time.Time) (Gap, bool, error) {
	g, found, err := one(ctx, s, scanGap, nextGap, ms(now))
	if err != nil {
		return Gap{}, false, fmt.Errorf("find the next gap: %w", err)
	}
	return g, found, nil
}

// GapIn is the gap that is open in a room; false when there is none.
func (s *Store) GapIn(ctx context.Context, room string) (Gap, bool, error) {
	g, found, err := one(ctx, s, scanGap, getGap, clean(room))
	if err != nil {
		return Gap{}, false, fmt.Errorf("look for a gap in room %s: %w", room, err)
	}
	return g, found, nil
}

// PostponeGap lets a gap that could not be read wait.
func (s *Store) PostponeGap(ctx context.Context, room string, until time.Time) error {
	if _, err := s.exec(ctx, postponeGap, room, ms(until)); err != nil {
		return fmt.Errorf("postpone the gap in room %s: %w", room, err)
	}
	return nil
}

// gaps closes the gap that a batch fills, opens those that it leaves, and notes in which rooms
// something earlier is still missing: what came after it waits for its place.
func (k *keeper) gaps(ctx context.Context, known time.Time) error {
	if k.batch.Fills != nil {
		return k.fill(ctx, *k.batch.Fills)
	}
	for _, g := range k.batch.Gaps {
		if err := k.open(ctx, g, known); err != nil {
			return err
		}
	}
	if k.batch.NextBatch == "" || len(k.batch.Events) == 0 {
		return nil
	}
	rooms, err := list(ctx, k.store, scalar[string], roomsOfGap)
	for _, room := range rooms {
		k.behind[room] = true
	}
	return err
}

// fill closes a gap, and notes when what was sent after it had its place before.
func (k *keeper) fill(ctx context.Context, g Gap) error {
	if g.Lost {
		if err := k.lostOpen(ctx, g); err != nil {
			return err
		}
	}
	if _, err := k.store.exec(ctx, closeGap, g.RoomID, g.Place); err != nil {
		return err
	}
	latest, _, err := one(ctx, k.store, scalar[int64], latestPlaced, g.RoomID, ms(g.KnownAt))
	if err != nil {
		return err
	}
	if k.latest = at(latest); g.Lost {
		return k.lose(ctx, g)
	}
	return nil
}

func (k *keeper) open(ctx context.Context, g Gap, known time.Time) error {
	if g.Lost {
		return errors.Join(k.lose(ctx, g), k.lost(ctx, g.RoomID, known, k.batch.Now))
	}
	_, err := k.store.exec(ctx, openGap, clean(g.RoomID), clean(g.Since), clean(g.Place), g.Entered, g.Newest, ms(known))
	return errors.Join(err, k.ends(ctx, g))
}

// lose notes that a part of a room's events will never be read.
func (k *keeper) lose(ctx context.Context, g Gap) error {
	_, err := k.store.exec(ctx, loseGap, clean(g.RoomID), ms(k.batch.Now))
	return err
}

// KnownBefore says whether an event had come in by a time, for a turn of its own.
func (s *Store) KnownBefore(ctx context.Context, event string, by time.Time) (bool, error) {
	known, _, err := one(ctx, s, scalar[bool], knownBefore, clean(event), ms(by))
	if err != nil {
		return false, fmt.Errorf("look whether event %s is known: %w", event, err)
	}
	return known, nil
}

// places says whether an event gets its place in a queue now.
func (k *keeper) places(e Event) bool {
	return k.batch.Fills != nil || k.batch.NextBatch != "" && !k.behind[e.RoomID]
}

func scanGap(row dbutil.Scannable) (g Gap, err error) {
	var known int64
	err = row.Scan(&g.RoomID, &g.Since, &g.Place, &g.Entered, &g.Newest, &g.Attempt, &known)
	g.KnownAt = at(known)
	return g, err
}
