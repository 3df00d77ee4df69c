package store

import (
	"context"
	"fmt"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

// A LedgerState is how far an event is on its way out.
type LedgerState string

// The states of an event in the ledger.
const (
	LedgerKept     LedgerState = "kept"     // has to be redacted when due
	LedgerRedacted LedgerState = "redacted" // has to be proven gone
	LedgerVerified LedgerState = "verified" // was read back, and is gone
	LedgerFailed   LedgerState = "failed"   // could not be redacted or was not gone; tried again
	LedgerGone     LedgerState = "gone"     // is no business of ours any more, without our doing
)

// openLedger is the predicate of the index on due times, word by word.
const openLedger = `state IN ('kept', 'redacted', 'failed')`

const (
	shortenLedger = `UPDATE ledger SET due_at = sent_at + $1, next_at = sent_at + $2 WHERE state = 'kept' AND due_at > sent_at + $1`
	shortenMedia  = `UPDATE media SET due_at = sent_at + $1, next_at = sent_at + $2 WHERE state = 'kept' AND due_at > sent_at + $1`

	ledgerColumns = `
		SELECT event_id, room_id, type, own, about, session, message_index, sent_at, due_at, state, attempt, next_at, redacted_at, verified_at, error
		FROM ledger
	`
	getLedger    = ledgerColumns + ` WHERE event_id = $1`
	ledgerDue    = ledgerColumns + ` WHERE ` + openLedger + ` AND next_at <= $1 ORDER BY next_at LIMIT $2`
	hasOpen      = `SELECT EXISTS (SELECT 1 FROM ledger WHERE room_id = $1 AND ` + openLedger + `)`
	nextInLedger = `SELECT next_at FROM ledger WHERE ` + openLedger + ` ORDER BY next_at LIMIT 1`
	addLedger    = `
		INSERT INTO ledger (event_id, room_id, type, own, about, session, message_index, sent_at, due_at, next_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (event_id) DO NOTHING
	`
	isRemoved    = `SELECT EXISTS (SELECT 1 FROM ledger WHERE event_id = $1 AND state IN ('redacted', 'verified'))`
	markRedacted = `
		UPDATE ledger SET state = 'redacted', redacted_at = $2, next_at = $3, error = '' WHERE event_id = $1 AND ` + openLedger
	markVerified = `
		UPDATE ledger SET state = 'verified', verified_at = $2, next_at = 0, error = '' WHERE event_id = $1 AND ` + openLedger
	markGone = `
		UPDATE ledger SET state = 'gone', verified_at = $2, next_at = 0, error = '' WHERE event_id = $1 AND ` + openLedger
	markLedgerFailed = `
		UPDATE ledger SET state = 'failed', attempt = attempt + 1, next_at = $2, error = $3
		WHERE event_id = $1 AND ` + openLedger
	ledgerDueNow = `
		UPDATE ledger SET due_at = $2, next_at = $2 WHERE room_id = $1 AND state IN ('kept', 'failed') AND due_at > $2
	`
	dueWith = `
		UPDATE ledger SET due_at = $2, next_at = $2
		WHERE about = $1 AND about <> '' AND state IN ('kept', 'failed') AND due_at > $2
	`
	mediaDueNow = `
		UPDATE media SET due_at = $2, next_at = $2 WHERE room_id = $1 AND state IN ('kept', 'failed') AND due_at > $2
	`
	ledgerReport = `
		SELECT state, COUNT(*), COALESCE(SUM(CASE WHEN due_at <= $1 THEN 1 ELSE 0 END), 0), COALESCE(MIN(due_at), 0)
		FROM ledger GROUP BY state
	`
)

// A LedgerRow is an event with content in a room of ours.
type LedgerRow struct {
	EventID, RoomID, Type string
	Own                   bool   // sent by the bot
	About                 string // event that it edits or reacts to: it goes with that one
	Session               string // the message key that opens it; "" = it is not encrypted
	Index                 int64  // its number with that key; -1 = unknown
	SentAt                time.Time
	DueAt                 time.Time // must be gone by then
	State                 LedgerState
	Attempt               int       // how often it failed
	NextAt                time.Time // when to do the next thing: redact it, or see that it is gone
	RedactedAt            time.Time
	VerifiedAt            time.Time
	Error                 string
}

// AddLedger enters an event that has to be gone one day, such as one that a walk through the
// history of a room has found. One that is known stays as it is. One that is about an event
// which has been removed is due at once.
func (s *Store) AddLedger(ctx context.Context, e LedgerRow) error {
	err := s.write(ctx, func(ctx context.Context) error {
		if e.About != "" {
			removed, _, err := one(ctx, s, scalar[bool], isRemoved, e.About)
			if err != nil {
				return err
			}
			if removed && e.SentAt.Before(e.DueAt) {
				e.DueAt = e.SentAt
			}
		}
		_, err := s.exec(ctx, addLedger, e.EventID, e.RoomID, e.Type, e.Own, e.About, e.Session, e.Index, ms(e.SentAt), ms(e.DueAt),
			ms(care.Begin(e.SentAt, e.DueAt)))
		return err
	})
	if err != nil {
		return fmt.Errorf("enter event %s in the ledger: %w", e.EventID, err)
	}
	return nil
}

// ShortenRetention makes everything kept due within period of its sending, where it was due
// later: a shorter period also counts for what came in before it was set. It never lengthens.
func (s *Store) ShortenRetention(ctx context.Context, period time.Duration) error {
	none, due := time.Time{}, time.Time{}.Add(period)
	return s.write(ctx, func(ctx context.Context) error {
		for query, begin := range map[string]time.Time{shortenLedger: care.Begin(none, due), shortenMedia: eraseAt(none, due)} {
			if _, err := s.exec(ctx, query, period.Milliseconds(), begin.Sub(none).Milliseconds()); err != nil {
				return fmt.Errorf("shorten retention: %w", err)
			}
		}
		return nil
	})
}

// LedgerEvent finds an event in the ledger.
func (s *Store) LedgerEvent(ctx context.Context, event string) (LedgerRow, bool, error) {
	e, found, err := one(ctx, s, scanLedger, getLedger, event)
	if err != nil {
		return LedgerRow{}, false, fmt.Errorf("get event %s from the ledger: %w", event, err)
	}
	return e, found, nil
}

// HasOpen says whether something in a room is not proven to be gone.
func (s *Store) HasOpen(ctx context.Context, room string) (bool, error) {
	has, _, err := one(ctx, s, scalar[bool], hasOpen, room)
	if err != nil {
		return false, fmt.Errorf("look what is left in room %s: %w", room, err)
	}
	return has, nil
}

// LedgerDue is what has to be done now, most urgent first: events that are kept or failed have
// to be redacted, redacted ones have to be proven gone.
func (s *Store) LedgerDue(ctx context.Context, now time.Time, limit int) ([]LedgerRow, error) {
	due, err := list(ctx, s, scanLedger, ledgerDue, ms(now), limit)
	if err != nil {
		return nil, fmt.Errorf("list what must be gone: %w", err)
	}
	return due, nil
}

// NextInLedger is when there is something to do next; false when nothing is kept.
func (s *Store) NextInLedger(ctx context.Context) (time.Time, bool, error) {
	next, found, err := one(ctx, s, scalar[int64], nextInLedger)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("find when something must be gone: %w", err)
	}
	return at(next), found, nil
}

