package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

// An EffectState is where an effect stands.
type EffectState string

// The states of an effect.
const (
	EffectQueued  EffectState = "queued"  // waits, or is being carried out
	EffectDone    EffectState = "done"    // has arrived
	EffectFailed  EffectState = "failed"  // can never arrive; staff decide
	EffectSkipped EffectState = "skipped" // was called off
)

const (
	effectColumns = `
		SELECT id, destination, kind, person, conversation, source_event, source_room, body, txn_id, state, attempt,
			due_at, owner, event_id, error, created_at, lane, reference, vain
		FROM outbox
	`
	getEffect     = effectColumns + ` WHERE id = $1`
	effectByTxn   = effectColumns + ` WHERE txn_id = $1`
	pendingFor    = effectColumns + ` WHERE source_event = $1 AND state = 'queued' ORDER BY id`
	failedFor     = effectColumns + ` WHERE source_event = $1 AND state = 'failed' ORDER BY id`
	failedEffects = effectColumns + ` WHERE state = 'failed' ORDER BY id LIMIT $1`
	addEffect     = `
		INSERT INTO outbox (destination, kind, person, conversation, source_event, source_room, body, txn_id, due_at, created_at, lane)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id
	`
	hasQueuedFor = `
		SELECT EXISTS (SELECT 1 FROM outbox WHERE source_event = $1 AND state = 'queued'
			AND substr(destination, 1, length($2)) = $2)
	`
	isArriving   = `SELECT EXISTS (SELECT 1 FROM outbox WHERE event_id = $1 AND event_id <> '' AND state = 'queued')`
	countEffects = `SELECT state, COUNT(*) FROM outbox GROUP BY state`

	// promoteEffects marks the first queued row of a destination as its head. It asks for the
	// first row from that destination on, since PostgreSQL looks for the lowest id of one
	// destination among those of all, done ones included.
	promoteEffects = `
		UPDATE outbox SET head = true WHERE NOT head AND destination = $1 AND id = (
			SELECT id FROM outbox WHERE destination >= $1 AND state = 'queued' ORDER BY destination, id LIMIT 1)
	`
	demoteEffects = `UPDATE outbox SET head = false WHERE destination = $1 AND state = 'queued' AND head`
	cancelEffects = `
		UPDATE outbox SET state = 'skipped', head = false, sealed = NULL, done_at = $2
		WHERE destination = $1 AND state = 'queued' AND owner = ''
	`
	skipEffect = `
		UPDATE outbox SET state = 'skipped', head = false, sealed = NULL, done_at = $2, error = $3
		WHERE id = $1 AND (state = 'failed' OR state = 'queued' AND owner = '') RETURNING destination
	`
	requeueEffect = `
		UPDATE outbox SET state = 'queued', due_at = $2, owner = '', error = '', done_at = 0
		WHERE id = $1 AND state = 'failed' RETURNING destination
	`
	sealEffect = `UPDATE outbox SET sealed = $2 WHERE id = $1 AND state IN ('queued', 'failed')`
	getSealed  = `SELECT sealed FROM outbox WHERE id = $1 AND sealed IS NOT NULL`
)

// An Effect is something that has to get out. It names texts, ids and events; it is rendered
// when it is delivered.
type Effect struct {
	ID           int64
	Destination  string // what keeps its order: a room, or a conversation's file in the HIS
	Lane         string // whose workers carry it out; "" = those of Matrix
	Kind         string
	Person       string // whom it is about; goes with that person
	Conversation string
	SourceEvent  string // the event that led to it
	SourceRoom   string
	Body         string // JSON; keys and ids only
	TxnID        string // made by AddEffects; stays the same however often it is tried
	State        EffectState
	Attempt      int       // how often it was claimed
	DueAt        time.Time // not before; of a claimed effect: the end of the lease
	CreatedAt    time.Time
	EventID      string // what it became, once seen. A claimed effect that has one was sent: only finish it
	Error        string // why the last attempt failed
	Owner        string // who claimed it
	Vain         int    // every try up to this one was certainly in vain; kept when a try ends
	Reference    string // what the system calls what was filed, once it was; holds no personal data
}

