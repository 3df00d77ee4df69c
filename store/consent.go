package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

const (
	addConsent = `
		INSERT INTO consent (id, person, purpose, text_id, text_version, text_hash, yes, at, how, event_id, entered_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
	`
	consentsOf = `
		SELECT id, person, purpose, text_id, text_version, text_hash, yes, at, how, event_id, entered_by
		FROM consent WHERE person = $1 ORDER BY at, id
	`
)

// A Consent is one answer of a person to one question about what we may do (requirement A10).
type Consent struct {
	ID          string // "" = made by AddConsent; time-ordered
	Person      string
	Purpose     care.Purpose
	TextID      string // which text they answered
	TextVersion string
	TextHash    string
	Yes         bool
	At          time.Time
	How         string // "chat", "e-mail", "phone"
	EventID     string // the answer, when it was given in chat
	EnteredBy   string // Matrix user id of the member of staff who entered it; "" = the person
}

// AddConsent writes an answer in the consent ledger, in which nothing is ever changed.
func (s *Store) AddConsent(ctx context.Context, c Consent) error {
	if c.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("add a consent of person %s: %w", c.Person, err)
		}
		c.ID = id.String()
	}
	if _, err := s.exec(ctx, addConsent, c.ID, c.Person, c.Purpose, c.TextID, c.TextVersion, c.TextHash,
		c.Yes, ms(c.At), c.How, c.EventID, c.EnteredBy); err != nil {
		return fmt.Errorf("add a consent of person %s: %w", c.Person, err)
	}
	return nil
}

// Consents is everything a person answered, oldest first.
func (s *Store) Consents(ctx context.Context, person string) ([]Consent, error) {
	consents, err := list(ctx, s, scanConsent, consentsOf, person)
	if err != nil {
		return nil, fmt.Errorf("list the consents of person %s: %w", person, err)
	}
	return consents, nil
}

func scanConsent(row dbutil.Scannable) (c Consent, err error) {
	var given int64
	err = row.Scan(&c.ID, &c.Person, &c.Purpose, &c.TextID, &c.TextVersion, &c.TextHash, &c.Yes, &given,
		&c.How, &c.EventID, &c.EnteredBy)
	c.At = at(given)
	return c, err
}
