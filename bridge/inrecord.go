package bridge

import (
	"cmp"
	"context"
	"slices"

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
		system, name := b.systemOf(c)
		args.Practical = name == crmName // without one, all of it is in the record
		args.OnClosing = system.OnClosing && c.State == care.Open
		if err = b.addCounts(ctx, args, c); err != nil {
			return err
		}
	}
	return nil
}

// addCounts counts what was said in a conversation and is in its record, what is not, and what was called
// off and may be there.
func (b *Bridge) addCounts(ctx context.Context, args *texts.Args, c care.Conversation) error {
	rows, err := b.Store.Filings(ctx, c.ID)
	report := reportOf(rows, c.Edition) == store.EffectFailed && hasReport(rows, c.Edition)
	args.Count, args.Waiting, args.Perhaps = 0, 0, 0
	for _, e := range rows {
		what, err := parseBody(e)
		switch {
		case err != nil || e.Kind != "file" || what.Edition != c.Edition:
		case e.State == store.EffectDone:
			args.Count++
		case e.State == store.EffectFailed && mayBeThere(e), e.Lane == keptLane && e.State == store.EffectQueued && report:
			args.Perhaps++
		case e.State != store.EffectSkipped:
			args.Waiting++
		case isReported(e, rows), mayBeThere(e) && e.Error != byHand:
			args.Perhaps++
		}
	}
	return err
}

// addWaiting counts what is not in the record of a conversation that is.
func (b *Bridge) addWaiting(ctx context.Context, t task, args *texts.Args) error {
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil {
		return err
	}
	rows, err := b.Store.Filings(ctx, c.ID)
	args.Waiting = 0
	for _, e := range rows {
		if e.Kind == "file" && editionOf(e) == c.Edition && (e.State == store.EffectQueued || e.State == store.EffectFailed) {
			args.Waiting++ // also what may be there: staff have to look at it
		}
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
	report := reportOf(filed, c.Conversation.Edition)
	off, err := b.calledOff(ctx, c.Conversation, filed, about)
	if err != nil {
		return err
	}
	if len(rows) == 0 && slices.ContainsFunc(off, func(e store.Effect) bool { return isReported(e, filed) || mayBeThere(e) && e.Error != byHand }) {
		return b.answerCommand(ctx, r, body{Text: "desk.filed_perhaps"})
	}
	return b.answerCommand(ctx, r, filedAs(rows, report))
}

// reportOf is the state of the effect that files the report of a conversation; "": there is none yet.
func reportOf(filed []store.Effect, edition int) (state store.EffectState) {
	for _, e := range filed {
		if e.Kind == "file.end" && editionOf(e) == edition {
			state = e.State
		}
	}
	return state
}

// filedAs says where a message and its edits stand: the worst of it.
func filedAs(rows []store.Effect, report store.EffectState) body {
	if len(rows) == 0 {
		return body{Text: "command.error", Reason: "error.not_filed"}
	}
	told, called := "desk.filed_as", ""
	for _, e := range rows {
		switch {
		case e.State == store.EffectFailed, e.Lane == keptLane && report == store.EffectFailed:
			return body{Text: "desk.filing_refused"}
		case e.State == store.EffectDone:
		case e.Lane == keptLane && report == "":
			told = "desk.filed_on_closing"
		default:
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
	return b.addCounts(ctx, args, c)
}
