package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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

// stillComing is how long what a system does not have may still be on its way into it: we waited for its
// answer no longer, but it may work on.
const stillComing = 5 * time.Minute

// mistakenCommand: !vergissing [REDEN], as a reply to the message.
func (b *Bridge) mistakenCommand(ctx context.Context, r request) error {
	target := repliesTo(r.event)
	if target == "" {
		return b.usage(ctx, r, "mistaken")
	}
	if care.ContainsBSN(strings.Join(r.args, " ")) {
		return b.mistake(ctx, r, "error.reason_bsn")
	}
	c, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		filed, err := b.Store.Filings(ctx, c.Conversation.ID)
		if err != nil {
			return err
		}
		rows, err := b.wordingsOf(ctx, c.Conversation, filed, target)
		switch {
		case err != nil:
			return err
		case hasReport(filed, c.Conversation.Edition):
			return b.add(ctx, b.reply(r.place, body{Text: "command.error", Reason: "error.in_document"}))
		case len(rows) == 0:
			return b.add(ctx, b.reply(r.place, body{Text: "command.error", Reason: "error.not_filed"}))
		}
		return b.takeOut(ctx, r, c, rows)
	})
}

// wordingsOf are those effects of a conversation that file, or filed, a message and the edits of it,
// given an event that stands for it, or for an edit, in either room; without those that were called off.
func (b *Bridge) wordingsOf(ctx context.Context, c care.Conversation, filed []store.Effect, event string) ([]store.Effect, error) {
	rows, err := b.everyWording(ctx, c, filed, event)
	return slices.DeleteFunc(rows, func(e store.Effect) bool { return e.State == store.EffectSkipped }), err
}

// calledOff are those of them that were.
func (b *Bridge) calledOff(ctx context.Context, c care.Conversation, filed []store.Effect, event string) ([]store.Effect, error) {
	rows, err := b.everyWording(ctx, c, filed, event)
	return slices.DeleteFunc(rows, func(e store.Effect) bool { return e.State != store.EffectSkipped }), err
}

func (b *Bridge) everyWording(ctx context.Context, c care.Conversation, filed []store.Effect, event string) (rows []store.Effect, err error) {
	m, known, err := b.Store.MirrorsOf(ctx, event)
	if err != nil {
		return nil, err
	}
	if known && m.Conversation == c.ID {
		event = m.SourceEvent
	}
	names := namesOf(filed, event)
	for _, e := range filed {
		what, bad := parseBody(e)
		if bad == nil && e.Kind == "file" && what.Edition == c.Edition &&
			(names[e.SourceEvent] || what.Target != "" && names[what.Target]) {
			rows = append(rows, e)
		}
	}
	return rows, nil
}

// hasReport says that the report of a closed conversation is in the record, or may be.
func hasReport(filed []store.Effect, edition int) bool {
	return slices.ContainsFunc(filed, func(e store.Effect) bool {
		return e.Kind == "file.end" && editionOf(e) == edition && mayBeThere(e)
	})
}

// namesOf are the events by which the outbox knows a message: its own, and the one that stands
// in its place when it was never opened.
func namesOf(filed []store.Effect, event string) map[string]bool {
	names := map[string]bool{event: true}
	for _, e := range filed {
		what, err := parseBody(e)
		if err != nil || e.Kind != "file" {
			continue
		}
		if e.SourceEvent == event && what.Target != "" { // an edit, of this
			names[what.Target] = true
		}
		if what.Instead != "" && (names[what.Instead] || names[e.SourceEvent]) {
			names[what.Instead], names[e.SourceEvent] = true, true
		}
	}
	return names
}

// takeOut calls off what was not filed yet, and has marked what was, or may have been.
func (b *Bridge) takeOut(ctx context.Context, r request, c care.Case, rows []store.Effect) error {
	audit := store.Audit{At: b.Now(), Actor: r.Sender, Action: "mistaken", Person: c.Person.ID,
		Conversation: c.Conversation.ID, EventID: r.EventID, Detail: fmt.Sprint(rows[0].ID)}
	if err := b.Store.AddAudit(ctx, audit); err != nil {
		return err
	}
	told, there, sure := "desk.taken_out", map[string][]string{}, map[string]bool{}
	for _, e := range rows {
		if err := errors.Join(b.Store.TakeOut(ctx, e.ID), b.unmarkFiled(ctx, e)); err != nil {
			return err
		}
		what, err := parseBody(e)
		if err != nil {
			return err
		}
		if mayBeThere(e) {
			told, there[e.Lane] = "desk.marking", append(there[e.Lane], what.inRecord(e))
			sure[e.Lane] = sure[e.Lane] || e.State == store.EffectDone
		}
	}
	for _, lane := range slices.Sorted(maps.Keys(there)) {
		if err := b.markOne(ctx, r, c, body{Targets: there[lane], Perhaps: !sure[lane]}, lane); err != nil {
			return err
		}
	}
	return b.add(ctx, b.reply(r.place, body{Text: told}))
}

// markOne makes the effect that marks one message, in all its wordings, as entered in error, behind what
// waits for the same file.
func (b *Bridge) markOne(ctx context.Context, r request, c care.Case, what body, lane string) error {
	as, err := b.conversationInHIS(ctx, c.Conversation, c.Person)
	if err != nil {
		return err
	}
	sealed, err := json.Marshal(mistaking{as, withoutCommand(typed(r.event))})
	if err != nil {
		return err
	}
	what.By, what.Edition = r.Sender, c.Conversation.Edition
	return b.addMistake(ctx, c.Conversation, lane, what, sealed)
}

// notArrived is why nothing had to be marked: the system has nothing of it.
const notArrived = "it had not arrived"

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
	if len(t.body.Targets) > 0 {
		done.after = func(ctx context.Context) error { return b.tellMarked(ctx, t, "desk.marked") }
	}
	done, err = b.file(ctx, t, item, done)
	if !t.body.Perhaps || !errors.Is(err, his.FlawNotThere) {
		return done, err
	}
	if b.waited(t.CreatedAt) < stillComing {
		return delivery{}, errNotYet
	}
	done = delivery{dropped: notArrived} // nobody has to look at that
	if len(t.body.Targets) > 0 {
		done.after = func(ctx context.Context) error { return b.tellMarked(ctx, t, "desk.taken_out") }
	}
	return done, nil
}

// tellMarked tells staff what became of a message that they took out of the record.
func (b *Bridge) tellMarked(ctx context.Context, t task, text string) error {
	told := job("tell", conversation(t.Conversation), body{Text: text})
	told.Person, told.Conversation = t.Person, t.Conversation
	return b.add(ctx, told)
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
	if len(t.body.Targets) > 0 {
		name, words, args.Reason = name+" "+t.body.Targets[0], "filing.mistake.one", reason
	}
	for _, event := range t.body.Targets {
		item.Mistaken = append(item.Mistaken, his.MessageID(event))
	}
	item.ID = uuid.NewSHA1(item.Conversation.ID, []byte(name))
	item.Text = b.Texts.Text(recordLanguage, words, args)
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
