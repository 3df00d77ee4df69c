package bridge

import (
	"context"
	"errors"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// errWithdrawn calls off what may not pass any more. Nobody is told that it failed: it is what they
// asked for (requirement A11).
var errWithdrawn = errors.New("the account is withdrawn")

// A leg is where a message comes from and goes to.
type leg struct {
	room     string // where it goes
	who      string // who says it, as the other side sees them
	role     string // of staff; "" for patients
	mention  string // Matrix user to notify; "" = nobody
	language string
	from     string // room in which it was said
	scrub    scrubber
	mark     string // what the bridge says about the message in front of its words
	effect   int64  // that carries it
}

// legOf works out the other side of an effect.
func (b *Bridge) legOf(ctx context.Context, t task, sender id.UserID) (leg, error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return leg{}, err
	}
	if err := b.mustStand(ctx, t); err != nil {
		return leg{}, err
	}
	var l leg
	if toPatient(t.Effect) {
		l, err = b.legToPatient(ctx, person, sender)
	} else {
		l, err = b.legToStaff(ctx, t, person)
	}
	l.from, l.effect, l.scrub = t.SourceRoom, t.ID, b.scrubberFor(ctx, person, l.language)
	return l, err
}

// errGroundEnded refuses what must not pass any more: the attestation that the conversation
// rests on has ended (requirement C4).
var errGroundEnded = refused("what the conversation rests on has ended")

// mustStand looks once more when something is delivered: it may have waited since it was decided.
func (b *Bridge) mustStand(ctx context.Context, t task) error {
	if t.Conversation == "" {
		return nil
	}
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil {
		return err
	}
	if stands, err := b.stands(ctx, c); err != nil || stands {
		return err
	}
	return errGroundEnded
}

func (b *Bridge) legToPatient(ctx context.Context, person care.Person, sender id.UserID) (l leg, err error) {
	if err := b.mayReach(ctx, person); err != nil {
		return l, err
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
	if person.State == care.Withdrawn {
		return l, errWithdrawn
	}
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

// deliverRelay carries one message to the other side, or shows there that it is missing.
func (b *Bridge) deliverRelay(ctx context.Context, t task) (done delivery, err error) {
	evt, done, err := b.toCarry(ctx, t)
	if err != nil || evt == nil {
		return done, err
	}
	l, err := b.legOf(ctx, t, evt.Sender)
	if err != nil {
		return done, err
	}
	l.mark = b.markOf(evt, t, l.language)
	content, err := b.across(ctx, evt, l)
	if err == nil && content != nil {
		done.event, err = b.send(ctx, t, l.room, event.EventMessage, content)
	}
	switch {
	case errors.Is(err, ErrTooLarge):
		return b.showGap(ctx, t, l, "too_long")
	case isNotCarried(err):
		return b.showGap(ctx, t, l, reasonOf(err))
	case err != nil || content == nil:
		return done, err
	}
	return b.arrived(ctx, t, l.room, done.event, content)
}

// toCarry reads what an effect carries to the other side; nil when it is there already, or was removed
// before it could be, which ends the delivery.
func (b *Bridge) toCarry(ctx context.Context, t task) (evt *event.Event, done delivery, err error) {
	if t.EventID != "" { // its echo was seen: it only has to be remembered, also when it is removed by now
		room, err := b.roomOfDestination(ctx, t)
		if err != nil {
			return nil, done, err
		}
		done, err = b.arrived(ctx, t, room, id.EventID(t.EventID), nil)
		return nil, done, err
	}
	evt, err = b.readEvent(ctx, t.sourceRoom(), t.sourceEvent())
	if wasRemoved(err) {
		done, err = b.passedOnBefore(ctx, t)
		return nil, done, err
	}
	return evt, done, err
}

// passedOnBefore ends the delivery of a message that is removed by now: it was not passed on, or it was
// and nobody could note it. Then it is noted now, or its removal would find nothing to remove.
func (b *Bridge) passedOnBefore(ctx context.Context, t task) (done delivery, err error) {
	if t.Attempt <= 1 {
		return done, nil
	}
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	sent, found, err := b.Matrix.Sent(ctx, id.RoomID(room), t.TxnID, t.CreatedAt)
	if err != nil || !found {
		return done, err
	}
	return b.arrived(ctx, t, room, sent, nil)
}

// arrived ends a delivery that has an event: which stands for which is remembered, and which
// files it has. content is what was sent; after a crash or a lost answer only the event itself
// tells what that was, and whether it was a message or a gap.
func (b *Bridge) arrived(ctx context.Context, t task, room string, sent id.EventID, content map[string]any) (done delivery, err error) {
	if t.Attempt > 1 || content == nil {
		evt, err := b.readEvent(ctx, id.RoomID(room), sent)
		if err != nil && !wasRemoved(err) && !errors.Is(err, ErrNoKey) {
			return done, err
		}
		if err == nil {
			content = evt.Content.Raw
		}
	}
	done.event = sent
	done.after = func(ctx context.Context) error {
		if err := b.tellHow(ctx, t, content); err != nil {
			return err
		}
		return b.carried(ctx, t, room, sent, content)
	}
	return done, nil
}

// tellHow tells who sent a message how it went: that it has not arrived, or, where the settings
// ask for it, that it has.
func (b *Bridge) tellHow(ctx context.Context, t task, content map[string]any) error {
	if why, gap := content[gapMark].(string); gap {
		return b.add(ctx, toSender(t.Effect, why)...)
	}
	if b.SentMark && t.Kind == "relay" && t.body.Target == "" {
		return b.add(ctx, mark(t.Effect, sentMark))
	}
	return nil
}

// carried remembers which event stands for which, and which files belong to it.
func (b *Bridge) carried(ctx context.Context, t task, room string, target id.EventID, content map[string]any) error {
	b.readings.ring() // somebody may have read it in the meantime
	for _, uri := range filesIn(content) {
		at := b.Now()
		if err := b.Store.AddMedia(ctx, store.Media{
			URI: uri, RoomID: room, EventID: string(target), Own: true, SentAt: at, DueAt: b.due(at),
		}); err != nil {
			return err
		}
	}
	for _, source := range []string{t.SourceEvent, t.body.Instead} {
		if source == "" {
			continue
		}
		m := store.Mirror{
			SourceEvent: source, SourceRoom: t.SourceRoom, TargetEvent: string(target), TargetRoom: room,
			Conversation: t.Conversation, At: b.Now(),
		}
		if err := b.Store.AddMirror(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// across makes the content for the other side; nil means that there is nothing to send.
func (b *Bridge) across(ctx context.Context, evt *event.Event, l leg) (map[string]any, error) {
	m, ok := b.readable(evt, l.language)
	if !ok {
		return nil, errNotCarried("unsupported")
	}
	said := m
	if m.NewContent != nil && edited(evt) != "" {
		said = m.NewContent
	}
	content, err := b.sayAs(ctx, marked(said, l.mark), l)
	if err != nil {
		return nil, err
	}
	if content, err = b.relate(ctx, content, m, l); err != nil || content == nil {
		return nil, err
	}
	return fitting(content)
}
