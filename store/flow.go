package store

import (
	"context"
	"fmt"
	"time"
)

const (
	// sentSince counts messages; reactions, removals and moves cannot be kept out by the gate.
	sentSince = `
		SELECT COUNT(*) FROM inbox WHERE sender = $1 AND origin_at > $3 AND room_id = $2 AND step = 0
			AND type NOT IN ('m.reaction', 'm.room.redaction', 'm.room.member')
	`
	hasQueuedTo = `SELECT EXISTS (SELECT 1 FROM outbox WHERE destination = $1 AND state = 'queued')`
)

// SentSince counts the messages that someone has sent in a room since a time, as far as they
// have come in.
func (s *Store) SentSince(ctx context.Context, sender, room string, since time.Time) (int, error) {
	n, _, err := one(ctx, s, scalar[int], sentSince, sender, room, ms(since))
	if err != nil {
		return 0, fmt.Errorf("count what was sent in room %s: %w", room, err)
	}
	return n, nil
}

// HasQueuedTo says whether anything waits for a destination, or is on its way to it.
func (s *Store) HasQueuedTo(ctx context.Context, destination string) (bool, error) {
	has, _, err := one(ctx, s, scalar[bool], hasQueuedTo, destination)
	if err != nil {
		return false, fmt.Errorf("look for what waits for %s: %w", destination, err)
	}
	return has, nil
}
