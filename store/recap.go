package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	addRoomStaff  = `INSERT INTO room_staff (room_id, user_id, since) VALUES ($1, $2, $3) ON CONFLICT (room_id, user_id) DO NOTHING`
	roomStaff     = `SELECT user_id FROM room_staff WHERE room_id = $1`
	dropRoomStaff = `DELETE FROM room_staff WHERE room_id = $1 AND user_id = $2`
	staffSince    = `SELECT since FROM room_staff WHERE room_id = $1 AND user_id = $2`
	recapAt       = `SELECT recap_at FROM conversation WHERE id = $1`
	setRecapAt    = `UPDATE conversation SET recap_at = $2 WHERE id = $1 AND recap_at < $2`
	// saidIn is what was carried into and out of a room, in the order in which it was; of an advice
	// what the patient was told, and not the command.
	saidIn = `
		SELECT CASE WHEN target_room = $2 OR kind = 'advice' THEN target_event ELSE source_event END,
			CASE WHEN target_room = $2 OR kind = 'advice' THEN target_room ELSE source_room END
		FROM mirror WHERE conversation = $1 AND (target_room = $2 OR source_room = $2) AND at < $3 ORDER BY at, target_event
	`
	repeats = `SELECT about FROM ledger WHERE event_id = $1 AND own AND about <> ''`
	goWith  = `
		UPDATE ledger SET about = $2, due_at = CASE WHEN due_at < $3 THEN due_at ELSE $3 END,
			next_at = CASE WHEN next_at < $3 THEN next_at ELSE $3 END
		WHERE event_id = $1 AND state = 'kept'
	`
)

// SetRoomStaff notes who has been asked into a room: since when for who is new, and nothing
// any more about who is no longer in the list.
func (s *Store) SetRoomStaff(ctx context.Context, room string, users []string, now time.Time) error {
	return s.write(ctx, func(ctx context.Context) error {
		for _, user := range users {
			if _, err := s.exec(ctx, addRoomStaff, room, user, ms(now)); err != nil {
				return fmt.Errorf("note who is asked into room %s: %w", room, err)
			}
		}
		return s.LeftStaff(ctx, room, users)
	})
}

// LeftStaff forgets since when someone was in a room who is no longer in the list.
func (s *Store) LeftStaff(ctx context.Context, room string, users []string) error {
	err := s.write(ctx, func(ctx context.Context) error {
		before, err := list(ctx, s, scalar[string], roomStaff, room)
		if err != nil {
			return err
		}
		for _, user := range before {
			if slices.Contains(users, user) {
				continue
			}
			if _, err := s.exec(ctx, dropRoomStaff, room, user); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note who left room %s: %w", room, err)
	}
	return nil
}

// StaffSince is since when someone has been asked into a room; false when nobody noted it.
func (s *Store) StaffSince(ctx context.Context, room, user string) (time.Time, bool, error) {
	since, found, err := one(ctx, s, scalar[int64], staffSince, room, user)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("find since when someone is in room %s: %w", room, err)
	}
	return at(since), found, nil
}

// RecapAt is until when what was said in a conversation has been shown again.
func (s *Store) RecapAt(ctx context.Context, conversation string) (time.Time, error) {
	shown, _, err := one(ctx, s, scalar[int64], recapAt, conversation)
	if err != nil {
		return time.Time{}, fmt.Errorf("find the recap of conversation %s: %w", conversation, err)
	}
	return at(shown), nil
}

// SetRecapAt notes that what was said until a time is shown again.
func (s *Store) SetRecapAt(ctx context.Context, conversation string, until time.Time) error {
	return s.mark(ctx, "note the recap of conversation "+conversation, setRecapAt, conversation, ms(until))
}

// A Said is an event that says something of a conversation, and the room where it does.
type Said struct{ Event, Room string }

// SaidIn is what was said in the room of a conversation before a time, in order, as far as the patient
// said it or has it: events of that room, or of the patient's where staff have only the command.
func (s *Store) SaidIn(ctx context.Context, conversation, room string, before time.Time) ([]Said, error) {
	said, err := list(ctx, s, scanSaid, saidIn, conversation, room, ms(before))
	if err != nil {
		return nil, fmt.Errorf("list what was said in room %s: %w", room, err)
	}
	return said, nil
}

func scanSaid(row dbutil.Scannable) (one Said, err error) {
	err = row.Scan(&one.Event, &one.Room)
	return one, err
}

// Repeats is the event that one of our own repeats, see GoWith. Also an edit or reaction of ours counts as
// repeating what it is about.
func (s *Store) Repeats(ctx context.Context, event string) (of string, does bool, err error) {
	of, does, err = one(ctx, s, scalar[string], repeats, event)
	if err != nil {
		return "", false, fmt.Errorf("find what event %s repeats: %w", event, err)
	}
	return of, does, nil
}

// GoWith enters an event of our own that repeats another one: it is removed together with that
// one, and no later than that one would be.
func (s *Store) GoWith(ctx context.Context, e LedgerRow, source string) error {
	err := s.write(ctx, func(ctx context.Context) error {
		of, found, err := s.LedgerEvent(ctx, source)
		if err != nil || !found {
			return err
		}
		e.About, e.DueAt = source, of.DueAt
		if of.State != LedgerKept {
			e.DueAt = s.now()
		}
		if err := s.AddLedger(ctx, e); err != nil {
			return err
		}
		_, err = s.exec(ctx, goWith, e.EventID, source, ms(e.DueAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("let event %s go with %s: %w", e.EventID, source, err)
	}
	return nil
}
