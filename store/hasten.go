package store

import (
	"context"
	"fmt"
	"time"
)

// notYet is what was later than it is now: how long ago it was is counted from now. That is when
// something came in, also what is parked, and when an alarm was told.
var notYet = []string{
	`UPDATE inbox SET received_at = $1 WHERE received_at > $1 AND (state = 'open' OR id IN (SELECT turn FROM parked))`,
	`UPDATE alarm SET told_at = $1 WHERE told_at > $1`,
}

// hasten is for what was tried before, and now waits until later than anything waits; what was
// planned waits as long from now as it would have from when it was planned.
var hasten = []string{
	`UPDATE inbox SET next_at = $1 WHERE head AND next_at > $2 AND attempt > 0`,
	`UPDATE outbox SET due_at = $1 WHERE head AND due_at > $2 AND attempt > 0`,
	`UPDATE outbox SET due_at = $1 + (due_at - created_at), created_at = $1
		WHERE state = 'queued' AND attempt = 0 AND due_at > $2 AND created_at > $1`,
	`UPDATE parked SET next_at = $1 WHERE next_at > $2`,
	`UPDATE gap SET next_at = $1 WHERE next_at > $2`,
	`UPDATE ledger SET next_at = $1 WHERE state IN ('kept', 'redacted', 'failed') AND next_at > $2 AND (attempt > 0 OR state = 'redacted')`,
	`UPDATE media SET next_at = $1 WHERE state IN ('kept', 'failed') AND next_at > $2 AND attempt > 0`,
}

// Hasten makes due what waits to be tried again until later than longest from now: the clock was
// set back since. What was told or came in later than now, was so now. What has not been tried yet keeps its time, or its wait if that began later than
// it is now.
func (s *Store) Hasten(ctx context.Context, now time.Time, longest time.Duration) error {
	err := s.write(ctx, func(ctx context.Context) error {
		for _, query := range hasten {
			if _, err := s.exec(ctx, query, ms(now), ms(now.Add(longest))); err != nil {
				return err
			}
		}
		for _, query := range notYet {
			if _, err := s.exec(ctx, query, ms(now)); err != nil {
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
