package bridge

import (
	"context"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// What the bot puts under a message. Both travel unencrypted, like every reaction, and say
// nothing about what was written.
const (
	failedMark = "✗" // it did not arrive and never will; a sentence says so too
	sentMark   = "✓" // it is at the other side; only where the settings ask for it
)

// notArrived says that a message will not reach the other side: to who sent it, and to the
// other side, which would not know that there is a gap (requirement B2). why is the end of the
// keys of both sentences.
func (b *Bridge) notArrived(e store.Effect, why string) []store.Effect {
	gap := job("tell", conversation(e.Conversation), body{Text: "desk." + why})
	if toPatient(e) {
		gap = job("say", consulting(e.Person), body{Text: "relay.gap"})
	}
	gap.Person, gap.Conversation = e.Person, e.Conversation
	return append(toSender(e, why), gap)
}

// toSender says to who sent a message that it has not arrived and what to do, with a mark under
// the message.
func toSender(e store.Effect, why string) []store.Effect {
	said := job("say", sourceSide(e), body{Text: "relay." + why, Reply: e.SourceEvent})
	if toPatient(e) {
		said = job("tell", sourceSide(e), body{Text: "sent." + why, Reply: e.SourceEvent})
	}
	said.Person, said.Conversation = e.Person, e.Conversation
	return []store.Effect{said, mark(e, failedMark)}
}

// toPatient says that an effect carries something of staff to the patient.
func toPatient(e store.Effect) bool { return strings.HasPrefix(e.Destination, consulting("")) }

// sourceSide is where what an effect carries was written.
func sourceSide(e store.Effect) string {
	if toPatient(e) {
		return conversation(e.Conversation)
	}
	return consulting(e.Person)
}

// mark makes the effect that puts a mark under the message that an effect carries.
func mark(e store.Effect, key string) store.Effect {
	m := job("mark", sourceSide(e), body{Target: e.SourceEvent, Mark: key})
	m.Person, m.Conversation = e.Person, e.Conversation
	return m
}

func (b *Bridge) deliverMark(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	done.event, err = b.send(ctx, t, room, event.EventReaction, reaction(t.body.Target, t.body.Mark))
	return done, err
}

// markFiled has a message marked at staff's side, once the system confirmed that it has it (requirement E5); an
// edit has no mark of its own.
func (b *Bridge) markFiled(ctx context.Context, e store.Effect) error {
	if what, err := parseBody(e); err != nil || !b.FiledMark || e.Kind != "file" || what.Target != "" {
		return err
	}
	m := job("mark.filed", conversation(e.Conversation), body{Effect: e.ID})
	m.Person, m.Conversation, m.SourceEvent, m.SourceRoom = e.Person, e.Conversation, e.SourceEvent, e.SourceRoom
	return b.add(ctx, m)
}

// deliverFiledMark finds what stands for the message at staff's side: it came there before this.
func (b *Bridge) deliverFiledMark(ctx context.Context, t task) (done delivery, err error) {
	if e, _, err := b.Store.Effect(ctx, t.body.Effect); err != nil || e.State != store.EffectDone {
		return delivery{dropped: "it does not belong there any more"}, err
	}
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	target := t.SourceEvent
	if t.SourceRoom != string(room) {
		var there bool
		if target, there, err = b.Store.MirrorOf(ctx, t.SourceEvent, string(room)); err != nil || !there {
			return delivery{dropped: "staff do not have it"}, err
		}
	}
	key := b.Texts.Text(b.Language, "mark.filed", texts.Args{})
	done.event, err = b.send(ctx, t, room, event.EventReaction, reaction(target, key))
	return done, err
}

// unmarkFiled takes the mark away of what does not belong where it is filed; one that is on its way is not put.
func (b *Bridge) unmarkFiled(ctx context.Context, e store.Effect) error {
	if !b.FiledMark || e.Kind != "file" || e.State != store.EffectDone {
		return nil
	}
	u := job("unmark.filed", conversation(e.Conversation), body{Effect: e.ID})
	u.Person, u.Conversation, u.SourceEvent, u.SourceRoom = e.Person, e.Conversation, e.SourceEvent, e.SourceRoom
	return b.add(ctx, u)
}

// deliverFiledUnmark comes after the mark, in the same room.
func (b *Bridge) deliverFiledUnmark(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	mark, put, err := b.Store.SentFor(ctx, t.Effect, "mark.filed")
	if err != nil || !put {
		return delivery{dropped: "there is none"}, err
	}
	if err := b.Matrix.Redact(ctx, id.RoomID(room), id.EventID(mark), t.TxnID); err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error { return b.forgotten(ctx, mark) }
	return done, nil
}
