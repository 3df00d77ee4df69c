package bridge

import (
	"cmp"
	"context"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// What is in the record is said when the system has confirmed it, and not before (requirement
// E5): to both sides once a closed conversation is filed, and to the patient on asking. Not for
// every message: that would double what is in both rooms.

// tellInRecord says that a closed conversation is filed. Of what is not about care the patient
// hears nothing: that is no record. Nor do they hear again of what was moved.
func (b *Bridge) tellInRecord(ctx context.Context, t task) error {
	told := []store.Effect{job("tell", conversation(t.Conversation), body{Text: "desk.filed"})}
	person, known, err := b.Store.Person(ctx, t.Person)
	if err != nil {
		return err
	}
	if known && person.State == care.Active && t.body.Category != care.Practical && !t.body.Again {
		told = append(told, job("say", consulting(t.Person), body{Text: "record.filed"}))
	}
	for i := range told {
		told[i].Person, told[i].Conversation = t.Person, t.Conversation
	}
	return b.add(ctx, told...)
}

// addRecord fills in what of somebody's conversation is in the record: the one that is going on,
// or the last.
func (b *Bridge) addRecord(ctx context.Context, person care.Person, args *texts.Args) error {
	all, err := b.Store.ConversationsOf(ctx, person.ID)
	if err != nil {
		return err
	}
	args.Number, args.Whom = 0, ""
	for _, c := range all {
		if c.Number == 0 || c.State == care.Dropped {
			continue
		}
		if err := b.addConversation(ctx, args, person, c.ID); err != nil {
			return err
		}
		system, _ := b.systemOf(c)
		args.OnClosing = system.OnClosing && c.State == care.Open
		if args.Count, args.Waiting, err = b.inRecord(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// inRecord counts what was said in a conversation and is in its record, and what is not.
func (b *Bridge) inRecord(ctx context.Context, c care.Conversation) (filed, waiting int, err error) {
	rows, err := b.Store.Filings(ctx, c.ID)
	for _, e := range rows {
		what, err := parseBody(e)
		switch {
		case err != nil || e.Kind != "file" || what.Edition != c.Edition:
		case e.State == store.EffectDone:
			filed++
		case e.State != store.EffectSkipped:
			waiting++
		}
	}
	return filed, waiting, err
}

// addWaiting counts what is not in the record of a conversation that is.
func (b *Bridge) addWaiting(ctx context.Context, t task, args *texts.Args) error {
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err == nil {
		_, args.Waiting, err = b.inRecord(ctx, c)
	}
	return err
}

// filedCommand: !vastgelegd says how much of a conversation is in the record; as a reply, whether that
// message is, and what the system calls it.
func (b *Bridge) filedCommand(ctx context.Context, r request) error {
	about := repliesTo(r.event)
	if about == "" {
		return b.answerCommand(ctx, r, body{Text: "desk.filed_so_far"})
	}
	c, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	filed, err := b.Store.Filings(ctx, c.Conversation.ID)
	if err != nil {
		return err
	}
	rows, err := b.wordingsOf(ctx, c.Conversation, filed, about)
	if err != nil {
		return err
	}
	return b.answerCommand(ctx, r, filedAs(rows))
}

// filedAs says where a message and its edits stand: the worst of it.
func filedAs(rows []store.Effect) body {
	if len(rows) == 0 {
		return body{Text: "command.error", Reason: "error.not_filed"}
	}
	told, called := "desk.filed_as", ""
	for _, e := range rows {
		switch {
		case e.State == store.EffectFailed:
			return body{Text: "desk.filing_refused"}
		case e.Lane == keptLane:
			told = "desk.filed_on_closing"
		case e.State != store.EffectDone:
			told = "desk.not_filed"
		}
		called = cmp.Or(e.Reference, called) // the last that is there
	}
	if told != "desk.filed_as" {
		called = ""
	}
	return body{Text: told, Words: called}
}

// addFiled counts what is in the record of the conversation that it is asked of.
func (b *Bridge) addFiled(ctx context.Context, t task, args *texts.Args) error {
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil {
		return err
	}
	system, _ := b.systemOf(c)
	args.OnClosing = system.OnClosing && c.State == care.Open
	args.Count, args.Waiting, err = b.inRecord(ctx, c)
	return err
}
