package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	getBot = `SELECT user_id, device_id, token, next_batch, alive_at FROM bot WHERE id = 1`
	putBot = `
		INSERT INTO bot (id, user_id, device_id, token) VALUES (1, $1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET
			next_batch = CASE WHEN bot.user_id = excluded.user_id THEN bot.next_batch ELSE '' END,
			alive_at = CASE WHEN bot.user_id = excluded.user_id THEN bot.alive_at ELSE 0 END,
			user_id = excluded.user_id, device_id = excluded.device_id, token = excluded.token
	`
	beganAnew    = `SELECT anew_at FROM bot WHERE id = 1 AND anew_at > $1`
	setAnew      = `UPDATE bot SET anew_at = $1 WHERE id = 1`
	setNextBatch = `UPDATE bot SET next_batch = $1, alive_at = $2 WHERE id = 1`
)

// A Bot is the bot's own account and how far it has read.
type Bot struct {
	UserID    string
	DeviceID  string
	Token     string    // access token; stored sealed
	NextBatch string    // of /sync; set by Keep only, as is the next
	AliveAt   time.Time // when /sync last answered
}

// Bot is the bot's account; zero before the first SaveBot.
func (s *Store) Bot(ctx context.Context) (Bot, error) {
	b, _, err := one(ctx, s, s.scanBot, getBot)
	if err != nil {
		return Bot{}, fmt.Errorf("get the bot: %w", err)
	}
	return b, nil
}

// SaveBot stores account, device and token. How far it has read stays, unless it is
// another account.
func (s *Store) SaveBot(ctx context.Context, b Bot) error {
	token, err := s.seal.close("bot.token", "1", b.Token)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, putBot, b.UserID, b.DeviceID, token); err != nil {
		return fmt.Errorf("save the bot: %w", err)
	}
	return nil
}

// anew notes that the place in the stream was lost. What was removed may be back at a homeserver
// that came from a backup, so every room is walked again from now on.
func (k *keeper) anew(ctx context.Context) error {
	for _, query := range []string{setAnew, walkAgain} {
		if _, err := k.store.exec(ctx, query, ms(k.batch.Now)); err != nil {
			return err
		}
	}
	return nil
}

// BeganAnew is when, since a time, the place in the stream was lost and /sync began anew; false
// when it was not.
func (s *Store) BeganAnew(ctx context.Context, since time.Time) (time.Time, bool, error) {
	when, found, err := one(ctx, s, scalar[int64], beganAnew, ms(since))
	if err != nil {
		return time.Time{}, false, fmt.Errorf("look when /sync began anew: %w", err)
	}
	return at(when), found, nil
}

func (s *Store) scanBot(row dbutil.Scannable) (b Bot, err error) {
	var token []byte
	var alive int64
	if err = row.Scan(&b.UserID, &b.DeviceID, &token, &b.NextBatch, &alive); err != nil {
		return Bot{}, err
	}
	b.AliveAt = at(alive)
	return b, s.seal.open("bot.token", "1", token, &b.Token)
}
