package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

// An AnswerState is how far an answer from a practice's system came.
type AnswerState string

// The states of an answer.
const (
	AnswerReceived  AnswerState = "received"
	AnswerDelivered AnswerState = "delivered"
	AnswerFailed    AnswerState = "failed"
)

const (
	addAnswer = `
		INSERT INTO answer (id, lane, reference, person, conversation, state, sealed, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	`
	getAnswer = `SELECT id, lane, reference, person, conversation, state, at, withdrawn FROM answer WHERE id = $1`
	answersOf = `
		SELECT id, lane, reference, person, conversation, state, at, withdrawn FROM answer
		WHERE person = $1 AND person <> '' ORDER BY at, id
	`
	readAnswer  = `SELECT sealed FROM answer WHERE id = $1 AND sealed IS NOT NULL`
	moveAnswer  = `UPDATE answer SET state = $2 WHERE id = $1`
	waitAnswer  = `UPDATE answer SET waits = $2 WHERE id = $1`
	shownAnswer = `
		UPDATE answer SET waits = waits - 1, sealed = CASE WHEN waits <= 1 THEN NULL ELSE sealed END WHERE id = $1
	`
	// shownTo are the messages with which answers were shown to a person and to the practice.
	shownTo = effectColumns + `
		WHERE person = $1 AND person <> '' AND kind = 'answer' AND state = 'done' AND event_id <> '' ORDER BY id
	`
	getPrint     = `SELECT print FROM answer WHERE id = $1 AND print IS NOT NULL`
	putPrint     = `UPDATE answer SET print = $2 WHERE id = $1`
	putWithdrawn = `UPDATE answer SET withdrawn = $2 WHERE id = $1`
	dropAnswer   = `UPDATE answer SET state = 'failed', waits = 0, sealed = NULL, print = NULL WHERE id = $1`
)

// An Answer is what somebody in the practice wrote in the practice's system. What it says is
// sealed apart.
type Answer struct {
	ID           string // a UUID; the system's, the same for ever
	Lane         string // the system
	Reference    string // what the system calls it
	Person       string
	Conversation string // "" = none that we know
	State        AnswerState
	At           time.Time // when it came
	Withdrawn    bool      // the practice has heard that its system took it back
}

// AddAnswer keeps an answer; what it says is sealed until it has been shown everywhere (nil: it
// will not be). An answer that is known is a mistake: ask first.
func (s *Store) AddAnswer(ctx context.Context, a Answer, says []byte) error {
	var sealed []byte
	if says != nil {
		var err error
		if sealed, err = s.seal.close("answer.sealed", a.ID, says); err != nil {
			return err
		}
	}
	_, err := s.exec(ctx, addAnswer, a.ID, a.Lane, a.Reference, a.Person, a.Conversation, a.State, sealed, ms(a.At))
	if err != nil {
		return fmt.Errorf("add answer %s: %w", a.ID, err)
	}
	return nil
}

// Answer finds an answer.
func (s *Store) Answer(ctx context.Context, id string) (Answer, bool, error) {
	a, found, err := one(ctx, s, scanAnswer, getAnswer, id)
	if err != nil {
		return Answer{}, false, fmt.Errorf("get answer %s: %w", id, err)
	}
	return a, found, nil
}

// AnswersOf is every answer for a person, oldest first.
func (s *Store) AnswersOf(ctx context.Context, person string) ([]Answer, error) {
	all, err := list(ctx, s, scanAnswer, answersOf, person)
	if err != nil {
		return nil, fmt.Errorf("get the answers for %s: %w", person, err)
	}
	return all, nil
}

// ReadAnswer opens what an answer says; false when it has been shown everywhere.
func (s *Store) ReadAnswer(ctx context.Context, id string) (says []byte, found bool, err error) {
	sealed, found, err := one(ctx, s, scalar[[]byte], readAnswer, id)
	if err == nil && found {
		err = s.seal.open("answer.sealed", id, sealed, &says)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read answer %s: %w", id, err)
	}
	return says, found, nil
}

// PrintOfAnswer is what was noted of the wording of an answer; false when nothing was.
func (s *Store) PrintOfAnswer(ctx context.Context, id string) (print []byte, known bool, err error) {
	sealed, known, err := one(ctx, s, scalar[[]byte], getPrint, id)
	if err == nil && known {
		err = s.seal.open("answer.print", id, sealed, &print)
	}
	if err != nil {
		return nil, false, fmt.Errorf("get the print of answer %s: %w", id, err)
	}
	return print, known, nil
}

// SavePrint notes something by which the wording of an answer can be told from another. It is sealed,
// since short words can be guessed from it.
func (s *Store) SavePrint(ctx context.Context, id string, print []byte) error {
	sealed, err := s.seal.close("answer.print", id, print)
	if err != nil {
		return err
	}
	return s.mark(ctx, "save the print of answer "+id, putPrint, id, sealed)
}

// ShowAnswer says in how many messages an answer is going to be shown.
func (s *Store) ShowAnswer(ctx context.Context, id string, messages int) error {
	return s.mark(ctx, "show answer "+id, waitAnswer, id, messages)
}

// AnswerShown records that one of those messages is there, or will never be. After the last
// what the answer says is forgotten.
func (s *Store) AnswerShown(ctx context.Context, id string) error {
	return s.mark(ctx, "note that answer "+id+" was shown", shownAnswer, id)
}

// ShownAnswers are the effects that have shown answers for a person, at either side, for as long as they are
// remembered.
func (s *Store) ShownAnswers(ctx context.Context, person string) ([]Effect, error) {
	shown, err := list(ctx, s, scanEffect, shownTo, person)
	if err != nil {
		return nil, fmt.Errorf("list what answers %s was shown: %w", person, err)
	}
	return shown, nil
}

// MoveAnswer records how far an answer came.
func (s *Store) MoveAnswer(ctx context.Context, id string, to AnswerState) error {
	return s.mark(ctx, "move answer "+id, moveAnswer, id, to)
}

// SetWithdrawn notes whether the practice has heard that an answer was taken back.
func (s *Store) SetWithdrawn(ctx context.Context, id string, withdrawn bool) error {
	return s.mark(ctx, "note that answer "+id+" was taken back", putWithdrawn, id, withdrawn)
}

// DropAnswer records that an answer will not be shown at all, and forgets what it says.
func (s *Store) DropAnswer(ctx context.Context, id string) error {
	return s.mark(ctx, "drop answer "+id, dropAnswer, id)
}

// Cursor is how far something outside has been read; "" = not at all.
func (s *Store) Cursor(ctx context.Context, name string) (string, error) {
	place, _, err := one(ctx, s, scalar[string], getMeta, "cursor "+name)
	if err != nil {
		return "", fmt.Errorf("get cursor %s: %w", name, err)
	}
	return place, nil
}

// SetCursor records how far something outside has been read.
func (s *Store) SetCursor(ctx context.Context, name, place string) error {
	return s.setMeta(ctx, "cursor "+name, place)
}

func scanAnswer(row dbutil.Scannable) (a Answer, err error) {
	var when int64
	err = row.Scan(&a.ID, &a.Lane, &a.Reference, &a.Person, &a.Conversation, &a.State, &when, &a.Withdrawn)
	a.At = at(when)
	return a, err
}
