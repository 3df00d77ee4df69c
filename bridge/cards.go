package bridge

import (
	"context"
	"errors"
	"html"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// deliverCard puts the card on top of a conversation room: who, whom it concerns and on
// what ground, since when.
func (b *Bridge) deliverCard(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOf(ctx, store.RoomConversation, t.Conversation)
	if err != nil {
		return done, err
	}
	args, derde, err := b.cardArgs(ctx, t)
	if err != nil {
		return done, err
	}
	text := b.Texts.Text(b.Language, "card", args)
	if derde.ID != "" && coDecides(derde, care.DateOf(b.now())) {
		text += "\n" + b.Texts.Text(b.Language, "desk.child", args)
	}
	done.event, err = b.send(ctx, t, room, event.EventMessage, message(event.MsgText, text))
	return done, err
}

// coDecides says that a Derde is old enough to be asked before anything is disclosed to
// the parent (requirement C6).
func coDecides(d care.Derde, today care.Date) bool {
	age := d.BirthDate.Age(today)
	return age >= care.CoDeciding && age < care.AdultForCare
}

func (b *Bridge) cardArgs(ctx context.Context, t task) (args texts.Args, d care.Derde, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return args, d, err
	}
	if args, err = b.personArgs(ctx, person, t); err != nil {
		return args, d, err
	}
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil {
		return args, d, err
	}
	d, _, err = b.derdeOf(ctx, c)
	return args, d, err
}

// deliverBalieCard points staff in the Balie to the conversation room. The room is made
// by another destination, so this may have to wait for it.
func (b *Bridge) deliverBalieCard(ctx context.Context, t task) (done delivery, err error) {
	target, known, err := b.Store.RoomOf(ctx, store.RoomConversation, t.Conversation)
	if err != nil {
		return done, err
	}
	if !known {
		return done, errors.New("the conversation room is not there yet")
	}
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	args, _, err := b.cardArgs(ctx, t)
	if err != nil {
		return done, err
	}
	text := b.Texts.Text(b.Language, "card.balie", args)
	content := message(event.MsgText, text)
	link := id.RoomID(target.ID).URI(b.Domain).MatrixToURL()
	content["body"] = text + "\n" + link
	content["formatted_body"] = asHTML(text) + `<br><a href="` + html.EscapeString(link) + `">` +
		html.EscapeString(b.Texts.Text(b.Language, "room.conversation", args)) + `</a>`
	done.event, err = b.send(ctx, t, room, event.EventMessage, content)
	return done, err
}
