package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// One message that does not belong in the record that its conversation is in — about somebody else,
// written in the wrong chat — is marked there as entered in error, and is filed nowhere again. What
// comes of it later, an edit or a removal, is not filed either. anew.go is about whole conversations.

// A mistaking is what is sealed with the effect that says so: the conversation as it was filed.
type mistaking struct {
	his.Conversation
	Reason string `json:",omitempty"` // as typed; one message only
}

// mistakenCommand: !vergissing [REDEN], as a reply to the message.
func (b *Bridge) mistakenCommand(ctx context.Context, r request) error {
	target := repliesTo(r.event)
	if target == "" {
		return b.usage(ctx, r, "mistaken")
	}
	c, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	rows, err := b.wordingsOf(ctx, c.Conversation.ID, target)
	switch {
	case err != nil:
		return err
	case len(rows) == 0:
		return b.mistake(ctx, r, "error.not_filed")
	case slices.ContainsFunc(rows, func(e store.Effect) bool { return e.Lane == keptLane && e.State == store.EffectDone }):
		return b.mistake(ctx, r, "error.in_document")
	}
	return b.finish(ctx, r.place, func(ctx context.Context) error { return b.takeOut(ctx, r, c, rows) })
}

// wordingsOf are the effects that file, or filed, a message of a conversation and the edits of it,
// given the event that stands for it in either room; without those that were taken out.
func (b *Bridge) wordingsOf(ctx context.Context, in, event string) (rows []store.Effect, err error) {
	m, known, err := b.Store.MirrorsOf(ctx, event)
	if err != nil {
		return nil, err
	}
	if known && m.Conversation == in {
		event = m.SourceEvent
	}
	c, _, err := b.Store.Conversation(ctx, in)
	if err != nil {
		return nil, err
	}
	filed, err := b.Store.Filings(ctx, in)
	for _, e := range filed {
		what, bad := parseBody(e)
		if bad == nil && e.Kind == "file" && what.Edition == c.Edition && e.State != store.EffectSkipped &&
			(says(e, event) || what.Target == event) {
			rows = append(rows, e)
		}
	}
	return rows, err
}

// takeOut calls off what was not filed yet, and has marked what was, or may have been.
func (b *Bridge) takeOut(ctx context.Context, r request, c care.Case, rows []store.Effect) error {
	audit := store.Audit{At: b.Now(), Actor: r.Sender, Action: "mistaken", Person: c.Person.ID,
		Conversation: c.Conversation.ID, EventID: r.EventID, Detail: fmt.Sprint(rows[0].ID)}
	if err := b.Store.AddAudit(ctx, audit); err != nil {
		return err
	}
	told, marked := "desk.taken_out", map[string]bool{}
	for _, e := range rows {
		if err := b.Store.TakeOut(ctx, e.ID); err != nil {
			return err
		}
		if e.Lane == keptLane || e.State != store.EffectDone && (e.State != store.EffectQueued || e.Attempt == 0) || marked[e.Lane] {
			continue
		}
		told, marked[e.Lane] = "desk.marking", true
		if err := b.markOne(ctx, r, c, rows[0], e.Lane); err != nil {
			return err
		}
	}
	return b.add(ctx, b.reply(r.place, body{Text: told}))
}

// markOne makes the effect that marks one message as entered in error, behind what waits for the same file.
func (b *Bridge) markOne(ctx context.Context, r request, c care.Case, of store.Effect, lane string) error {
	what, err := parseBody(of)
	if err != nil {
		return err
	}
	as, err := b.conversationInHIS(ctx, c.Conversation, c.Person)
	if err != nil {
		return err
	}
	sealed, err := json.Marshal(mistaking{as, withoutCommand(typed(r.event))})
	if err != nil {
		return err
	}
	taken := body{By: r.Sender, Target: what.inRecord(of), filed: filed{Edition: what.Edition}}
	return b.addMistake(ctx, c.Conversation, lane, taken, sealed)
}

// deliverMistake marks in the record that a conversation, or one message of it, does not belong there.
func (b *Bridge) deliverMistake(ctx context.Context, t task) (done delivery, err error) {
	sealed, known, err := b.Store.OpenSealed(ctx, t.ID)
	if err != nil {
		return done, err
	}
	if !known {
		return delivery{dropped: "what was filed is not known any more"}, nil
	}
	var as mistaking
	if err := json.Unmarshal(sealed, &as); err != nil {
		return done, refused("effect %d has a broken seal", t.ID)
	}
	item := his.Item{Kind: his.KindMistake, Conversation: as.Conversation, Seq: t.body.Seq, Sent: t.CreatedAt, Filed: t.CreatedAt}
	if err := b.saidToBeMistaken(ctx, t, &item, as.Reason); err != nil {
		return done, err
	}
	if t.body.Target != "" {
		done.after = func(ctx context.Context) error {
			told := job("tell", conversation(t.Conversation), body{Text: "desk.marked"})
			told.Person, told.Conversation = t.Person, t.Conversation
			return b.add(ctx, told)
		}
	}
	return b.file(ctx, t, item, done)
}

// saidToBeMistaken fills in what is mistaken, who says so, and why.
func (b *Bridge) saidToBeMistaken(ctx context.Context, t task, item *his.Item, reason string) error {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return err
	}
	args, err := b.personArgs(ctx, person, t)
	if err != nil {
		return err
	}
	name, words := fmt.Sprintf("mistake %d %s", t.body.Edition, t.Lane), "filing.mistake"
	if t.body.Target != "" {
		name, words, args.Reason = name+" "+t.body.Target, "filing.mistake.one", reason
		item.Mistaken = []uuid.UUID{his.MessageID(t.body.Target)}
	}
	item.ID = uuid.NewSHA1(item.Conversation.ID, []byte(name))
	item.Text = b.Texts.Text(b.Language, words, args)
	item.Author, err = b.authorOf(ctx, item.Conversation, letter{Sender: t.body.By, Staff: true})
	return err
}

// isTakenOut says that staff took something out of the record: no wording of it is filed again.
func isTakenOut(filed []store.Effect, event string) bool {
	return event != "" && slices.ContainsFunc(filed, func(e store.Effect) bool {
		what, err := parseBody(e)
		return store.IsTakenOut(e) && err == nil && (says(e, event) || what.Target == event)
	})
}
