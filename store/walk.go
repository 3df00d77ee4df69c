package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	walkColumns = `SELECT room_id, place, began_at, walked_at, attempt, again FROM walk `
	nextWalk    = walkColumns + `WHERE next_at <= $1 ORDER BY next_at LIMIT 1`
	missingWalk = `
		INSERT INTO walk (room_id, next_at) SELECT room_id, $1 FROM room WHERE left_at = 0 ON CONFLICT (room_id) DO NOTHING
	`
	walkAgain  = `UPDATE walk SET next_at = $1, attempt = 0 WHERE next_at > $1`
	addWalk    = `INSERT INTO walk (room_id, next_at) VALUES ($1, $2) ON CONFLICT (room_id) DO NOTHING`
	dropWalk   = `DELETE FROM walk WHERE room_id = $1`
	putWalk    = `UPDATE walk SET place = $2, began_at = $3, walked_at = $4, next_at = $5, attempt = $6, again = $7 WHERE room_id = $1`
	walkReport = `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN walked_at = 0 OR place <> '' THEN 1 ELSE 0 END), 0), COALESCE(MIN(walked_at), 0)
		FROM walk
	`
	ledgerStates = `SELECT event_id, state FROM ledger WHERE event_id IN `
	taken        = `SELECT event_id FROM inbox WHERE step = 0 AND event_id IN `
	entered      = ` UNION SELECT event_id FROM ledger WHERE event_id IN `
	reopenLedger = `
		UPDATE ledger SET state = 'failed', next_at = $2, verified_at = 0, error = 'came back'
		WHERE event_id = $1 AND state = 'verified'
	`
)

// A Walk is how far the walk through a room's history has come (requirement D3).
type Walk struct {
	RoomID   string
	Place    string    // where it goes on, as the homeserver calls it; "" = at the newest event
	BeganAt  time.Time // zero: it has not begun
	WalkedAt time.Time // when the last complete walk began; zero: there was none
	Attempt  int       // how often the next step failed
	Again    bool      // something was found that may still come by itself: the room is walked again soon
}

