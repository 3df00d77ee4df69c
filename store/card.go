package store

import (
	"context"
	"fmt"
	"time"
)

const (
	addCard    = `INSERT INTO card (event_id, effect, at) VALUES ($1, $2, $3) ON CONFLICT (event_id) DO NOTHING`
	cardEffect = effectColumns + ` WHERE id = (SELECT effect FROM card WHERE card.event_id = $1)`
	lastCard   = `SELECT event_id FROM card WHERE effect = $1 ORDER BY at DESC, event_id LIMIT 1`
)

// AddCard remembers that an event shows staff an effect that was refused.
func (s *Store) AddCard(ctx context.Context, event string, effect int64, now time.Time) error {
	return s.mark(ctx, "add card "+event, addCard, event, effect, ms(now))
}

// CardEffect finds the effect that an event shows.
func (s *Store) CardEffect(ctx context.Context, event string) (Effect, bool, error) {
	e, found, err := one(ctx, s, scanEffect, cardEffect, event)
	if err != nil {
		return Effect{}, false, fmt.Errorf("get the effect of card %s: %w", event, err)
	}
	return e, found, nil
}

// LastCard finds the event that showed an effect last.
func (s *Store) LastCard(ctx context.Context, effect int64) (event string, found bool, err error) {
	event, found, err = one(ctx, s, scalar[string], lastCard, effect)
	if err != nil {
		return "", false, fmt.Errorf("get the card of effect %d: %w", effect, err)
	}
	return event, found, nil
}
