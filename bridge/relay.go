package bridge

import (
	"context"
	"errors"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A leg is where a message comes from and goes to.
type leg struct {
	room     string // where it goes
	who      string // who says it, as the other side sees them
	role     string // of staff; "" for patients
	mention  string // Matrix user to notify; "" = nobody
	language string
}

// legOf works out the other side of an effect.
func (b *Bridge) legOf(ctx context.Context, t task, sender id.UserID) (leg, error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return leg{}, err
	}
	if strings.HasPrefix(t.Destination, consulting("")) {
		return b.legToPatient(ctx, person, sender)
	}
	return b.legToStaff(ctx, t, person)
}

func (b *Bridge) legToPatient(ctx context.Context, person care.Person, sender id.UserID) (l leg, err error) {
	if person.State != care.Active { // from a withdrawal on nothing passes (requirement A11)
		return l, refused("the account is %s", person.State)
	}
	if l.room, err = b.roomOf(ctx, store.RoomConsulting, person.ID); err != nil {
		return l, err
	}
	m, known, err := b.Store.Staff(ctx, string(sender))
	if err != nil {
		return l, err
	}
	if !known {
		return l, refused("the sender is no member of staff")
	}
	l.who, l.role = m.Name, b.Texts.Text(person.Language, "role."+string(m.Role), b.practiceArgs(b.practice(m.Practice)))
	l.mention, l.language = person.UserID, person.Language
	return l, nil
}

func (b *Bridge) legToStaff(ctx context.Context, t task, person care.Person) (l leg, err error) {
	if l.room, err = b.roomOf(ctx, store.RoomConversation, t.Conversation); err != nil {
		return l, err
	}
	l.language = b.Language
	args, err := b.personArgs(ctx, person, t)
	if err != nil {
		return l, err
	}
	l.who = args.Name
	if args.Whom != "" { // the ground is shown with every message (requirement C3)
		l.who = b.Texts.Text(b.Language, "said.about", args)
	}
	return l, nil
}

// name is how the speaker is shown: "Fatima, doktersassistent", or the patient's name.
func (l leg) name() string {
	if l.role == "" {
		return l.who
	}
	return l.who + ", " + l.role
}

// deliverRelay carries one message to the other side.
func (b *Bridge) deliverRelay(ctx context.Context, t task) (done delivery, err error) {
	if t.EventID != "" { // its echo was seen: it only has to be remembered, also when it is removed by now
		return b.alreadyCarried(ctx, t)
	}
	evt, err := b.Matrix.Read(ctx, t.sourceRoom(), t.sourceEvent())
	if errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) {
		return done, nil // removed before it was passed on
	}
	if err != nil {
		return done, err
	}
	l, err := b.legOf(ctx, t, evt.Sender)
	if err != nil {
		return done, err
	}
	content, err := b.across(ctx, evt, l)
	if err != nil || content == nil {
		return b.notAcross(ctx, t, err)
	}
	if done.event, err = b.send(ctx, t, l.room, event.EventMessage, content); err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error { return b.carried(ctx, t, l.room, done.event) }
	return done, nil
}

func (b *Bridge) alreadyCarried(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	done.event = id.EventID(t.EventID)
	done.after = func(ctx context.Context) error { return b.carried(ctx, t, room, done.event) }
	return done, nil
}

// carried remembers which event stands for which.
func (b *Bridge) carried(ctx context.Context, t task, room string, target id.EventID) error {
	b.readings.ring() // somebody may have read it in the meantime
	if b.SentMark && t.Kind == "relay" && t.body.Target == "" {
		if err := b.add(ctx, mark(t.Effect, sentMark)); err != nil {
			return err
		}
	}
	return b.Store.AddMirror(ctx, store.Mirror{
		SourceEvent: t.SourceEvent, SourceRoom: t.SourceRoom, TargetEvent: string(target), TargetRoom: room,
		Conversation: t.Conversation, At: b.Now(),
	})
}

// errNotCarried says why a message cannot be carried; its text is the key of a text.
type errNotCarried string

func (e errNotCarried) Error() string { return "message cannot be carried: " + string(e) }

// notAcross ends a message that cannot be carried: its sender is told, and the gap is
// shown to the other side in its place in the order (requirement B2).
func (b *Bridge) notAcross(ctx context.Context, t task, cause error) (done delivery, err error) {
	var why errNotCarried
	if cause != nil && !errors.As(cause, &why) {
		return done, cause
	}
	if cause == nil {
		return done, nil
	}
	done.after = func(ctx context.Context) error { return b.add(ctx, b.notArrived(t.Effect, string(why))...) }
	return done, nil
}

// across makes the content for the other side; nil means that there is nothing to send.
func (b *Bridge) across(ctx context.Context, evt *event.Event, l leg) (map[string]any, error) {
	m, ok := readable(evt)
	if !ok {
		return nil, errNotCarried("unsupported")
	}
	m.RemoveReplyFallback()
	said := m
	if m.NewContent != nil && edited(evt) != "" {
		said = m.NewContent
	}
	content, err := b.sayAs(ctx, said, l)
	if err != nil {
		return nil, err
	}
	return b.relate(ctx, content, m, l)
}

