package bridge

import (
	"context"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A runner carries out a command.
type runner = func(b *Bridge, ctx context.Context, r request) error

// categorise makes the command with which staff correct the category of a conversation.
func categorise(to care.Category) runner {
	return func(b *Bridge, ctx context.Context, r request) error {
		return b.aboutConversation(ctx, r, func(c care.Case, env care.Env) (care.Case, error) {
			return care.Categorise(c, to, r.Sender, env)
		})
	}
}

// advise makes the command with which staff say that a question is not for chat.
func advise(text string) runner {
	return func(b *Bridge, ctx context.Context, r request) error {
		return b.aboutConversation(ctx, r, func(c care.Case, env care.Env) (care.Case, error) {
			return care.Advise(c, text, r.Sender, env)
		})
	}
}

// carryAdvice sends and files a text of ours as an answer of the member of staff who gave the
// command. The command's own event stands for it in the HIS.
func (b *Bridge) carryAdvice(ctx context.Context, p place, c care.Case, e care.Effect) error {
	if err := b.take(ctx, &c.Conversation); err != nil {
		return err
	}
	said := p.OriginAt.UnixMilli() // not when the command had its turn: that may be an outage later
	file, err := b.fileJob(ctx, "file", c.Conversation, func(what *body) { what.Text, what.By, what.At = e.Text, e.By, said })
	if err != nil {
		return err
	}
	for _, one := range []store.Effect{job("advice", consulting(c.Person.ID), body{Text: e.Text, By: e.By, At: said}), file} {
		one = aboutEvent(ofPerson(one, c.Person), p)
		one.Conversation = c.Conversation.ID
		if err := b.add(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// deliverAdvice tells the patient a text of ours in the name of a member of staff.
func (b *Bridge) deliverAdvice(ctx context.Context, t task) (done delivery, err error) {
	if t.EventID != "" { // its echo was seen: it only has to be remembered
		room, err := b.roomOfDestination(ctx, t)
		return b.adviceIsThere(t, room, id.EventID(t.EventID)), err
	}
	l, err := b.legOf(ctx, t, id.UserID(t.body.By))
	if err != nil {
		return done, err
	}
	text, err := b.adviceText(ctx, t)
	if err != nil {
		return done, err
	}
	content, err := b.sayAs(ctx, &event.MessageEventContent{MsgType: event.MsgText, Body: text}, l)
	if err != nil {
		return done, err
	}
	told, err := b.send(ctx, t, l.room, event.EventMessage, content)
	return b.adviceIsThere(t, l.room, told), err
}

func (b *Bridge) adviceIsThere(t task, room string, told id.EventID) delivery {
	return delivery{event: told, after: func(ctx context.Context) error { return b.advised(ctx, t, room, told) }}
}

// adviceText is what the patient reads, in their language.
func (b *Bridge) adviceText(ctx context.Context, t task) (string, error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return "", err
	}
	args, err := b.personArgs(ctx, person, t)
	return b.Texts.Text(person.Language, t.body.Text, args), err
}
