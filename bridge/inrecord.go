package bridge

import (
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