// readable takes what can be carried from an event: a message, or a sticker as a picture.
func readable(evt *event.Event) (*event.MessageEventContent, bool) {
	m, ok := evt.Content.Parsed.(*event.MessageEventContent)
	if ok && evt.Type.Type == event.EventSticker.Type {
		m.MsgType = event.MsgImage
	}
	return m, ok
}

// shapes makes the content for each type of message; what is not listed cannot be carried.
var shapes = map[event.MessageType]func(*Bridge, context.Context, *event.MessageEventContent, leg) (map[string]any, error){
	event.MsgText:     (*Bridge).sayText,
	event.MsgNotice:   (*Bridge).sayText,
	event.MsgEmote:    (*Bridge).sayText,
	event.MsgLocation: (*Bridge).sayLocation,
	event.MsgImage:    (*Bridge).sayFile,
	event.MsgVideo:    (*Bridge).sayFile,
	event.MsgAudio:    (*Bridge).sayFile,
	event.MsgFile:     (*Bridge).sayFile,
}

func (b *Bridge) sayAs(ctx context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	shape, ok := shapes[m.MsgType]
	if !ok {
		return nil, errNotCarried("unsupported")
	}
	content, err := shape(b, ctx, m, l)
	if err != nil {
		return nil, err
	}
	content["com.beeper.per_message_profile"] = profile(l) // MSC4144
	content["m.mentions"] = map[string]any{}
	if l.mention != "" {
		content["m.mentions"] = map[string]any{"user_ids": []string{l.mention}}
	}
	return content, nil
}

// relate points an edit or a reply at the event that stands for its target over there.
func (b *Bridge) relate(ctx context.Context, content map[string]any, m *event.MessageEventContent, l leg) (map[string]any, error) {
	if m.RelatesTo == nil {
		return content, nil
	}
	if m.RelatesTo.Type == event.RelReplace {
		target, ok, err := b.Store.MirrorOf(ctx, string(m.RelatesTo.EventID), l.room)
		if err != nil || !ok {
			return nil, err // what it edits was never carried
		}
		return editOf(content, target), nil
	}
	relation := map[string]any{}
	if reply := m.RelatesTo.GetReplyTo(); reply != "" {
		if target, ok, err := b.Store.MirrorOf(ctx, string(reply), l.room); err != nil {
			return nil, err
		} else if ok {
			relation["m.in_reply_to"] = map[string]any{"event_id": target}
		}
	}
	if m.RelatesTo.Type == event.RelThread {
		if err := b.relateThread(ctx, relation, m, l); err != nil {
			return nil, err
		}
	}
	if len(relation) > 0 {
		content["m.relates_to"] = relation
	}
	return content, nil
}

func (b *Bridge) relateThread(ctx context.Context, relation map[string]any, m *event.MessageEventContent, l leg) error {
	root, ok, err := b.Store.MirrorOf(ctx, string(m.RelatesTo.EventID), l.room)
	if err != nil || !ok {
		return err
	}
	relation["rel_type"], relation["event_id"] = string(event.RelThread), root
	relation["is_falling_back"] = m.RelatesTo.IsFallingBack
	return nil
}

// editOf wraps content as the new content of an event.
func editOf(content map[string]any, target string) map[string]any {
	outer := map[string]any{}
	for key, value := range content {
		outer[key] = value
	}
	if text, ok := content["body"].(string); ok {
		outer["body"] = "* " + text
	}
	if text, ok := content["formatted_body"].(string); ok {
		outer["formatted_body"] = "* " + text
	}
	outer["m.new_content"] = content
	outer["m.relates_to"] = map[string]any{"rel_type": string(event.RelReplace), "event_id": target}
	return outer
}

// deliverReaction carries a reaction to the event that stands for its target.
func (b *Bridge) deliverReaction(ctx context.Context, t task) (done delivery, err error) {
	evt, err := b.Matrix.Read(ctx, t.sourceRoom(), t.sourceEvent())
	if errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) {
		return done, nil
	}
	if err != nil {
		return done, err
	}
	l, err := b.legOf(ctx, t, evt.Sender)
	if err != nil {
		return done, err
	}
	target, ok, err := b.Store.MirrorOf(ctx, t.body.Target, l.room)
	if err != nil || !ok {
		return done, err
	}
	key := evt.Content.AsReaction().RelatesTo.Key
	if len(key) > maxReaction {
		return done, nil
	}
	if done.event, err = b.send(ctx, t, l.room, event.EventReaction, reaction(target, key)); err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error { return b.carried(ctx, t, l.room, done.event) }
	return done, nil
}

// maxReaction bounds the key of a reaction in bytes: an emoji, not a letter; reactions
// travel unencrypted.
const maxReaction = 64

// deliverRelayedRemoval removes at the other side what was removed here.
func (b *Bridge) deliverRelayedRemoval(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	target, ok, err := b.Store.MirrorOf(ctx, t.body.Target, room)
	if err != nil || !ok {
		return done, err
	}
	if err := b.Matrix.Redact(ctx, id.RoomID(room), id.EventID(target), t.TxnID); err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error { return b.Store.MarkRedacted(ctx, target, b.Now()) }
	return done, nil
}