// MarkRedacted records that the homeserver took a redaction; it is to be proven at verifyAt. What
// is about the event (edits hold its words too) is due at once, and nobody waits for its key any more. An event that is not in the
// ledger (its echo is not back yet) is no error, here and below.
func (s *Store) MarkRedacted(ctx context.Context, event string, verifyAt time.Time) error {
	return s.write(ctx, func(ctx context.Context) error {
		what := "mark event " + event + " redacted"
		if err := s.mark(ctx, what, markRedacted, event, ms(s.now()), ms(verifyAt)); err != nil {
			return err
		}
		if err := s.mark(ctx, what, dueWith, event, ms(s.now())); err != nil {
			return err
		}
		return s.Unpark(ctx, event)
	})
}

// MarkVerified records that an event was read back after its redaction and is gone.
func (s *Store) MarkVerified(ctx context.Context, event string, now time.Time) error {
	return s.write(ctx, func(ctx context.Context) error {
		if err := s.mark(ctx, "mark event "+event+" verified", markVerified, event, ms(now)); err != nil {
			return err
		}
		return s.Unpark(ctx, event)
	})
}

// MarkGone records that an event was found gone, without our doing.
func (s *Store) MarkGone(ctx context.Context, event string, now time.Time) error {
	return s.mark(ctx, "mark event "+event+" gone", markGone, event, ms(now))
}

// MarkLedgerFailed records that an event could not be redacted, or was still there after; it is
// redacted (again) at next.
func (s *Store) MarkLedgerFailed(ctx context.Context, event string, next time.Time, reason string) error {
	return s.mark(ctx, "mark event "+event+" failed", markLedgerFailed, event, ms(next), short(reason))
}

// mark runs a statement that may find nothing to change.
func (s *Store) mark(ctx context.Context, what, query string, args ...any) error {
	if _, err := s.exec(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// DueNow makes everything in a room due at once: events and media.
func (s *Store) DueNow(ctx context.Context, room string, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, ledgerDueNow, room, ms(now)); err != nil {
			return err
		}
		_, err := s.exec(ctx, mediaDueNow, room, ms(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("make everything in room %s due: %w", room, err)
	}
	return nil
}

func scanLedger(row dbutil.Scannable) (e LedgerRow, err error) {
	var sent, due, next, redacted, verified int64
	err = row.Scan(&e.EventID, &e.RoomID, &e.Type, &e.Own, &e.About, &e.Session, &e.Index, &sent, &due, &e.State, &e.Attempt, &next, &redacted, &verified,
		&e.Error)
	e.SentAt, e.DueAt, e.NextAt, e.RedactedAt, e.VerifiedAt = at(sent), at(due), at(next), at(redacted), at(verified)
	return e, err
}
