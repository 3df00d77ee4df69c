package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	addAudit = `
		INSERT INTO audit (at, actor, action, person, conversation, event_id, detail, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	`
	forgetReason = `UPDATE audit SET reason = NULL WHERE event_id = $1 AND event_id <> '' AND reason IS NOT NULL`
	auditColumns = `SELECT id, at, actor, action, person, conversation, event_id, detail, reason FROM audit `
	auditOf      = auditColumns + `WHERE person = $1 AND person <> '' ORDER BY at, id`
	auditSince   = auditColumns + `WHERE id > $1 ORDER BY id LIMIT $2`
	auditIn      = auditColumns + `
		WHERE action = $1 AND conversation IN (SELECT id FROM conversation WHERE practice = $2) ORDER BY id DESC LIMIT $3
	`
)

// An Audit is one line of the log of who did what about whom.
type Audit struct {
	ID           int64
	At           time.Time
	Actor        string // Matrix user id of a member of staff, id of a person, or "bot"
	Action       string
	Person       string // id; "" = about no one, or about someone who is forgotten
	Conversation string
	EventID      string
	Detail       string // keys only, never what anyone wrote
	Reason       string // why, in the actor's own words; sealed, and it goes with the person
}

// AddAudit adds a line; lines are never changed.
func (s *Store) AddAudit(ctx context.Context, a Audit) error {
	reason, err := s.sealReason(a)
	if err == nil {
		_, err = s.exec(ctx, addAudit, ms(a.At), a.Actor, a.Action, a.Person, a.Conversation, a.EventID, a.Detail, reason)
	}
	if err != nil {
		return fmt.Errorf("add %q to the audit log: %w", a.Action, err)
	}
	return nil
}

// sealReason binds a reason to the event in which it was given: the line has no number yet.
func (s *Store) sealReason(a Audit) ([]byte, error) {
	if a.Reason == "" {
		return nil, nil
	}
	return s.seal.close("audit.reason", a.EventID, a.Reason)
}

// ForgetReason takes the reason out of what was logged of an event: who gave it took it back.
func (s *Store) ForgetReason(ctx context.Context, event string) error {
	return s.mark(ctx, "forget the reason given in event "+event, forgetReason, event)
}

// AuditOf is everything that was done about a person, oldest first.
func (s *Store) AuditOf(ctx context.Context, person string) ([]Audit, error) {
	lines, err := list(ctx, s, s.scanAudit, auditOf, person)
	if err != nil {
		return nil, fmt.Errorf("read the audit log of person %s: %w", person, err)
	}
	return lines, nil
}

// AuditSince is the lines after the one with an id, in order.
func (s *Store) AuditSince(ctx context.Context, id int64, limit int) ([]Audit, error) {
	lines, err := list(ctx, s, s.scanAudit, auditSince, id, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return lines, nil
}

// AuditIn is the newest lines of one kind about conversations of a practice, newest first.
func (s *Store) AuditIn(ctx context.Context, practice, action string, limit int) ([]Audit, error) {
	lines, err := list(ctx, s, s.scanAudit, auditIn, action, practice, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit log of a practice: %w", err)
	}
	return lines, nil
}

func (s *Store) scanAudit(row dbutil.Scannable) (a Audit, err error) {
	var when int64
	var reason []byte
	err = row.Scan(&a.ID, &when, &a.Actor, &a.Action, &a.Person, &a.Conversation, &a.EventID, &a.Detail, &reason)
	a.At = at(when)
	if err != nil || len(reason) == 0 {
		return a, err
	}
	return a, s.seal.open("audit.reason", a.EventID, reason, &a.Reason)
}
