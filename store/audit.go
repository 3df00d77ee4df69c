package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	addAudit = `
		INSERT INTO audit (at, actor, action, person, conversation, event_id, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)
	`
	auditColumns = `SELECT id, at, actor, action, person, conversation, event_id, detail FROM audit `
	auditOf      = auditColumns + `WHERE person = $1 AND person <> '' ORDER BY at, id`
	auditSince   = auditColumns + `WHERE id > $1 ORDER BY id LIMIT $2`
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
}

// AddAudit adds a line; lines are never changed.
func (s *Store) AddAudit(ctx context.Context, a Audit) error {
	if _, err := s.exec(ctx, addAudit, ms(a.At), a.Actor, a.Action, a.Person, a.Conversation, a.EventID, a.Detail); err != nil {
		return fmt.Errorf("add %q to the audit log: %w", a.Action, err)
	}
	return nil
}

// AuditOf is everything that was done about a person, oldest first.
func (s *Store) AuditOf(ctx context.Context, person string) ([]Audit, error) {
	lines, err := list(ctx, s, scanAudit, auditOf, person)
	if err != nil {
		return nil, fmt.Errorf("read the audit log of person %s: %w", person, err)
	}
	return lines, nil
}

// AuditSince is the lines after the one with an id, in order.
func (s *Store) AuditSince(ctx context.Context, id int64, limit int) ([]Audit, error) {
	lines, err := list(ctx, s, scanAudit, auditSince, id, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return lines, nil
}

func scanAudit(row dbutil.Scannable) (a Audit, err error) {
	var when int64
	err = row.Scan(&a.ID, &when, &a.Actor, &a.Action, &a.Person, &a.Conversation, &a.EventID, &a.Detail)
	a.At = at(when)
	return a, err
}
