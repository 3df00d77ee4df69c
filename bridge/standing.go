package bridge

import (
	"context"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// Not only what is carried has something that stands for it at the other side. An answer of the practice's
// system is shown at both sides, and what a command told the patient stands for the command. So people can
// react and reply to them, see that they were read, and find them in a recap.

// advised remembers that what the patient was told stands for the command that did it.
func (b *Bridge) advised(ctx context.Context, t task, room string, told id.EventID) error {
	b.readings.ring() // somebody may have read it in the meantime
	return b.Store.AddMirror(ctx, store.Mirror{
		SourceEvent: t.SourceEvent, SourceRoom: t.SourceRoom, TargetEvent: string(told), TargetRoom: room,
		Conversation: t.Conversation, At: b.Now(), Kind: store.MirrorAdvice,
	})
}

// shownTwice remembers, once a part of an answer is at both sides, that the two stand for each other. Each
// side gets it by itself, and either may be the first.
func (b *Bridge) shownTwice(ctx context.Context, t task, room string, shown id.EventID) error {
	before, err := b.Store.ShownAnswers(ctx, t.Person)
	if err != nil {
		return err
	}
	for _, e := range before {
		what, err := parseBody(e)
		if err != nil || e.Destination == t.Destination || what.Answer != t.body.Answer || what.Part != t.body.Part {
			continue
		}
		across, err := b.roomOfDestination(ctx, task{e, what})
		if err != nil {
			return err
		}
		m := store.Mirror{
			SourceEvent: e.EventID, SourceRoom: across, TargetEvent: string(shown), TargetRoom: room,
			Conversation: t.Conversation, At: b.Now(), Kind: store.MirrorAnswer,
		}
		if toPatient(e) {
			m.SourceEvent, m.SourceRoom, m.TargetEvent, m.TargetRoom = m.TargetEvent, m.TargetRoom, m.SourceEvent, m.SourceRoom
		}
		b.readings.ring()
		return b.Store.AddMirror(ctx, m)
	}
	return nil
}

// halfShown is the conversation of an answer that is in a room already, and not noted as being at the other side
// too; "" = the event is none. What is about it goes behind it there.
func (b *Bridge) halfShown(ctx context.Context, p place, shown string) (conversation string, err error) {
	all, err := b.Store.ShownAnswers(ctx, p.room.Person)
	for _, e := range all {
		if e.EventID == shown {
			return e.Conversation, err
		}
	}
	return "", err
}

// answers is the event that a message replies to; "" = none. In the thread of a recap, what a client says
// there for those that know no threads is the copy that happens to be the last, and was not meant.
func (b *Bridge) answers(ctx context.Context, r *event.RelatesTo) (id.EventID, error) {
	to := r.GetReplyTo()
	if to == r.GetNonFallbackReplyTo() {
		return to, nil
	}
	_, repeats, err := b.Store.Repeats(ctx, string(to))
	if err != nil || repeats {
		return "", err
	}
	return to, nil
}
