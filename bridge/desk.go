package bridge

import (
	"context"
	"errors"
	"strings"

	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// conversationKinds says who takes what staff do in a conversation room. What is not
// listed is something written.
var conversationKinds = map[string]func(*Bridge, context.Context, place, care.Member) error{
	event.EventReaction.Type: func(b *Bridge, ctx context.Context, p place, _ care.Member) error {
		return b.relayAbout(ctx, p, "relay.reaction", string(p.event.Content.AsReaction().RelatesTo.EventID))
	},
	event.EventRedaction.Type: func(b *Bridge, ctx context.Context, p place, _ care.Member) error {
		return b.someoneRemoved(ctx, p, care.Person{})
	},
}

// inConversation handles what happens in a conversation room: staff's words go to the
// patient, commands do not.
func (b *Bridge) inConversation(ctx context.Context, p place) error {
	if p.Type == event.StateMember.Type && p.event.StateKey != nil {
		return b.staffEntered(ctx, p)
	}
	if p.event.StateKey != nil || noise[p.kindOf()] {
		return b.finish(ctx, p, nil)
	}
	member, ok, err := b.member(ctx, p)
	if err != nil {
		return err
	}
	if ok {
		if told, err := b.toldOfEdit(ctx, p); err != nil || told {
			return err
		}
	}
	if !ok || !member.Role.May(care.MayAnswer) && !isCommand(p.event) {
		return b.refuse(ctx, p, "desk.not_staff")
	}
	if handle, ok := conversationKinds[p.kindOf()]; ok {
		return handle(b, ctx, p, member)
	}
	if isCommand(p.event) {
		return b.command(ctx, p, member)
	}
	return b.staffWrote(ctx, p)
}

// member is who of the staff did something; only staff of the room's own practice count.
func (b *Bridge) member(ctx context.Context, p place) (care.Member, bool, error) {
	m, known, err := b.Store.Staff(ctx, p.Sender)
	return m, known && (m.Practice == p.room.Practice || m.Practice == ""), err
}

// staffWrote relays and files an answer, when the patient may still get it.
func (b *Bridge) staffWrote(ctx context.Context, p place) error {
	if b.hasBSN(p.event, b.Language) { // the same rule as for patients
		return b.refuse(ctx, p, "desk.bsn")
	}
	if target := edited(p.event); target != "" && p.replaces == "" {
		return b.relayAbout(ctx, p, "relay", target)
	}
	c, err := b.caseInRoom(ctx, p.room)
	if err != nil {
		return err
	}
	if c.Conversation.State != care.Open || c.Person.State != care.Active {
		return b.refuse(ctx, p, "desk.not_relayed")
	}
	if stands, err := b.stands(ctx, c.Conversation); err != nil {
		return err
	} else if !stands {
		return b.refuse(ctx, p, "sent.ground_ended")
	}
	return b.finish(ctx, p, func(ctx context.Context) error { return b.answer(ctx, p, c) })
}

// answer passes something staff wrote on; when they were told that it is missing, they hear that it is not.
func (b *Bridge) answer(ctx context.Context, p place, c care.Case) error {
	if err := b.take(ctx, &c.Conversation); err != nil {
		return err
	}
	if err := b.relayAndFile(ctx, c, consulting(c.Person.ID), p.EventID, p.RoomID, p.manner()); err != nil || !p.told() {
		return err
	}
	return b.add(ctx, b.reply(p, body{Text: "desk.late_passed", At: p.OriginAt.UnixMilli()}))
}

// refuse tells who wrote in a staff room why it went nowhere. Of an edit what it edits stays, and
// is still waited for when its key is missing.
func (b *Bridge) refuse(ctx context.Context, p place, text string) error {
	return b.refuseWith(ctx, p, body{Text: text})
}

func (b *Bridge) refuseWith(ctx context.Context, p place, told body) error {
	p.replaces = ""
	return b.finish(ctx, p, func(ctx context.Context) error { return b.add(ctx, b.reply(p, told)) })
}

// relayAbout carries a reaction or an edit to the other side, when what it is about has
// been carried there. An edit is filed too.
func (b *Bridge) relayAbout(ctx context.Context, p place, kind, target string) error {
	relayed, err := b.isRelayed(ctx, p, target)
	if err != nil {
		return err
	}
	c, err := b.caseInRoomOf(ctx, p, target)
	if err != nil {
		return err
	}
	mayPass := c.Person.State == care.Active && c.Conversation.ID != ""
	if !relayed || !mayPass {
		return b.notAbout(ctx, p, kind, relayed)
	}
	if stands, err := b.stands(ctx, c.Conversation); err != nil {
		return err
	} else if !stands {
		return b.groundEnded(ctx, p, c, kind)
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		if kind == "relay" {
			if err := b.fileEdit(ctx, p, c, target); err != nil {
				return err
			}
		}
		return b.add(ctx, b.toOtherSide(p, c, kind, target))
	})
}

// groundEnded ends a reaction or an edit in a conversation whose attestation has ended: who
// changed something is told so.
func (b *Bridge) groundEnded(ctx context.Context, p place, c care.Case, kind string) error {
	switch {
	case kind != "relay":
		return b.finish(ctx, p, nil)
	case p.room.Kind == store.RoomConversation:
		return b.refuse(ctx, p, "sent.ground_ended")
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		told := job("say", consulting(c.Person.ID), body{Text: "relay.ground_ended", Reply: p.EventID})
		return b.add(ctx, ofPerson(told, c.Person))
	})
}

