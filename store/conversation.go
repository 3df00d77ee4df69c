package store

import (
	"context"
	"fmt"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

const (
	conversationColumns = `
		SELECT id, number, person, practice, derde, category, state, opened_at, closed_at, edition, taken_at, hours_said_at
		FROM conversation
	`
	getConversation  = conversationColumns + ` WHERE id = $1`
	conversationByNo = conversationColumns + ` WHERE number = $1 AND number > 0`
	conversationsOf  = conversationColumns + ` WHERE person = $1 ORDER BY opened_at, id`
	conversationsIn  = conversationColumns + ` WHERE state = $1 AND practice = $2 ORDER BY opened_at, id`
	conversationsAny = conversationColumns + ` WHERE state = $1 ORDER BY opened_at, id`
	putConversation  = `
		INSERT INTO conversation (id, number, person, practice, derde, category, state, opened_at, closed_at, edition, taken_at, hours_said_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET
			number = excluded.number, practice = excluded.practice, derde = excluded.derde, category = excluded.category,
			state = excluded.state, opened_at = excluded.opened_at, closed_at = excluded.closed_at,
			edition = excluded.edition, taken_at = excluded.taken_at, hours_said_at = excluded.hours_said_at
	`
	nextNumber    = `UPDATE counter SET n = n + 1 WHERE name = 'conversation' RETURNING n`
	nextFilingSeq = `UPDATE conversation SET filed_seq = filed_seq + 1 WHERE id = $1 RETURNING filed_seq`
)

// SaveConversation stores a conversation. A number of 0 means that it has none yet.
func (s *Store) SaveConversation(ctx context.Context, c care.Conversation) error {
	if _, err := s.exec(ctx, putConversation, c.ID, c.Number, c.Person, c.Practice, c.Derde, c.Category, c.State,
		ms(c.OpenedAt), ms(c.ClosedAt), c.Edition, ms(c.TakenAt), ms(c.HoursSaidAt)); err != nil {
		return fmt.Errorf("save conversation %s: %w", c.ID, err)
	}
	return nil
}

// Conversation finds a conversation.
func (s *Store) Conversation(ctx context.Context, id string) (care.Conversation, bool, error) {
	c, found, err := one(ctx, s, scanConversation, getConversation, id)
	if err != nil {
		return care.Conversation{}, false, fmt.Errorf("get conversation %s: %w", id, err)
	}
	return c, found, nil
}

// ConversationByNumber finds the conversation that staff call by a number.
func (s *Store) ConversationByNumber(ctx context.Context, number int64) (care.Conversation, bool, error) {
	c, found, err := one(ctx, s, scanConversation, conversationByNo, number)
	if err != nil {
		return care.Conversation{}, false, fmt.Errorf("get conversation number %d: %w", number, err)
	}
	return c, found, nil
}

// ConversationsOf is every conversation of a person, oldest first.
func (s *Store) ConversationsOf(ctx context.Context, person string) ([]care.Conversation, error) {
	found, err := list(ctx, s, scanConversation, conversationsOf, person)
	if err != nil {
		return nil, fmt.Errorf("list the conversations of person %s: %w", person, err)
	}
	return found, nil
}

// OpenConversations is every conversation that staff have not closed at a practice ("" = any),
// oldest first.
func (s *Store) OpenConversations(ctx context.Context, practice string) ([]care.Conversation, error) {
	return s.ConversationsIn(ctx, care.Open, practice)
}

// ConversationsIn is every conversation in a state at a practice ("" = any), oldest first.
func (s *Store) ConversationsIn(ctx context.Context, state care.ConversationState, practice string) (
	[]care.Conversation, error,
) {
	query, args := conversationsAny, []any{state}
	if practice != "" {
		query, args = conversationsIn, append(args, practice)
	}
	found, err := list(ctx, s, scanConversation, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list %s conversations: %w", state, err)
	}
	return found, nil
}

// NextConversationNumber is a number that no conversation had before.
func (s *Store) NextConversationNumber(ctx context.Context) (n int64, err error) {
	err = s.write(ctx, func(ctx context.Context) (err error) {
		n, _, err = one(ctx, s, scalar[int64], nextNumber)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take a conversation number: %w", err)
	}
	return n, nil
}

// NextFilingSeq counts what is filed of a conversation, from 1.
func (s *Store) NextFilingSeq(ctx context.Context, conversation string) (n int, err error) {
	var found bool
	err = s.write(ctx, func(ctx context.Context) (err error) {
		n, found, err = one(ctx, s, scalar[int], nextFilingSeq, conversation)
		return err
	})
	if err == nil && !found {
		err = ErrUnknown
	}
	if err != nil {
		return 0, fmt.Errorf("count what is filed of conversation %s: %w", conversation, err)
	}
	return n, nil
}

func scanConversation(row dbutil.Scannable) (c care.Conversation, err error) {
	var opened, closed, taken, said int64
	err = row.Scan(&c.ID, &c.Number, &c.Person, &c.Practice, &c.Derde, &c.Category, &c.State, &opened, &closed,
		&c.Edition, &taken, &said)
	c.OpenedAt, c.ClosedAt, c.TakenAt, c.HoursSaidAt = at(opened), at(closed), at(taken), at(said)
	return c, err
}
