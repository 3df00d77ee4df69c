package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	addHeld = `
		INSERT INTO held (event_id, conversation, room_id, sent_at, late, position) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (event_id) DO NOTHING
	`
	lastHeld  = `SELECT COALESCE(MAX(position), 0) FROM held WHERE conversation = $1`
	heldOf    = `SELECT event_id, conversation, room_id, sent_at, late FROM held WHERE conversation = $1 ORDER BY position`
	getHeld   = `SELECT event_id, conversation, room_id, sent_at, late FROM held WHERE event_id = $1`
	dropHeld  = `DELETE FROM held WHERE conversation = $1`
	dropEvent = `DELETE FROM held WHERE event_id = $1`
)

// A HeldEvent is a message that is kept back until it is known whom it concerns.
type HeldEvent struct {
	EventID      string
	Conversation string
	RoomID       string
	SentAt       time.Time
	Late         bool // it came after what was written later, or after it had been reported missing
}

// Hold keeps a message back, behind those held before. Holding it twice is holding it once.
func (s *Store) Hold(ctx context.Context, h HeldEvent) error {
	err := s.write(ctx, func(ctx context.Context) error {
		last, _, err := one(ctx, s, scalar[int64], lastHeld, h.Conversation)
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, addHeld, h.EventID, h.Conversation, h.RoomID, ms(h.SentAt), h.Late, last+1)
		return err
	})
	if err != nil {
		return fmt.Errorf("hold event %s: %w", h.EventID, err)
	}
	return nil
}

// Held is what is held of a conversation, in order.
func (s *Store) Held(ctx context.Context, conversation string) ([]HeldEvent, error) {
	held, err := list(ctx, s, scanHeld, heldOf, conversation)
	if err != nil {
		return nil, fmt.Errorf("list what is held of conversation %s: %w", conversation, err)
	}
	return held, nil
}

// HeldEvent finds a message that is held; false when it is not.
func (s *Store) HeldEvent(ctx context.Context, event string) (HeldEvent, bool, error) {
	h, held, err := one(ctx, s, scanHeld, getHeld, event)
	if err != nil {
		return HeldEvent{}, false, fmt.Errorf("look whether event %s is held: %w", event, err)
	}
	return h, held, nil
}

// DropHeld forgets everything that is held of a conversation.
func (s *Store) DropHeld(ctx context.Context, conversation string) error {
	if _, err := s.exec(ctx, dropHeld, conversation); err != nil {
		return fmt.Errorf("drop what is held of conversation %s: %w", conversation, err)
	}
	return nil
}

// Unhold forgets one held message, such as one that its sender has removed.
func (s *Store) Unhold(ctx context.Context, event string) error {
	if _, err := s.exec(ctx, dropEvent, event); err != nil {
		return fmt.Errorf("unhold event %s: %w", event, err)
	}
	return nil
}

func scanHeld(row dbutil.Scannable) (h HeldEvent, err error) {
	var sent int64
	err = row.Scan(&h.EventID, &h.Conversation, &h.RoomID, &sent, &h.Late)
	h.SentAt = at(sent)
	return h, err
}
