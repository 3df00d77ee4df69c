package bridge

import (
	"context"
	"html"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// maxButtons is how many options get a seeded reaction to tap (TEXTS.md).
const maxButtons = 5

// message makes a text message; kind is event.MsgText for what must ring, and
// event.MsgNotice for chatter. Texts of ours are plain, so HTML is only line breaks.
func message(kind event.MessageType, text string) map[string]any {
	return map[string]any{
		"msgtype": string(kind), "body": text,
		"format": string(event.FormatHTML), "formatted_body": asHTML(text),
		"m.mentions": map[string]any{},
	}
}

func asHTML(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>")
}

// answering makes content a reply to an event in the same room.
func answering(content map[string]any, to string) map[string]any {
	if to != "" {
		content["m.relates_to"] = map[string]any{"m.in_reply_to": map[string]any{"event_id": to}}
	}
	return content
}

func (b *Bridge) deliverSay(ctx context.Context, t task) (done delivery, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return done, err
	}
	if q := t.body.Question; q != "" && q != person.Question {
		return done, nil // answered before it was said
	}
	if t.body.Text == care.ClosedNow && b.practice(person.Answers.Practice).Hours.Open(b.now()) {
		return done, nil // they have opened since: what was written is read now
	}
	if isTooLate(t, person) {
		return b.notSaid(t), nil
	}
	room, err := b.roomOf(ctx, store.RoomConsulting, person.ID)
	if err != nil {
		return done, err
	}
	args, err := b.personArgs(ctx, person, t)
	if err != nil {
		return done, err
	}
	if t.body.Text == "record.status" {
		if err := b.addRecord(ctx, person, &args); err != nil {
			return done, err
		}
	}
	text := b.Texts.Text(person.Language, t.body.Text, args)
	done.event, err = b.send(ctx, t, room, event.EventMessage, answering(message(event.MsgNotice, text), t.body.Reply))
	return done, err
}

// deliverFarewell tells something to a room whose person has been forgotten.
func (b *Bridge) deliverFarewell(ctx context.Context, t task) (done delivery, err error) {
	args := b.practiceArgs(b.practice(t.body.Practice))
	text := b.Texts.Text(t.body.Language, t.body.Text, args)
	done.event, err = b.send(ctx, t, t.body.Room, event.EventMessage, message(event.MsgText, text))
	return done, err
}

// deliverGreeting speaks in the patient's own chat, which may not be encrypted: nothing
// about anybody is said there.
func (b *Bridge) deliverGreeting(ctx context.Context, t task) (done delivery, err error) {
	text := b.Texts.Text(b.Language, t.body.Text, b.practiceArgs(b.practice("")))
	done.event, err = b.send(ctx, t, t.body.Room, event.EventMessage, message(event.MsgText, text))
	return done, err
}

// deliverQuestion asks, and remembers which event asked, so that a tap on it is known
// for an answer. Buttons follow as effects of their own.
func (b *Bridge) deliverQuestion(ctx context.Context, t task) (done delivery, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return done, err
	}
	if person.Question != t.body.Question {
		return done, nil // answered before it was asked
	}
	if isTooLate(t, person) {
		return b.notSaid(t), nil
	}
	room, err := b.roomOf(ctx, store.RoomConsulting, person.ID)
	if err != nil {
		return done, err
	}
	derden, err := b.derden(ctx, person, nil)
	if err != nil {
		return done, err
	}
	options := b.options(person, derden)
	args, err := b.personArgs(ctx, person, t)
	if err != nil {
		return done, err
	}
	text := b.Texts.Question(person.Language, string(t.body.Question), args, options)
	content := message(event.MsgText, text)
	content["m.mentions"] = map[string]any{"user_ids": []string{person.UserID}}
	done.event, err = b.send(ctx, t, room, event.EventMessage, content)
	done.after = func(ctx context.Context) error { return b.asked(ctx, t, person, done.event, len(options), derden) }
	return done, err
}

func (b *Bridge) asked(ctx context.Context, t task, person care.Person, asked id.EventID, options int, derden []care.Derde) error {
	prompt := store.Prompt{EventID: string(asked), Person: person.ID, Question: t.body.Question, AskedAt: b.Now()}
	for _, d := range derden {
		prompt.Offered = append(prompt.Offered, d.ID)
	}
	if err := b.Store.AddPrompt(ctx, prompt); err != nil {
		return err
	}
	if options > maxButtons {
		return nil
	}
	for n := 1; n <= options; n++ {
		button := ofPerson(job("button", t.Destination, body{Target: string(asked), Button: n, Question: t.body.Question}), person)
		if err := b.add(ctx, button); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bridge) deliverButton(ctx context.Context, t task) (done delivery, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return done, err
	}
	if person.Question != t.body.Question && t.EventID == "" {
		return done, nil // answered already: no use in a button
	}
	room, err := b.roomOf(ctx, store.RoomConsulting, person.ID)
	if err != nil {
		return done, err
	}
	done.event, err = b.send(ctx, t, room, event.EventReaction, reaction(t.body.Target, texts.Button(t.body.Button)))
	return done, err
}

func reaction(target, key string) map[string]any {
	return map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": target, "key": key}}
}

// deliverRemoval removes what someone wrote. Where the bot may not, in a patient's own
// chat, it stays theirs to remove; the ledger keeps account of it.
func (b *Bridge) deliverRemoval(ctx context.Context, t task) (done delivery, err error) {
	err = b.Matrix.Redact(ctx, t.sourceRoom(), t.sourceEvent(), t.TxnID)
	if err == nil {
		done.after = func(ctx context.Context) error { return b.Store.MarkRedacted(ctx, t.SourceEvent, b.Now()) }
	}
	return done, err
}

// deliverTell tells staff something: in Beheer, the Balie or a conversation room.
func (b *Bridge) deliverTell(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	if over, err := b.hasPassed(ctx, t); err != nil || over {
		return delivery{dropped: "the trouble is over"}, err
	}
	text, err := b.staffText(ctx, t)
	if err != nil {
		return done, err
	}
	done.event, err = b.send(ctx, t, room, event.EventMessage, answering(message(event.MsgText, text), t.body.Reply))
	return done, err
}

// roomOfDestination finds the room that a destination means.
func (b *Bridge) roomOfDestination(ctx context.Context, t task) (string, error) {
	kind, key, _ := strings.Cut(t.Destination, ":")
	return b.roomOf(ctx, store.RoomKind(kind), key)
}