// AddEffects puts effects in the outbox, each behind what goes to the same destination already.
func (s *Store) AddEffects(ctx context.Context, effects []Effect) error {
	return s.write(ctx, func(ctx context.Context) error {
		for _, e := range effects {
			if _, err := s.addEffect(ctx, e); err != nil {
				return fail(ctx, fmt.Errorf("add effect %s for %s: %w", e.Kind, e.Destination, err))
			}
		}
		return nil
	})
}

func (s *Store) addEffect(ctx context.Context, e Effect) (id int64, err error) {
	if e.Destination == "" {
		return 0, errors.New("no destination")
	}
	if e.CreatedAt.IsZero() {
		e.CreatedAt = s.now()
	}
	id, _, err = one(ctx, s, scalar[int64], addEffect, e.Destination, e.Kind, e.Person, e.Conversation, e.SourceEvent,
		e.SourceRoom, e.Body, "sk"+rand.Text(), ms(e.DueAt), ms(e.CreatedAt), e.Lane)
	if err != nil {
		return 0, err
	}
	return id, s.promoteEffect(ctx, e.Destination)
}

// promoteEffect finds the head of a destination that may have none.
func (s *Store) promoteEffect(ctx context.Context, destination string) error {
	_, err := s.exec(ctx, promoteEffects, destination)
	return err
}

// Effect finds an effect.
func (s *Store) Effect(ctx context.Context, id int64) (Effect, bool, error) {
	e, found, err := one(ctx, s, scanEffect, getEffect, id)
	if err != nil {
		return Effect{}, false, fmt.Errorf("get effect %d: %w", id, err)
	}
	return e, found, nil
}

// EffectByTxn finds the effect that is sent with a transaction id.
func (s *Store) EffectByTxn(ctx context.Context, txn string) (Effect, bool, error) {
	e, found, err := one(ctx, s, scanEffect, effectByTxn, txn)
	if err != nil {
		return Effect{}, false, fmt.Errorf("get the effect of transaction %s: %w", txn, err)
	}
	return e, found, nil
}

// PendingFor is what an event led to and has not arrived yet.
func (s *Store) PendingFor(ctx context.Context, sourceEvent string) ([]Effect, error) {
	effects, err := list(ctx, s, scanEffect, pendingFor, sourceEvent)
	if err != nil {
		return nil, fmt.Errorf("list what event %s led to: %w", sourceEvent, err)
	}
	return effects, nil
}

// UndeliveredFor is what an event led to and has not arrived: it waits, or was refused and waits
// for staff to decide.
func (s *Store) UndeliveredFor(ctx context.Context, sourceEvent string) ([]Effect, error) {
	pending, err := s.PendingFor(ctx, sourceEvent)
	if err != nil {
		return nil, err
	}
	failed, err := list(ctx, s, scanEffect, failedFor, sourceEvent)
	if err != nil {
		return nil, fmt.Errorf("list what of event %s was refused: %w", sourceEvent, err)
	}
	return append(pending, failed...), nil
}

// HasQueuedFor says whether something that an event led to still waits for a destination that
// begins with a prefix.
func (s *Store) HasQueuedFor(ctx context.Context, sourceEvent, destinationPrefix string) (bool, error) {
	has, _, err := one(ctx, s, scalar[bool], hasQueuedFor, sourceEvent, destinationPrefix)
	if err != nil {
		return false, fmt.Errorf("look for what event %s led to: %w", sourceEvent, err)
	}
	return has, nil
}

// IsArriving says that an event is what an effect became, and that the effect has not ended: what
// is remembered when it arrives is not there yet.
func (s *Store) IsArriving(ctx context.Context, event string) (bool, error) {
	arriving, _, err := one(ctx, s, scalar[bool], isArriving, event)
	if err != nil {
		return false, fmt.Errorf("look whether event %s is arriving: %w", event, err)
	}
	return arriving, nil
}

