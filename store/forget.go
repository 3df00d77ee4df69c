package store

import (
	"context"
	"fmt"
)

// What DeletePerson works with.
type forgotten struct{ id, user, queue string }

// The arguments that a query of forgetPerson wants, in its order.
func byID(f forgotten) []any           { return []any{f.id} }
func byIDAndUser(f forgotten) []any    { return []any{f.id, f.user} }
func byUserAndQueue(f forgotten) []any { return []any{f.user, f.queue} }

const conversationsOfPerson = `(SELECT id FROM conversation WHERE person = $1)`

// effectsOfPerson are the outbox rows of a person, whatever names them.
const effectsOfPerson = `
	(person = $1 OR destination = 'consulting:' || $1 OR conversation IN ` + conversationsOfPerson + `
	OR destination IN (SELECT 'conversation:' || id FROM conversation WHERE person = $1)
	OR destination IN (SELECT 'his:' || id FROM conversation WHERE person = $1))
`

// turnsOfPerson are the inbox rows of a person, also those in another queue.
const turnsOfPerson = `(sender = $1 OR queue = $2 OR state_key = $1)`

// forgetPerson is what DeletePerson does, in this order: conversations go last, since other
// rows are found by them.
var forgetPerson = []struct {
	query string
	args  func(forgotten) []any
}{
	{`DELETE FROM prompt WHERE person = $1`, byID},
	{`DELETE FROM reminder WHERE person = $1`, byID},
	{`DELETE FROM told_device WHERE sender = $1`, func(f forgotten) []any { return []any{f.user} }},
	{`DELETE FROM parked WHERE sender = $2 OR room_id IN (SELECT room_id FROM room WHERE person = $1)`, byIDAndUser},
	{`DELETE FROM held WHERE conversation IN ` + conversationsOfPerson, byID},
	{`DELETE FROM mirror WHERE conversation IN ` + conversationsOfPerson, byID},
	{`DELETE FROM outbox WHERE ` + effectsOfPerson, byID},
	{`DELETE FROM answer WHERE person = $1 AND person <> ''`, byID},
	{`DELETE FROM consent WHERE person = $1`, byID},
	{`DELETE FROM derde WHERE person = $1`, byID},
	{`DELETE FROM conversation WHERE person = $1`, byID},
	{`DELETE FROM reading WHERE room_id IN (SELECT room_id FROM room WHERE person = $1)`, byID},
	{`DELETE FROM shown WHERE room_id IN (SELECT room_id FROM room WHERE person = $1)`, byID},
	{`UPDATE room SET person = '' WHERE person = $1`, byID},
	{`UPDATE audit SET person = '', reason = NULL WHERE person = $1`, byID},
	{`
		UPDATE audit SET actor = '' WHERE actor IN ($1, $2)
			AND NOT EXISTS (SELECT 1 FROM staff WHERE staff.user_id = audit.actor)
	`, byIDAndUser},
	{`DELETE FROM inbox WHERE event_id LIKE 'act:%' AND ` + turnsOfPerson, byUserAndQueue},
	{`
		UPDATE inbox SET sender = '', queue = '', state_key = '', act = '', error = '', head = false,
			state = CASE WHEN state = 'open' THEN 'done' ELSE state END
		WHERE ` + turnsOfPerson, byUserAndQueue},
	{`DELETE FROM person WHERE id = $1`, byID},
}

const (
	headsOfPerson  = `SELECT DISTINCT destination FROM outbox WHERE head AND ` + effectsOfPerson
	queuesOfPerson = `SELECT DISTINCT queue FROM inbox WHERE head AND ` + turnsOfPerson
)

// DeletePerson forgets a person: the account, the consents, the derden, the conversations and
// everything on its way to or from them. What stays names no one: ledger and media (event ids,
// which still have to be redacted), rooms without their person, audit rows without pseudonym,
// and the event ids of what was handled, so that a homeserver that sends it again starts
// nothing. Waiting turns are closed. Do it after FinishTurn or FinishEffect in the same
// transaction: the effect that leads to it goes as well. An unknown person is no error.
func (s *Store) DeletePerson(ctx context.Context, id string) error {
	return s.write(ctx, func(ctx context.Context) error {
		p, found, err := s.Person(ctx, id)
		if err != nil || !found {
			return err
		}
		if err := s.forget(ctx, forgotten{id, p.UserID, QueueOf(p.UserID)}); err != nil {
			return fmt.Errorf("delete person %s: %w", id, err)
		}
		return nil
	})
}

func (s *Store) forget(ctx context.Context, f forgotten) error {
	destinations, err := list(ctx, s, scalar[string], headsOfPerson, byID(f)...)
	if err != nil {
		return err
	}
	queues, err := list(ctx, s, scalar[string], queuesOfPerson, byUserAndQueue(f)...)
	if err != nil {
		return err
	}
	for _, step := range forgetPerson {
		if _, err := s.exec(ctx, step.query, step.args(f)...); err != nil {
			return err
		}
	}
	for _, destination := range destinations {
		if err := s.promoteEffect(ctx, destination); err != nil {
			return err
		}
	}
	for _, queue := range queues {
		if err := s.promoteTurn(ctx, queue); err != nil {
			return err
		}
	}
	return nil
}
