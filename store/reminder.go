package store

import (
	"context"
	"fmt"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

const (
	getReminder = `
		SELECT person, question, conversation, since_at, sent, remind_at, waits_at, tell_at, due_at FROM reminder WHERE person = $1
	`
	dueReminders = `SELECT person FROM reminder WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2`
	unremind     = `UPDATE reminder SET sent = sent - 1 WHERE person = $1 AND question = $2 AND sent > 0`
	putReminder  = `
		INSERT INTO reminder (person, question, conversation, since_at, sent, remind_at, waits_at, tell_at, due_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (person) DO UPDATE SET
			question = excluded.question, conversation = excluded.conversation, since_at = excluded.since_at, sent = excluded.sent,
			remind_at = excluded.remind_at, waits_at = excluded.waits_at, tell_at = excluded.tell_at, due_at = excluded.due_at
	`
)

// Unremind takes a reminder back that was decided on and not said, if it is of the question still.
func (s *Store) Unremind(ctx context.Context, person string, question care.Question) error {
	if _, err := s.exec(ctx, unremind, person, question); err != nil {
		return fmt.Errorf("take back a reminder of person %s: %w", person, err)
	}
	return nil
}

// Reminder is what was done, and is planned, about the open question of a person.
func (s *Store) Reminder(ctx context.Context, person string) (care.Reminder, error) {
	r, _, err := one(ctx, s, scanReminder, getReminder, person)
	if err != nil {
		return care.Reminder{}, fmt.Errorf("get the reminder of person %s: %w", person, err)
	}
	return r, nil
}

// DueReminders are the ids of those about whom something is to be done now, longest first.
func (s *Store) DueReminders(ctx context.Context, now time.Time, limit int) ([]string, error) {
	persons, err := list(ctx, s, scalar[string], dueReminders, ms(now), limit)
	if err != nil {
		return nil, fmt.Errorf("list who is to be reminded: %w", err)
	}
	return persons, nil
}

// SaveReminder stores the reminder of a person in the place of the one before.
func (s *Store) SaveReminder(ctx context.Context, r care.Reminder) error {
	if _, err := s.exec(ctx, putReminder, r.Person, r.Question, r.Conversation, ms(r.Since), r.Sent,
		ms(r.RemindAt), ms(r.Waits), ms(r.TellAt), ms(r.DueAt)); err != nil {
		return fmt.Errorf("save the reminder of person %s: %w", r.Person, err)
	}
	return nil
}

func scanReminder(row dbutil.Scannable) (r care.Reminder, err error) {
	var since, remind, waits, tell, due int64
	err = row.Scan(&r.Person, &r.Question, &r.Conversation, &since, &r.Sent, &remind, &waits, &tell, &due)
	r.Since, r.RemindAt, r.Waits, r.TellAt, r.DueAt = at(since), at(remind), at(waits), at(tell), at(due)
	return r, err
}
