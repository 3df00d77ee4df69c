package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

const (
	addPrompt = `
		INSERT INTO prompt (event_id, person, question, asked_at, offered) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (event_id) DO NOTHING
	`
	promptColumns = `SELECT event_id, person, question, asked_at, offered FROM prompt `
	getPrompt     = promptColumns + `WHERE event_id = $1`
	promptAt      = promptColumns + `WHERE person = $1 AND question = $2 AND asked_at >= $3 AND asked_at <= $4 ORDER BY asked_at DESC, event_id LIMIT 1`
	lastPrompt    = promptColumns + `WHERE person = $1 AND question = $2 ORDER BY asked_at DESC, event_id LIMIT 1`
)

// A Prompt is a message of the bot that asks something; a reaction on it is an answer.
type Prompt struct {
	EventID  string
	Person   string
	Question care.Question
	AskedAt  time.Time
	Offered  []string // ids of the derden among its options, in their order
}

// AddPrompt remembers that a question was put.
func (s *Store) AddPrompt(ctx context.Context, p Prompt) error {
	if _, err := s.exec(ctx, addPrompt, p.EventID, p.Person, p.Question, ms(p.AskedAt), strings.Join(p.Offered, " ")); err != nil {
		return fmt.Errorf("add prompt %s: %w", p.EventID, err)
	}
	return nil
}

// Prompt finds the question that an event puts.
func (s *Store) Prompt(ctx context.Context, event string) (Prompt, bool, error) {
	p, found, err := one(ctx, s, scanPrompt, getPrompt, event)
	if err != nil {
		return Prompt{}, false, fmt.Errorf("get prompt %s: %w", event, err)
	}
	return p, found, nil
}

// LastPrompt is where a question was put to a person last.
func (s *Store) LastPrompt(ctx context.Context, person string, question care.Question) (Prompt, bool, error) {
	p, found, err := one(ctx, s, scanPrompt, lastPrompt, person, question)
	if err != nil {
		return Prompt{}, false, fmt.Errorf("get the last prompt of person %s: %w", person, err)
	}
	return p, found, nil
}

// PromptAt is where a question stood that was put to a person since one time, for who answers it at
// another.
func (s *Store) PromptAt(ctx context.Context, person string, question care.Question, since, answered time.Time) (Prompt, bool, error) {
	p, found, err := one(ctx, s, scanPrompt, promptAt, person, question, ms(since), ms(answered))
	if err != nil {
		return Prompt{}, false, fmt.Errorf("get the prompt that person %s saw: %w", person, err)
	}
	return p, found, nil
}

func scanPrompt(row dbutil.Scannable) (p Prompt, err error) {
	var asked int64
	var offered string
	err = row.Scan(&p.EventID, &p.Person, &p.Question, &asked, &offered)
	p.AskedAt, p.Offered = at(asked), strings.Fields(offered)
	return p, err
}