// StartWalks lets every room that the bot is in be walked from now on. A walk that was cut off
// goes on where it was.
func (s *Store) StartWalks(ctx context.Context, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context) error {
		for _, query := range []string{missingWalk, walkAgain} {
			if _, err := s.exec(ctx, query, ms(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("start the walks: %w", err)
	}
	return nil
}

// NextWalk is the walk whose time has come; false when none is due.
func (s *Store) NextWalk(ctx context.Context, now time.Time) (Walk, bool, error) {
	w, found, err := one(ctx, s, scanWalk, nextWalk, ms(now))
	if err != nil {
		return Walk{}, false, fmt.Errorf("find the next walk: %w", err)
	}
	return w, found, nil
}

// SaveWalk stores how far a walk has come, and when it goes on. A room that was left meanwhile
// has no walk any more.
func (s *Store) SaveWalk(ctx context.Context, w Walk, next time.Time) error {
	if _, err := s.exec(ctx, putWalk, w.RoomID, w.Place, ms(w.BeganAt), ms(w.WalkedAt), ms(next), w.Attempt, w.Again); err != nil {
		return fmt.Errorf("save the walk through room %s: %w", w.RoomID, err)
	}
	return nil
}

// walkRoom lets a room be walked as long as the bot is in it.
func (s *Store) walkRoom(ctx context.Context, r Room) error {
	if !r.LeftAt.IsZero() {
		_, err := s.exec(ctx, dropWalk, r.ID)
		return err
	}
	_, err := s.exec(ctx, addWalk, r.ID, ms(r.CreatedAt))
	return err
}

// A WalkReport is how the walks stand.
type WalkReport struct {
	Rooms     int
	Unwalked  int       // of those: not walked to the end yet, or being walked again
	WalkedAll time.Time // since when every room has been walked; zero: not all have
}

// WalkReport tells how the walks stand.
func (s *Store) WalkReport(ctx context.Context) (WalkReport, error) {
	r, _, err := one(ctx, s, func(row dbutil.Scannable) (r WalkReport, err error) {
		var oldest int64
		err = row.Scan(&r.Rooms, &r.Unwalked, &oldest)
		r.WalkedAll = at(oldest)
		return r, err
	}, walkReport)
	if err != nil {
		return WalkReport{}, fmt.Errorf("report on the walks: %w", err)
	}
	return r, nil
}

// Unledgered are those of some events with content that the ledger does not know, or believes to
// be gone.
func (s *Store) Unledgered(ctx context.Context, events []Event) ([]Event, error) {
	events = cleaned(events, func(e Event) bool { return e.HasContent })
	if len(events) == 0 {
		return nil, nil
	}
	settled := map[string]bool{}
	places, ids := idsOf(events)
	_, err := list(ctx, s, func(row dbutil.Scannable) (event string, err error) {
		var state LedgerState
		err = row.Scan(&event, &state)
		settled[event] = state != LedgerVerified
		return event, err
	}, ledgerStates+places, ids...)
	if err != nil {
		return nil, fmt.Errorf("look for %d events in the ledger: %w", len(events), err)
	}
	return slices.DeleteFunc(events, func(e Event) bool { return settled[e.ID] }), nil
}

// Untaken are those of some events that want a turn and never came in: neither the inbox nor the
// ledger knows them.
func (s *Store) Untaken(ctx context.Context, events []Event) ([]Event, error) {
	events = cleaned(events, func(e Event) bool { return e.ForInbox })
	if len(events) == 0 {
		return nil, nil
	}
	places, ids := idsOf(events)
	known, err := list(ctx, s, scalar[string], taken+places+entered+places, ids...)
	if err != nil {
		return nil, fmt.Errorf("look whether %d events came in: %w", len(events), err)
	}
	return slices.DeleteFunc(events, func(e Event) bool { return slices.Contains(known, e.ID) }), nil
}

// cleaned are those of some events that are wanted, as they are stored.
func cleaned(events []Event, want func(Event) bool) (some []Event) {
	for _, e := range events {
		if e = e.clean(); want(e) {
			some = append(some, e)
		}
	}
	return some
}

// idsOf is a list of events, as a query wants it.
func idsOf(events []Event) (places string, ids []any) {
	var all []string
	for i, e := range events {
		all = append(all, fmt.Sprintf("$%d", i+1))
		ids = append(ids, e.ID)
	}
	return "(" + strings.Join(all, ", ") + ")", ids
}

// A Find is what a walk found in a room's history.
type Find struct {
	Unledgered []Event // those that were proven gone and are back are redacted again
	Missed     []Event // Untaken, and to be taken now, in this order
	Now        time.Time
	Due        func(sent time.Time) time.Time
}

// EnterFound enters what a walk has found in the ledger, and gives what intake had missed the turn
// that it should have had: marked as overtaken, and placed by its own time as what a transaction
// alone has brought. All or nothing, so that nothing is known and not taken.
func (s *Store) EnterFound(ctx context.Context, f Find) error {
	return s.write(ctx, func(ctx context.Context) error {
		bot, err := s.Bot(ctx)
		if err != nil {
			return err
		}
		k := keeper{store: s, batch: Batch{Now: f.Now, Due: f.Due}, bot: bot.UserID, rooms: map[string]keptRoom{}, missed: true}
		for _, e := range f.Unledgered {
			if err := k.enterLedger(ctx, e, e.Sender == k.bot); err != nil {
				return err
			}
			if _, err := s.exec(ctx, reopenLedger, e.ID, ms(f.Now)); err != nil {
				return fmt.Errorf("enter event %s in the ledger again: %w", e.ID, err)
			}
		}
		for _, e := range f.Missed {
			if err := k.event(ctx, e); err != nil {
				return fmt.Errorf("take event %s after all: %w", e.ID, err)
			}
		}
		return nil
	})
}

func scanWalk(row dbutil.Scannable) (w Walk, err error) {
	var began, walked int64
	err = row.Scan(&w.RoomID, &w.Place, &began, &walked, &w.Attempt, &w.Again)
	w.BeganAt, w.WalkedAt = at(began), at(walked)
	return w, err
}