// notAbout ends a reaction or an edit that has nowhere to go. Who changed something has to know
// that the change did not arrive (requirement B2).
func (b *Bridge) notAbout(ctx context.Context, p place, kind string, relayed bool) error {
	switch {
	case kind != "relay":
		return b.finish(ctx, p, nil)
	case p.room.Kind != store.RoomConversation:
		return b.finish(ctx, p, func(ctx context.Context) error {
			return b.add(ctx, job("say", consulting(p.room.Person), body{Text: "relay.closed", Reply: p.EventID}))
		})
	case relayed:
		return b.refuse(ctx, p, "desk.not_relayed")
	}
	return b.refuse(ctx, p, "desk.edit_not_relayed")
}

func (b *Bridge) fileEdit(ctx context.Context, p place, c care.Case, target string) error {
	file, err := b.fileJob(ctx, "file", c.Conversation, func(what *body) { what.Late, what.Target = p.late(), target })
	if err != nil {
		return err
	}
	file = aboutEvent(ofPerson(file, c.Person), p)
	file.Conversation = c.Conversation.ID
	return b.add(ctx, file)
}

// toOtherSide makes an effect that goes to the room across.
func (b *Bridge) toOtherSide(p place, c care.Case, kind, target string) store.Effect {
	to := conversation(c.Conversation.ID)
	if p.room.Kind == store.RoomConversation {
		to = consulting(c.Person.ID)
	}
	e := aboutEvent(ofPerson(job(kind, to, body{Target: target, Late: p.late()}), c.Person), p)
	e.Conversation = c.Conversation.ID
	return e
}

// caseInRoomOf loads the conversation that an event was carried in: the one of the room,
// or for the patient's lasting room the one that the target belongs to.
func (b *Bridge) caseInRoomOf(ctx context.Context, p place, target string) (care.Case, error) {
	c, err := b.caseInRoom(ctx, p.room)
	if err != nil || p.room.Kind == store.RoomConversation {
		return c, err
	}
	carriedIn, err := b.carriedIn(ctx, p, target)
	if err != nil || carriedIn == "" || carriedIn == c.Conversation.ID {
		return c, err
	}
	c.Conversation, _, err = b.Store.Conversation(ctx, carriedIn)
	return c, err
}

// carriedIn is the conversation in which an event is, or is about to be, at the other side; what is
// on its way is asked first, as in isRelayed.
func (b *Bridge) carriedIn(ctx context.Context, p place, target string) (conversation string, err error) {
	pending, err := b.Store.PendingFor(ctx, target)
	if err != nil {
		return "", err
	}
	for _, e := range pending {
		if e.Kind == "relay" {
			return e.Conversation, nil
		}
	}
	mirror, known, err := b.Store.MirrorsOf(ctx, target)
	if err != nil || known {
		return mirror.Conversation, err
	}
	return b.halfShown(ctx, p, target)
}

// someoneRemoved carries a removal to the other side. What was held is simply not passed.
// It is carried whatever the account's state: removing gives nothing away.
func (b *Bridge) someoneRemoved(ctx context.Context, p place, _ care.Person) error {
	target := p.Target
	if target == "" {
		target = string(p.event.Redacts)
	}
	row, kept, err := b.Store.LedgerEvent(ctx, target)
	if err != nil {
		return err
	}
	if kept && (row.Own || row.RoomID != p.RoomID) {
		return b.finish(ctx, p, nil) // not theirs to remove: only a homeserver that lies lets it through
	}
	relayed, err := b.isRelayed(ctx, p, target)
	if err != nil {
		return err
	}
	c, err := b.caseInRoomOf(ctx, p, target)
	if err != nil {
		return err
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		// read back like every removal; its edits, which say the same, go now too
		if err := b.forgotten(ctx, target); err != nil {
			return err
		}
		if err := errors.Join(b.Store.Unhold(ctx, target), b.Store.Unpark(ctx, target)); err != nil {
			return err
		}
		// something that stands for it may be in the record sooner than it is at the other side
		if err := b.fileRemoval(ctx, p, c, target); err != nil || !relayed {
			return err
		}
		return b.add(ctx, b.toOtherSide(p, c, "relay.removal", target))
	})
}

// isCommand says that a message starts with "!". An edit is none: it would be carried out twice.
func isCommand(evt *event.Event) bool {
	_, ok := evt.Content.Parsed.(*event.MessageEventContent)
	return ok && startsAsCommand(typed(evt)) && edited(evt) == ""
}

// typed is what someone typed: without what older clients repeat of the message that it replies to.
func typed(evt *event.Event) string {
	body := evt.Content.AsMessage().Body
	if repliesTo(evt) == "" {
		return body
	}
	return event.TrimReplyFallbackText(body)
}

// repliesTo is the event that a message replies to; "" = none. What a thread says for clients that know no
// threads does not count.
func repliesTo(evt *event.Event) string {
	return string(evt.Content.AsMessage().RelatesTo.GetNonFallbackReplyTo())
}

func startsAsCommand(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "!") }
