package store

import (
	"context"
	"fmt"
	"time"
)

// hasten is for what was tried before, and now waits until later than anything waits.
var hasten = []string{
	`UPDATE inbox SET next_at = $1 WHERE head AND next_at > $2 AND attempt > 0`,
	`UPDATE outbox SET due_at = $1 WHERE head AND due_at > $2 AND attempt > 0`,
	`UPDATE ledger SET next_at = $1 WHERE state IN ('kept', 'redacted', 'failed') AND next_at > $2 AND (attempt > 0 OR state = 'redacted')`,
	`UPDATE media SET next_at = $1 WHERE state IN ('kept', 'failed') AND next_at > $2 AND attempt > 0`,
}

// Hasten makes due what waits to be tried again until later than longest from now: the clock was
// set back since. What has not been tried yet keeps its time.
func (s *Store) Hasten(ctx context.Context, now time.Time, longest time.Duration) error {
	err := s.write(ctx, func(ctx context.Context) error {
		for _, query := range hasten {
			if _, err := s.exec(ctx, query, ms(now), ms(now.Add(longest))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("hasten what waits since the clock was set back: %w", err)
	}
	return nil
}
