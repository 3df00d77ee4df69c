package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

// ErrUnknown says that the person, conversation or effect to change does not exist.
var ErrUnknown = errors.New("unknown")

const (
	personColumns = `
		SELECT id, user_id, language, state, question, misses, correcting, answers, identity, draft, current,
			created_at, changed_at, master_key, new_key, left_room
		FROM person
	`
	getPerson    = personColumns + ` WHERE id = $1`
	personByUser = personColumns + ` WHERE user_id = $1`
	personsIn    = personColumns + ` WHERE state = $1 AND practice = $2 ORDER BY changed_at, id`
	personsAny   = personColumns + ` WHERE state = $1 ORDER BY changed_at, id`
	putPerson    = `
		INSERT INTO person (id, user_id, language, state, question, misses, correcting, practice,
			answers, identity, draft, current, created_at, changed_at, master_key, new_key, left_room)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (id) DO UPDATE SET
			user_id = excluded.user_id, language = excluded.language, state = excluded.state,
			question = excluded.question, misses = excluded.misses, correcting = excluded.correcting,
			practice = excluded.practice, answers = excluded.answers, identity = excluded.identity,
			draft = excluded.draft, current = excluded.current, changed_at = excluded.changed_at,
			master_key = excluded.master_key, new_key = excluded.new_key, left_room = excluded.left_room
	`
	getGate = `SELECT gate FROM person WHERE id = $1`
	setGate = `UPDATE person SET gate = $2 WHERE id = $1`
)

// Person finds an account.
func (s *Store) Person(ctx context.Context, id string) (care.Person, bool, error) {
	p, found, err := one(ctx, s, s.scanPerson, getPerson, id)
	if err != nil {
		return care.Person{}, false, fmt.Errorf("get person %s: %w", id, err)
	}
	return p, found, nil
}

// PersonByUser finds the account of a Matrix user.
func (s *Store) PersonByUser(ctx context.Context, user string) (care.Person, bool, error) {
	p, found, err := one(ctx, s, s.scanPerson, personByUser, user)
	if err != nil {
		return care.Person{}, false, fmt.Errorf("get the person of a user: %w", err)
	}
	return p, found, nil
}

// PersonsIn is everyone whose account is in a state and who belongs to a practice ("" = any),
// longest first.
func (s *Store) PersonsIn(ctx context.Context, state care.AccountState, practice string) ([]care.Person, error) {
	query, args := personsAny, []any{state}
	if practice != "" {
		query, args = personsIn, append(args, practice)
	}
	persons, err := list(ctx, s, s.scanPerson, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list %s persons: %w", state, err)
	}
	return persons, nil
}

// SavePerson stores an account. What people said about themselves and what staff entered
// about them is sealed.
func (s *Store) SavePerson(ctx context.Context, p care.Person) error {
	if p.CreatedAt.IsZero() {
		p.CreatedAt = s.now()
	}
	answers, identity, draft, err := s.sealPerson(p)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, putPerson, p.ID, p.UserID, p.Language, p.State, p.Question, p.Misses, p.Correcting,
		p.Answers.Practice, answers, identity, draft, p.Current, ms(p.CreatedAt), ms(p.ChangedAt),
		p.Key, p.NewKey, p.Left); err != nil {
		return fmt.Errorf("save person %s: %w", p.ID, err)
	}
	return nil
}

// Gate says whether the consulting room of a person was last opened (or shut) for writing.
func (s *Store) Gate(ctx context.Context, person string) (open bool, err error) {
	open, found, err := one(ctx, s, scalar[bool], getGate, person)
	if err != nil {
		return false, fmt.Errorf("get the gate of person %s: %w", person, err)
	}
	if !found {
		return false, fmt.Errorf("get the gate of person %s: %w", person, ErrUnknown)
	}
	return open, nil
}

// SetGate remembers that the consulting room was opened or shut.
func (s *Store) SetGate(ctx context.Context, person string, open bool) error {
	return s.change(ctx, "set the gate of person "+person, setGate, person, open)
}

// change runs a statement that must find its row.
func (s *Store) change(ctx context.Context, what, query string, args ...any) error {
	n, err := s.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *Store) sealPerson(p care.Person) (answers, identity, draft []byte, err error) {
	if answers, err = s.seal.close("person.answers", p.ID, p.Answers); err != nil {
		return nil, nil, nil, err
	}
	if identity, err = s.seal.close("person.identity", p.ID, p.Identity); err != nil {
		return nil, nil, nil, err
	}
	draft, err = s.seal.close("person.draft", p.ID, p.Draft)
	return answers, identity, draft, err
}

func (s *Store) scanPerson(row dbutil.Scannable) (p care.Person, err error) {
	var answers, identity, draft []byte
	var created, changed int64
	if err = row.Scan(&p.ID, &p.UserID, &p.Language, &p.State, &p.Question, &p.Misses, &p.Correcting,
		&answers, &identity, &draft, &p.Current, &created, &changed,
		&p.Key, &p.NewKey, &p.Left); err != nil {
		return care.Person{}, err
	}
	p.CreatedAt, p.ChangedAt = at(created), at(changed)
	return p, errors.Join(
		s.seal.open("person.answers", p.ID, answers, &p.Answers),
		s.seal.open("person.identity", p.ID, identity, &p.Identity),
		s.seal.open("person.draft", p.ID, draft, &p.Draft),
	)
}
