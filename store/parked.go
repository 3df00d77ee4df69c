package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	parkedColumns = `SELECT event_id, turn, room_id, sender, behind, told_at, attempt, next_at FROM parked `
	getParked     = parkedColumns + `WHERE event_id = $1`
	dueParked     = parkedColumns + `WHERE next_at > 0 AND next_at <= $1 ORDER BY next_at, position LIMIT $2`
	parkedBehind  = parkedColumns + `WHERE behind = $1 AND behind <> '' ORDER BY position`
	// nextParked is the first that holds back what its sender wrote after it.
	nextParked = parkedColumns + `
		WHERE room_id = $1 AND sender = $2 AND told_at = 0 AND behind = '' ORDER BY position LIMIT 1
	`
	mustWait = `
		SELECT EXISTS (SELECT 1 FROM parked WHERE room_id = $2 AND sender = $3 AND told_at = 0 AND behind = ''
			AND position < (SELECT position FROM inbox WHERE id = $1))
	`
	putParked = `
		INSERT INTO parked (event_id, turn, room_id, sender, position, behind, told_at, attempt, next_at)
		SELECT event_id, id, room_id, sender, position, $2, $3, $4, $5 FROM inbox WHERE id = $1
		ON CONFLICT (event_id) DO UPDATE SET
			turn = excluded.turn, behind = excluded.behind, told_at = excluded.told_at,
			attempt = excluded.attempt, next_at = excluded.next_at
	`
	deleteParked   = `DELETE FROM parked WHERE event_id = $1`
	deferParked    = `UPDATE parked SET next_at = 0 WHERE event_id = $1`
	wakeParked     = `UPDATE parked SET next_at = 1 WHERE room_id = $1 AND next_at > 0`
	wakeParkedFrom = `UPDATE parked SET next_at = 1 WHERE sender = $1 AND next_at > 0`
	wakeAllParked  = `UPDATE parked SET next_at = 1 WHERE next_at > 0`
	reopenTurn     = `UPDATE inbox SET state = 'open', done_at = 0, next_at = 0, error = '' WHERE id = $1 AND state = 'done' RETURNING queue`
)

// A Parked is a turn that waits for the key of its event, or for one that does.
type Parked struct {
	EventID string
	Turn    int64
	RoomID  string
	Sender  string
	Behind  string    // parked event that a reaction is about; "" = waits for its key, or for its sender's earlier ones
	ToldAt  time.Time // when both sides were told that it is missing; zero: not yet
	Attempt int
	NextAt  time.Time // when to look for its key; zero: the one before it comes first
}

// Park lets a turn wait outside its queue, or changes how it waits. End the turn in the same
// transaction. Whoever was told to wait behind it goes on once it has been told.
func (s *Store) Park(ctx context.Context, p Parked) error {
	err := s.write(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, putParked, p.Turn, p.Behind, ms(p.ToldAt), p.Attempt, ms(p.NextAt)); err != nil {
			return err
		}
		if p.ToldAt.IsZero() {
			return nil
		}
		return s.reopenNext(ctx, p.RoomID, p.Sender)
	})
	if err != nil {
		return fmt.Errorf("park turn %d: %w", p.Turn, err)
	}
	return nil
}

// ParkedEvent finds a parked event.
func (s *Store) ParkedEvent(ctx context.Context, event string) (Parked, bool, error) {
	p, found, err := one(ctx, s, scanParked, getParked, event)
	if err != nil {
		return Parked{}, false, fmt.Errorf("get parked event %s: %w", event, err)
	}
	return p, found, nil
}

// MustWait says whether something that the sender of a turn wrote before it in its room is
// parked, and nobody has been told that it is missing.
func (s *Store) MustWait(ctx context.Context, t Turn) (wait bool, err error) {
	if wait, _, err = one(ctx, s, scalar[bool], mustWait, t.ID, t.RoomID, t.Sender); err != nil {
		return false, fmt.Errorf("look what turn %d has to wait for: %w", t.ID, err)
	}
	return wait, nil
}

// Unpark forgets that an event is parked; what waited for it goes on. One that is not parked is
// no error.
func (s *Store) Unpark(ctx context.Context, event string) error {
	err := s.write(ctx, func(ctx context.Context) error {
		p, found, err := one(ctx, s, scanParked, getParked, event)
		if err != nil || !found {
			return err
		}
		if _, err := s.exec(ctx, deleteParked, event); err != nil {
			return err
		}
		behind, err := list(ctx, s, scanParked, parkedBehind, event)
		if err != nil {
			return err
		}
		for _, b := range behind {
			if err := s.reopen(ctx, b); err != nil {
				return err
			}
		}
		if !p.ToldAt.IsZero() || p.Behind != "" {
			return nil
		}
		return s.reopenNext(ctx, p.RoomID, p.Sender)
	})
	if err != nil {
		return fmt.Errorf("unpark event %s: %w", event, err)
	}
	return nil
}

// ReopenParked gives parked turns whose time has come their old place in their queue back, and
// says how many there were. They stay parked until they are dealt with.
func (s *Store) ReopenParked(ctx context.Context, now time.Time, limit int) (int, error) {
	due, err := list(ctx, s, scanParked, dueParked, ms(now), limit)
	if err == nil && len(due) > 0 {
		err = s.write(ctx, func(ctx context.Context) error {
			for _, p := range due {
				if err := s.reopen(ctx, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return 0, fmt.Errorf("reopen parked turns: %w", err)
	}
	return len(due), nil
}

// WakeParked makes everything that waits for a key due at once: of a room, of a sender, or,
// when both are "", of everyone.
func (s *Store) WakeParked(ctx context.Context, room, sender string) error {
	query, args := wakeAllParked, []any{}
	switch {
	case room != "":
		query, args = wakeParked, []any{room}
	case sender != "":
		query, args = wakeParkedFrom, []any{sender}
	}
	if _, err := s.exec(ctx, query, args...); err != nil {
		return fmt.Errorf("wake what waits for keys: %w", err)
	}
	return nil
}

// reopenNext lets the first of a sender's messages that waited for another one go on.
func (s *Store) reopenNext(ctx context.Context, room, sender string) error {
	p, found, err := one(ctx, s, scanParked, nextParked, room, sender)
	if err != nil || !found {
		return err
	}
	return s.reopen(ctx, p)
}

// reopen puts a turn back in its queue, at its own place. A turn that is open already, or that
// is forgotten by now, stays as it is.
func (s *Store) reopen(ctx context.Context, p Parked) error {
	if _, err := s.exec(ctx, deferParked, p.EventID); err != nil {
		return err
	}
	queue, found, err := one(ctx, s, scalar[string], reopenTurn, p.Turn)
	if err != nil || !found {
		return err
	}
	if _, err := s.exec(ctx, demoteTurns, queue); err != nil {
		return err
	}
	return s.promoteTurn(ctx, queue)
}

func scanParked(row dbutil.Scannable) (p Parked, err error) {
	var told, next int64
	err = row.Scan(&p.EventID, &p.Turn, &p.RoomID, &p.Sender, &p.Behind, &told, &p.Attempt, &next)
	p.ToldAt, p.NextAt = at(told), at(next)
	return p, err
}