// FailedEffects is what staff have to decide about, oldest first.
func (s *Store) FailedEffects(ctx context.Context, limit int) ([]Effect, error) {
	effects, err := list(ctx, s, scanEffect, failedEffects, limit)
	if err != nil {
		return nil, fmt.Errorf("list failed effects: %w", err)
	}
	return effects, nil
}

// CancelEffects calls off what waits for a destination, except what is being carried out.
func (s *Store) CancelEffects(ctx context.Context, destination string) (n int64, err error) {
	err = s.write(ctx, func(ctx context.Context) error {
		if n, err = s.exec(ctx, cancelEffects, destination, ms(s.now())); err != nil {
			return err
		}
		return s.promoteEffect(ctx, destination)
	})
	if err != nil {
		return 0, fmt.Errorf("cancel what waits for %s: %w", destination, err)
	}
	return n, nil
}

// SkipEffect calls off one effect that failed or waits, and keeps why; ErrUnknown when there is no such one.
func (s *Store) SkipEffect(ctx context.Context, id int64, why string) error {
	return s.moveEffect(ctx, "skip", skipEffect, id, s.now(), short(why))
}

// RequeueEffect tries a failed effect again, at its old place in the order; ErrUnknown when it
// has not failed.
func (s *Store) RequeueEffect(ctx context.Context, id int64, due time.Time) error {
	return s.moveEffect(ctx, "requeue", requeueEffect, id, due)
}

func (s *Store) moveEffect(ctx context.Context, verb, query string, id int64, when time.Time, more ...any) error {
	err := s.write(ctx, func(ctx context.Context) error {
		destination, found, err := one(ctx, s, scalar[string], query, append([]any{id, ms(when)}, more...)...)
		if err != nil {
			return err
		}
		if !found {
			return ErrUnknown
		}
		return s.rehead(ctx, destination)
	})
	if err != nil {
		return fmt.Errorf("%s effect %d: %w", verb, id, err)
	}
	return nil
}

// rehead finds the head of a destination anew. One that is being carried out stays claimed: it
// only has to be finished, and its place at the head is for the claim alone.
func (s *Store) rehead(ctx context.Context, destination string) error {
	if _, err := s.exec(ctx, demoteEffects, destination); err != nil {
		return err
	}
	return s.promoteEffect(ctx, destination)
}

// SealEffect puts what an effect will need and the chat will not keep in its row, sealed, until
// it has arrived. It is the one place where something that people wrote may be stored.
func (s *Store) SealEffect(ctx context.Context, id int64, data []byte) error {
	sealed, err := s.seal.close("outbox.sealed", fmt.Sprint(id), data)
	if err != nil {
		return err
	}
	return s.change(ctx, fmt.Sprintf("seal effect %d", id), sealEffect, id, sealed)
}

// OpenSealed is what SealEffect stored; false when nothing is.
func (s *Store) OpenSealed(ctx context.Context, id int64) (data []byte, found bool, err error) {
	sealed, found, err := one(ctx, s, scalar[[]byte], getSealed, id)
	if err == nil && found {
		err = s.seal.open("outbox.sealed", fmt.Sprint(id), sealed, &data)
	}
	if err != nil {
		return nil, false, fmt.Errorf("open what is sealed with effect %d: %w", id, err)
	}
	return data, found, nil
}

// EffectCounts is how many effects there are in each state.
func (s *Store) EffectCounts(ctx context.Context) (map[EffectState]int, error) {
	counts, err := tally[EffectState](ctx, s, countEffects)
	if err != nil {
		return nil, fmt.Errorf("count effects: %w", err)
	}
	return counts, nil
}

func scanEffect(row dbutil.Scannable) (e Effect, err error) {
	var due, created int64
	err = row.Scan(&e.ID, &e.Destination, &e.Kind, &e.Person, &e.Conversation, &e.SourceEvent, &e.SourceRoom, &e.Body,
		&e.TxnID, &e.State, &e.Attempt, &due, &e.Owner, &e.EventID, &e.Error, &created, &e.Lane, &e.Reference, &e.Vain)
	e.DueAt, e.CreatedAt = at(due), at(created)
	return e, err
}
