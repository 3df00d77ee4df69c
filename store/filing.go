package store

import (
	"context"
	"fmt"
)

const (
	filingsOf = effectColumns + ` WHERE conversation = $1 AND lane <> '' ORDER BY id`
	endLane   = `
		UPDATE outbox SET state = 'done', head = false, sealed = NULL, done_at = $3
		WHERE conversation = $1 AND lane = $2 AND lane <> '' AND state = 'queued'
	`
	skipLane = `
		UPDATE outbox SET state = 'skipped', head = false, sealed = NULL, error = $4, done_at = $3
		WHERE conversation = $1 AND lane = $2 AND lane <> '' AND state = 'queued'
	`
	unseal  = `UPDATE outbox SET sealed = NULL WHERE id = $1 AND state IN ('queued', 'failed')`
	takeOut = `
		UPDATE outbox SET state = 'skipped', head = false, sealed = NULL, owner = '', error = $3, done_at = $2
		WHERE id = $1 AND state <> 'skipped' RETURNING destination
	`
	sentFor = `
		SELECT event_id FROM outbox WHERE person = $1 AND person <> '' AND kind = $2 AND source_event = $3 AND id < $4 AND event_id <> ''
		ORDER BY id DESC LIMIT 1
	`
	putReference = `UPDATE outbox SET reference = $2 WHERE id = $1`
	moveLane     = `UPDATE outbox SET lane = $2 WHERE lane = $1 AND lane <> '' AND state IN ('queued', 'failed')`
	callOff      = `
		UPDATE outbox SET state = 'skipped', head = false, sealed = NULL, owner = '', done_at = $2
		WHERE id = $1 AND state IN ('queued', 'failed') RETURNING destination
	`
)

// Filings is everything of a conversation that goes, or went, to another system than Matrix, in
// its order. What is done is there until ForgetDone.
func (s *Store) Filings(ctx context.Context, conversation string) ([]Effect, error) {
	effects, err := list(ctx, s, scanEffect, filingsOf, conversation)
	if err != nil {
		return nil, fmt.Errorf("list what is filed of conversation %s: %w", conversation, err)
	}
	return effects, nil
}

// FiledAs notes what a system calls what an effect filed in it: never what it says.
func (s *Store) FiledAs(ctx context.Context, id int64, reference string) error {
	return s.mark(ctx, fmt.Sprintf("note as what effect %d was filed", id), putReference, id, reference)
}

// SentFor is the event that the last effect of a kind before another one became, of those that an event of
// somebody's conversation led to.
func (s *Store) SentFor(ctx context.Context, of Effect, kind string) (event string, found bool, err error) {
	event, found, err = one(ctx, s, scalar[string], sentFor, of.Person, kind, of.SourceEvent, of.ID)
	if err != nil {
		return "", false, fmt.Errorf("find the last %s before effect %d: %w", kind, of.ID, err)
	}
	return event, found, nil
}

// AddSealedEffect puts an effect in the outbox with what it needs and nothing else holds, sealed
// until it has arrived.
func (s *Store) AddSealedEffect(ctx context.Context, e Effect, data []byte) error {
	return s.write(ctx, func(ctx context.Context) error {
		id, err := s.addEffect(ctx, e)
		if err != nil {
			return fail(ctx, fmt.Errorf("add effect %s for %s: %w", e.Kind, e.Destination, err))
		}
		return s.SealEffect(ctx, id, data)
	})
}

// ReplaceEffect puts another effect in the place of one, at the end of its own destination. What
// was sealed with the old one is sealed with the new. The old one is called off, also when it is
// being carried out: then its end is fenced. One that has arrived stays as it is.
func (s *Store) ReplaceEffect(ctx context.Context, old int64, e Effect) error {
	err := s.write(ctx, func(ctx context.Context) error {
		data, sealed, err := s.OpenSealed(ctx, old)
		if err != nil {
			return err
		}
		if sealed {
			err = s.AddSealedEffect(ctx, e, data)
		} else {
			err = s.AddEffects(ctx, []Effect{e})
		}
		if err != nil {
			return err
		}
		return s.CallOff(ctx, old)
	})
	if err != nil {
		return fmt.Errorf("replace effect %d: %w", old, err)
	}
	return nil
}

// CallOff ends an effect that has not arrived, also one that is being carried out: then its end is
// fenced. One that has arrived stays as it is.
func (s *Store) CallOff(ctx context.Context, id int64) error {
	return s.write(ctx, func(ctx context.Context) error {
		destination, found, err := one(ctx, s, scalar[string], callOff, id, ms(s.now()))
		if err != nil || !found {
			return err
		}
		return s.rehead(ctx, destination)
	})
}

// takenOut is the error of what was taken out.
const takenOut = "taken out"

// TakeOut ends an effect that files something which does not belong where it goes, or went, whatever
// its state: it counts as not filed from then on. One that is being carried out is fenced.
func (s *Store) TakeOut(ctx context.Context, id int64) error {
	return s.write(ctx, func(ctx context.Context) error {
		destination, found, err := one(ctx, s, scalar[string], takeOut, id, ms(s.now()), takenOut)
		if err != nil || !found {
			return err
		}
		return s.rehead(ctx, destination)
	})
}

// IsTakenOut says that TakeOut ended an effect.
func IsTakenOut(e Effect) bool { return e.State == EffectSkipped && e.Error == takenOut }

// EndLane ends what waits of a conversation in a lane that nobody works in: what it was kept for
// has been done.
func (s *Store) EndLane(ctx context.Context, conversation, lane string) error {
	return s.mark(ctx, "end what is kept of conversation "+conversation, endLane, conversation, lane, ms(s.now()))
}

// SkipLane calls off what waits of a conversation in a lane that nobody works in, and keeps why: what it
// was kept for comes to nothing.
func (s *Store) SkipLane(ctx context.Context, conversation, lane, why string) error {
	return s.mark(ctx, "call off what is kept of conversation "+conversation, skipLane, conversation, lane, ms(s.now()), why)
}

// Unseal forgets what was sealed of an effect that has not arrived: its sender took it back.
func (s *Store) Unseal(ctx context.Context, id int64) error {
	return s.mark(ctx, fmt.Sprintf("unseal effect %d", id), unseal, id)
}

// MoveLane gives what has not arrived in one lane to the workers of another.
func (s *Store) MoveLane(ctx context.Context, from, to string) error {
	return s.mark(ctx, "move lane "+from+" to "+to, moveLane, from, to)
}
