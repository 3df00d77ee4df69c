package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrFenced says that an effect is no longer ours: the lease ended and another worker took it,
// or it is finished or gone. Whoever gets it leaves the effect alone.
var ErrFenced = errors.New("the effect was claimed by another")

const (
	// claimable are the heads of a lane whose time has come: only the first of a destination is
	// one, and a claimed one becomes due again at the end of its lease.
	claimable = effectColumns + ` WHERE head AND lane = $3 AND due_at <= $1 ORDER BY due_at, id LIMIT $2`
	// nextOf is the head of one destination, when its time has come; see promoteEffects.
	nextOf = effectColumns + `
		WHERE head AND owner = '' AND due_at <= $2 AND destination = $1 AND id = (
			SELECT id FROM outbox WHERE destination >= $1 AND state = 'queued' ORDER BY destination, id LIMIT 1)
	`
	claim   = `UPDATE outbox SET owner = $2, due_at = $3, attempt = attempt + 1 WHERE id = $1`
	release = `UPDATE outbox SET owner = '', due_at = $2 WHERE head AND owner = $1`

	// The rest is fenced by id, owner and attempt.
	fenced       = ` WHERE id = $1 AND owner = $2 AND attempt = $3 AND state = 'queued'`
	finishEffect = `
		UPDATE outbox SET state = 'done', head = false, owner = '', error = '', sealed = NULL, done_at = $5, vain = $6,
			event_id = CASE WHEN $4 = '' THEN event_id ELSE $4 END
	` + fenced
	failEffect = `UPDATE outbox SET state = 'failed', head = false, owner = '', error = $4, done_at = $5, vain = $6` + fenced
	dropEffect = `
		UPDATE outbox SET state = 'skipped', head = false, owner = '', error = $4, sealed = NULL, done_at = $5, vain = $6
	` + fenced
	retryEffect = `UPDATE outbox SET owner = '', error = $4, due_at = $5, vain = $6` + fenced

	confirmEffect = `UPDATE outbox SET event_id = $2 WHERE txn_id = $1 AND event_id = ''`
	nextDue       = `SELECT due_at FROM outbox WHERE head AND lane = $1 ORDER BY due_at, id LIMIT 1`
)

// ClaimEffects takes effects of a lane whose time has come for a worker, for the length of a
// lease: the first of each destination at most, and none of destinations in busy. A crashed worker's
// effects can be claimed again when its lease ends; so a lease must be longer than any
// attempt. An effect that has an EventID was seen to arrive and only has to be finished.
func (s *Store) ClaimEffects(ctx context.Context, owner, lane string, now time.Time, lease time.Duration, limit int,
	busy []string,
) (claimed []Effect, err error) {
	if owner == "" {
		return nil, errors.New("claim effects: a claim needs an owner")
	}
	// Most looks find nothing; they cost a read and no transaction.
	if due, waits, err := s.NextDue(ctx, lane); err != nil || !waits || due.After(now) {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context) error {
		// Each destination has one head, so busy ones hide no more rows than there are of them.
		heads, err := list(ctx, s, scanEffect, claimable, ms(now), limit+len(busy), lane)
		if err != nil {
			return err
		}
		heads = slices.DeleteFunc(heads, func(e Effect) bool { return slices.Contains(busy, e.Destination) })
		claimed = heads[:min(limit, len(heads))]
		for i := range claimed {
			if err := s.claim(ctx, &claimed[i], owner, now.Add(lease)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim effects: %w", err)
	}
	return claimed, nil
}

// ClaimNext takes the effect of one destination whose turn it is, for whoever has just finished
// the one before it; false when there is none, or its time has not come.
func (s *Store) ClaimNext(ctx context.Context, owner, destination string, now time.Time, lease time.Duration) (e Effect, found bool, err error) {
	err = s.write(ctx, func(ctx context.Context) (err error) {
		if e, found, err = one(ctx, s, scanEffect, nextOf, destination, ms(now)); err != nil || !found {
			return err
		}
		return s.claim(ctx, &e, owner, now.Add(lease))
	})
	if err != nil {
		return Effect{}, false, fmt.Errorf("claim what comes next for %s: %w", destination, err)
	}
	return e, found, nil
}

func (s *Store) claim(ctx context.Context, e *Effect, owner string, until time.Time) error {
	e.Owner, e.DueAt, e.Attempt = owner, until, e.Attempt+1
	_, err := s.exec(ctx, claim, e.ID, owner, ms(until))
	return err
}

// ReleaseEffects gives back at once what an owner had claimed: for an owner that starts, and has
// therefore ended before. Otherwise what it was busy with would wait for the end of the lease.
func (s *Store) ReleaseEffects(ctx context.Context, owner string, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context) error {
		_, err := s.exec(ctx, release, owner, ms(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("release what %s had claimed: %w", owner, err)
	}
	return nil
}

// FinishEffect records that a claimed effect has arrived, and as which event ("" = none, or
// known already). The next of its destination can be claimed.
func (s *Store) FinishEffect(ctx context.Context, e Effect, eventID string, now time.Time) error {
	return s.settle(ctx, "finish", finishEffect, e, eventID, now)
}

// RetryEffect gives a claimed effect back, to be claimed again when due; its destination waits.
func (s *Store) RetryEffect(ctx context.Context, e Effect, due time.Time, reason string) error {
	return s.settle(ctx, "retry", retryEffect, e, short(reason), due)
}

// FailEffect gives a claimed effect up. It stays for staff to see; its destination goes on.
func (s *Store) FailEffect(ctx context.Context, e Effect, reason string, now time.Time) error {
	return s.settle(ctx, "fail", failEffect, e, short(reason), now)
}

// DropEffect calls a claimed effect off: it has become pointless.
func (s *Store) DropEffect(ctx context.Context, e Effect, reason string, now time.Time) error {
	return s.settle(ctx, "drop", dropEffect, e, short(reason), now)
}

func (s *Store) settle(ctx context.Context, verb, query string, e Effect, text string, when time.Time) error {
	err := s.write(ctx, func(ctx context.Context) error {
		n, err := s.exec(ctx, query, e.ID, e.Owner, e.Attempt, text, ms(when), e.Vain)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrFenced
		}
		return s.promoteEffect(ctx, e.Destination)
	})
	if err != nil {
		return fmt.Errorf("%s effect %d: %w", verb, e.ID, err)
	}
	return nil
}

// NextDue is when the next effect of a lane can be claimed (a claimed one: when its lease ends);
// false when nothing waits in it.
func (s *Store) NextDue(ctx context.Context, lane string) (time.Time, bool, error) {
	due, found, err := one(ctx, s, scalar[int64], nextDue, lane)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("find when the next effect is due: %w", err)
	}
	return at(due), found, nil
}
