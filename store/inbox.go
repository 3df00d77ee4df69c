package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	turnColumns = `
		SELECT id, event_id, step, queue, room_id, type, sender, state_key, target, act, origin_at, received_at, attempt, overtaken
		FROM inbox
	`
	headTurns    = turnColumns + ` WHERE head AND next_at <= $1 ORDER BY next_at, position LIMIT $2`
	getTurn      = turnColumns + ` WHERE event_id = $1 AND step = $2`
	turnIsOpen   = `SELECT EXISTS (SELECT 1 FROM inbox WHERE id = $1 AND state = 'open' AND head)`
	incoming     = `SELECT id, position IS NULL AND state = 'open' FROM inbox WHERE event_id = $1 AND step = 0`
	overdueTurns = `
		SELECT id, sender, room_id, origin_at FROM inbox
		WHERE position IS NULL AND state = 'open' AND received_at <= $1 ORDER BY origin_at, id
	`
	insertTurn = `
		INSERT INTO inbox (event_id, step, queue, room_id, type, sender, state_key, target, act, origin_at, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (event_id, step) DO NOTHING
	`
	nextPosition = `UPDATE counter SET n = n + 1 WHERE name = 'position' RETURNING n`
	positionTurn = `UPDATE inbox SET position = $2 WHERE id = $1 RETURNING queue`

	// promoteTurns marks the first open row of a queue as its head; see promoteEffects.
	promoteTurns = `
		UPDATE inbox SET head = true WHERE NOT head AND queue = $1 AND id = (
			SELECT id FROM inbox WHERE queue >= $1 AND state = 'open' AND position IS NOT NULL
			ORDER BY queue, position LIMIT 1)
	`
	demoteTurns = `UPDATE inbox SET head = false WHERE queue = $1 AND state = 'open' AND head`
	endTurn     = `
		UPDATE inbox SET state = $2, done_at = $3, error = $4, head = false WHERE id = $1 AND state = 'open' RETURNING queue
	`
	// postponeTurn counts what passes by itself up to a point only: an hour without a homeserver must not
	// use up the patience with what fails after it.
	postponeTurn = `
		UPDATE inbox SET attempt = attempt + CASE WHEN $3 <> '` + TurnFailed + `' AND attempt >= $4 THEN 0 ELSE 1 END, next_at = $2, error = $3
		WHERE id = $1 AND state = 'open'
	`
	moveTurns     = `UPDATE inbox SET queue = $3 WHERE room_id = $1 AND queue = $2 AND state = 'open'`
	nextTurnQuery = `SELECT next_at FROM inbox WHERE head ORDER BY next_at, position LIMIT 1`
)

// A Turn is something that happened and waits to be dealt with, in the order of its queue.
type Turn struct {
	ID         int64
	EventID    string // "act:…" when it is not from Matrix
	RoomID     string
	Step       int // 0 = as it came, n = forwarded n times
	Queue      string
	Type       string
	Sender     string
	StateKey   string // of a state event
	Target     string // event that it reacts to, removes or edits, if that could be seen
	Act        string // of forwarded turns and timers: what to do, as JSON
	OriginAt   time.Time
	ReceivedAt time.Time
	Attempt    int  // how often it was postponed
	Overtaken  bool // it was missing, and what was sent later in its room had its place before; set by Keep and EnterFound only
}

// HeadTurns is the first open turn of each queue, of those whose time has come: new ones in
// order, then those that were postponed. A queue whose first turn is postponed gives nothing.
func (s *Store) HeadTurns(ctx context.Context, now time.Time, limit int) ([]Turn, error) {
	turns, err := list(ctx, s, scanTurn, headTurns, ms(now), limit)
	if err != nil {
		return nil, fmt.Errorf("list the turns that can be taken: %w", err)
	}
	return turns, nil
}

// NextTurn is when the first turn that was postponed can be taken; false when none waits.
func (s *Store) NextTurn(ctx context.Context) (time.Time, bool, error) {
	next, found, err := one(ctx, s, scalar[int64], nextTurnQuery)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("find when the next turn is: %w", err)
	}
	return at(next), found, nil
}

// Turn finds a turn in whatever state.
func (s *Store) Turn(ctx context.Context, event string, step int) (Turn, bool, error) {
	t, found, err := one(ctx, s, scanTurn, getTurn, event, step)
	if err != nil {
		return Turn{}, false, fmt.Errorf("get turn %s: %w", event, err)
	}
	return t, found, nil
}

// TurnIsOpen says whether a turn has still to be taken, and is the first of its queue: one that
// was parked may have come back before it.
func (s *Store) TurnIsOpen(ctx context.Context, id int64) (open bool, err error) {
	if err = s.db.QueryRow(ctx, turnIsOpen, id).Scan(&open); err != nil {
		return false, fmt.Errorf("look whether turn %d is open: %w", id, err)
	}
	return open, nil
}

// FinishTurn ends a turn; the next of its queue can be taken. Ending it twice is ending it once.
func (s *Store) FinishTurn(ctx context.Context, id int64, now time.Time) error {
	return s.endTurn(ctx, id, "done", now, "")
}

// FailTurn ends a turn that can never be dealt with.
func (s *Store) FailTurn(ctx context.Context, id int64, reason string, now time.Time) error {
	return s.endTurn(ctx, id, "failed", now, short(reason))
}

func (s *Store) endTurn(ctx context.Context, id int64, state string, now time.Time, reason string) error {
	err := s.write(ctx, func(ctx context.Context) error {
		queue, found, err := one(ctx, s, scalar[string], endTurn, id, state, ms(now), reason)
		if err != nil || !found {
			return err
		}
		return s.promoteTurn(ctx, queue)
	})
	if err != nil {
		return fmt.Errorf("end turn %d as %s: %w", id, state, err)
	}
	return nil
}

