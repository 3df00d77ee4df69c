package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	backlogQuery = `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN position IS NULL THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN next_at > $1 THEN 1 ELSE 0 END), 0), COALESCE(MIN(received_at), 0)
		FROM inbox WHERE state = 'open'
	`
	failedTurns = `SELECT COUNT(*) FROM inbox WHERE state = 'failed'`
)

// forgetDone are the rows of which nobody will ask again; ledger and media only once what they
// stand for is proven to be gone.
var forgetDone = []string{
	`DELETE FROM inbox WHERE state <> 'open' AND received_at < $1 AND id NOT IN (SELECT turn FROM parked)`,
	// what was filed is pointed at by the document on closing
	`DELETE FROM outbox WHERE state IN ('done', 'skipped') AND done_at > 0 AND done_at < $1 AND NOT (lane <> '' AND EXISTS (
		SELECT 1 FROM conversation AS c WHERE c.id = outbox.conversation AND (c.state = 'open' OR c.closed_at >= $1)))`,
	`DELETE FROM ledger WHERE verified_at > 0 AND verified_at < $1 AND state IN ('verified', 'gone')`,
	`DELETE FROM media WHERE done_at > 0 AND done_at < $1`,
	`DELETE FROM mirror WHERE at < $1`,
	`DELETE FROM card WHERE at < $1`,
	`UPDATE answer SET print = NULL WHERE at < $1 AND print IS NOT NULL`, // of words that are gone nothing stays
	`DELETE FROM reading WHERE sent_at < $1 AND NOT pending`,
	`DELETE FROM shown WHERE sent_at < $1`,
	`DELETE FROM told_device WHERE at < $1`,
	`DELETE FROM room_staff WHERE since < $1 AND room_id IN (SELECT room_id FROM room WHERE left_at > 0)`,
}

// A Backlog is what waits in the inbox.
type Backlog struct {
	Open      int       // turns not yet dealt with
	Unplaced  int       // of those: known from a transaction only
	Postponed int       // of those: wait for their time
	Failed    int       // turns given up, not forgotten yet
	Oldest    time.Time // when the oldest open one came in
}

// Backlog counts what waits in the inbox.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	b, _, err := one(ctx, s, scanBacklog, backlogQuery, ms(s.now()))
	if err == nil {
		b.Failed, _, err = one(ctx, s, scalar[int], failedTurns)
	}
	if err != nil {
		return Backlog{}, fmt.Errorf("count the backlog: %w", err)
	}
	return b, nil
}

// ForgetDone removes rows of what was dealt with before a time: turns by when they came in,
// effects (of filing: once the conversation is long closed) and proofs of redaction by when they were done, mirrored events, and how far
// they have been read, by their age. The
// time must be so long ago that no homeserver sends those events again (30 days or more).
func (s *Store) ForgetDone(ctx context.Context, before time.Time) (n int64, err error) {
	err = s.write(ctx, func(ctx context.Context) error {
		for _, query := range forgetDone {
			removed, err := s.exec(ctx, query, ms(before))
			if err != nil {
				return err
			}
			n += removed
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("forget what is done: %w", err)
	}
	return n, nil
}

func scanBacklog(row dbutil.Scannable) (b Backlog, err error) {
	var oldest int64
	err = row.Scan(&b.Open, &b.Unplaced, &b.Postponed, &oldest)
	b.Oldest = at(oldest)
	return b, err
}