// Why turns are postponed; other reasons are of things that are waited for.
const (
	TurnFailed = "failed" // it could not be dealt with
	TurnAway   = "away"   // its event could not be fetched
)

// mostPassing is up to how many attempts are counted of what passes by itself: no power of two,
// because the log tells of those (bridge/backoff.go) and would tell of this one again and again.
const mostPassing = 5

// PostponeTurn lets a turn, and with it its queue, wait.
func (s *Store) PostponeTurn(ctx context.Context, id int64, until time.Time, reason string) error {
	if _, err := s.exec(ctx, postponeTurn, id, ms(until), short(reason), mostPassing); err != nil {
		return fmt.Errorf("postpone turn %d: %w", id, err)
	}
	return nil
}

// ForwardTurn adds the same event, with what to do about it, at the end of another queue.
// Forwarding a turn twice is forwarding it once.
func (s *Store) ForwardTurn(ctx context.Context, t Turn, queue, act string, now time.Time) error {
	t.Step, t.Queue, t.Act, t.ReceivedAt = t.Step+1, queue, act, now
	if err := s.appendTurn(ctx, t); err != nil {
		return fmt.Errorf("forward turn %d: %w", t.ID, err)
	}
	return nil
}

// AddAct adds a turn that is not from Matrix at the end of a queue. The same key is added once.
func (s *Store) AddAct(ctx context.Context, queue, act, key string, now time.Time) error {
	t := Turn{EventID: "act:" + key, Queue: queue, Act: act, OriginAt: now, ReceivedAt: now}
	if err := s.appendTurn(ctx, t); err != nil {
		return fmt.Errorf("add an act: %w", err) // the key may name someone
	}
	return nil
}

func (s *Store) appendTurn(ctx context.Context, t Turn) error {
	return s.write(ctx, func(ctx context.Context) error {
		n, err := s.addTurn(ctx, t)
		if err != nil || n == 0 {
			return err
		}
		added, _, err := s.Turn(ctx, t.EventID, t.Step)
		if err != nil {
			return err
		}
		return s.placeTurn(ctx, added.ID)
	})
}

// addTurn adds a turn without a place in its queue; 0 means that it was there.
func (s *Store) addTurn(ctx context.Context, t Turn) (int, error) {
	n, err := s.exec(ctx, insertTurn, t.EventID, t.Step, t.Queue, t.RoomID, t.Type, t.Sender, t.StateKey, t.Target,
		t.Act, ms(t.OriginAt), ms(t.ReceivedAt))
	return int(n), err
}

// placeTurn puts a turn at the end of its queue.
func (s *Store) placeTurn(ctx context.Context, id int64) error {
	position, _, err := one(ctx, s, scalar[int64], nextPosition)
	if err != nil {
		return err
	}
	queue, _, err := one(ctx, s, scalar[string], positionTurn, id, position)
	if err != nil {
		return err
	}
	return s.promoteTurn(ctx, queue)
}

// promoteTurn finds the head of a queue that may have none.
func (s *Store) promoteTurn(ctx context.Context, queue string) error {
	_, err := s.exec(ctx, promoteTurns, queue)
	return err
}

// moveTurns moves what waits in a room to another queue; there it stands by its position.
func (s *Store) moveTurns(ctx context.Context, room, from, to string) error {
	if from == to {
		return nil
	}
	if _, err := s.exec(ctx, moveTurns, room, from, to); err != nil {
		return fmt.Errorf("move the turns of room %s: %w", room, err)
	}
	for _, queue := range []string{from, to} {
		if _, err := s.exec(ctx, demoteTurns, queue); err != nil {
			return fmt.Errorf("move the turns of room %s: %w", room, err)
		}
		if err := s.promoteTurn(ctx, queue); err != nil {
			return fmt.Errorf("move the turns of room %s: %w", room, err)
		}
	}
	return nil
}

// PlaceOverdue gives turns that are known from a transaction alone since a time, or for longer,
// their place, by their own time, and says how many there were. What comes after what was sent later is
// marked as late.
func (s *Store) PlaceOverdue(ctx context.Context, since time.Time) (n int, err error) {
	// Most looks find nothing; they cost a read and no transaction.
	if _, found, err := one(ctx, s, scanOverdue, overdueTurns, ms(since)); err != nil || !found {
		return 0, err
	}
	err = s.write(ctx, func(ctx context.Context) error {
		turns, err := list(ctx, s, scanOverdue, overdueTurns, ms(since))
		if err != nil {
			return err
		}
		late := s.lateness()
		for _, t := range turns {
			if err := late.mark(ctx, t.ID, t.Sender, t.RoomID, t.OriginAt); err != nil {
				return err
			}
			if err := s.placeTurn(ctx, t.ID); err != nil {
				return err
			}
		}
		n = len(turns)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("place overdue turns: %w", err)
	}
	return n, nil
}

// short is a reason as it is stored.
func short(reason string) string {
	const most = 300
	if len(reason) > most {
		reason = reason[:most]
	}
	return clean(reason)
}

func scanOverdue(row dbutil.Scannable) (t Turn, err error) {
	var origin int64
	err = row.Scan(&t.ID, &t.Sender, &t.RoomID, &origin)
	t.OriginAt = at(origin)
	return t, err
}

func scanTurn(row dbutil.Scannable) (t Turn, err error) {
	var origin, received int64
	err = row.Scan(&t.ID, &t.EventID, &t.Step, &t.Queue, &t.RoomID, &t.Type, &t.Sender, &t.StateKey, &t.Target,
		&t.Act, &origin, &received, &t.Attempt, &t.Overtaken)
	t.OriginAt, t.ReceivedAt = at(origin), at(received)
	return t, err
}
