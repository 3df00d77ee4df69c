package bridge

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// consultingKinds says who takes what a patient does in the consulting room. What is not
// listed is something written.
var consultingKinds = map[string]func(*Bridge, context.Context, place, care.Person) error{
	event.StateMember.Type:    (*Bridge).patientMoved,
	event.EventReaction.Type:  (*Bridge).patientReacted,
	event.EventRedaction.Type: (*Bridge).someoneRemoved,
}

// inConsulting handles the consulting room.
func (b *Bridge) inConsulting(ctx context.Context, p place) error {
	person, known, err := b.Store.PersonByUser(ctx, p.Sender)
	if err != nil {
		return err
	}
	if !known || person.ID != p.room.Person { // only that patient and the bot are in it
		return b.finish(ctx, p, nil)
	}
	if handle, ok := consultingKinds[p.kindOf()]; ok {
		return handle(b, ctx, p, person)
	}
	if p.event.StateKey != nil || noise[p.kindOf()] { // a name or topic: nobody but the bot may set those
		return b.finish(ctx, p, nil)
	}
	return b.patientWrote(ctx, p, person)
}

// moved is what it leads to that a patient comes into the consulting room, or leaves it.
var moved = map[event.Membership]rule{event.MembershipJoin: care.Arrive, event.MembershipLeave: care.Leave}

// Arriving is how long a homeserver elsewhere gets to take in that its user joined, before anything is said
// in that room: what reaches Dendrite while it is still joining is lost there for good (docs/homeservers.md).
const Arriving = 3 * time.Second

// patientMoved lets a patient who enters be informed and asked; of one who leaves staff are told.
func (b *Bridge) patientMoved(ctx context.Context, p place, person care.Person) error {
	membership := p.event.Content.AsMember().Membership
	rule, known := moved[membership]
	if !known || p.event.GetStateKey() != person.UserID {
		return b.finish(ctx, p, nil)
	}
	elsewhere := p.sender().Homeserver() != b.Domain
	if membership == event.MembershipJoin && elsewhere && !person.Inside() && b.waited(p.ReceivedAt) < b.Arriving {
		return errNotYet
	}
	if membership == event.MembershipLeave {
		b.pointed.forget(mendedFor(person))
	}
	return b.decide(ctx, p, person, rule)
}

// A rule is a decision of package care.
type rule func(care.Case, care.Env) care.Case

// decide lets a rule look at the case of a person, and stores what it leads to.
func (b *Bridge) decide(ctx context.Context, p place, person care.Person, decide rule) error {
	before, after, err := b.foresee(ctx, person, decide)
	if err != nil {
		return err
	}
	return b.finish(ctx, p, func(ctx context.Context) error { return b.settle(ctx, p, before, after) })
}

// foresee is the case of a person, and what a rule makes of it; nothing is stored.
func (b *Bridge) foresee(ctx context.Context, person care.Person, decide rule) (before, after care.Case, err error) {
	if before, err = b.caseOf(ctx, person); err != nil {
		return before, after, err
	}
	env, err := b.env(ctx, person)
	if err != nil {
		return before, after, err
	}
	return before, decide(before, env), nil
}

// caseOf loads what a person is talking about now.
func (b *Bridge) caseOf(ctx context.Context, person care.Person) (c care.Case, err error) {
	c.Person = person
	if person.Current != "" {
		c.Conversation, _, err = b.Store.Conversation(ctx, person.Current)
	}
	return c, err
}

func (b *Bridge) env(ctx context.Context, person care.Person) (care.Env, error) {
	env := care.Env{Now: b.now(), Practices: b.carePractices(), NewID: uuid.NewString(), DerdeID: uuid.NewString()}
	now, err := b.Matrix.Identity(ctx, id.UserID(person.UserID))
	if err != nil {
		return env, err
	}
	env.Key = now.Key
	c, err := b.caseOf(ctx, person)
	if err != nil {
		return env, err
	}
	if env.Whom, _, err = b.derdeOf(ctx, c.Conversation); err != nil {
		return env, err
	}
	offered, err := b.offered(ctx, c)
	if err != nil {
		return env, err
	}
	env.Derden, err = b.derden(ctx, person, offered)
	return env, err
}

// offered are the ids of the people that the open question offered: an answer means what was
// shown. nil = no such question was put yet.
func (b *Bridge) offered(ctx context.Context, c care.Case) ([]string, error) {
	if c.Person.Question != care.AskWhom {
		return nil, nil
	}
	asked, known, err := b.Store.LastPrompt(ctx, c.Person.ID, care.AskWhom)
	if err != nil || !known || asked.AskedAt.Before(c.Conversation.OpenedAt) {
		return nil, err
	}
	return append([]string{}, asked.Offered...), nil
}

// derden are the people that a person named before: those that a question offered, in its
// order, or (nil) those whose attestation is valid.
func (b *Bridge) derden(ctx context.Context, person care.Person, offered []string) (found []care.Derde, err error) {
	all, err := b.Store.Derden(ctx, person.ID)
	for _, d := range all {
		if offered == nil && d.Valid(b.now()) {
			found = append(found, d)
		}
	}
	for _, id := range offered {
		if i := slices.IndexFunc(all, func(d care.Derde) bool { return d.ID == id }); i >= 0 {
			found = append(found, all[i])
		}
	}
	return found, err
}

// patientReacted takes a tap on the open question as its answer; other reactions go to
// the message they are about.
func (b *Bridge) patientReacted(ctx context.Context, p place, person care.Person) error {
	if stopped, err := b.doubted(ctx, p, person); err != nil || stopped {
		return err
	}
	relation := p.event.Content.AsReaction().RelatesTo
	asked, isPrompt, err := b.Store.Prompt(ctx, string(relation.EventID))
	if err != nil {
		return err
	}
	if !isPrompt {
		return b.relayAbout(ctx, p, "relay.reaction", string(relation.EventID))
	}
	now, err := b.caseOf(ctx, person)
	if err != nil {
		return err
	}
	if asked.Person != person.ID {
		return b.finish(ctx, p, nil)
	}
	if asked.Question != person.Question || asked.AskedAt.Before(now.Conversation.OpenedAt) {
		return b.decide(ctx, p, person, care.OldTap) // answered already, or of another conversation
	}
	n := texts.ButtonNumber(relation.Key)
	shown, err := b.derden(ctx, person, asked.Offered)
	if err != nil {
		return err
	}
	return b.decide(ctx, p, person, func(c care.Case, env care.Env) care.Case {
		env.Derden = shown // what the number meant where it was tapped
		return care.Hear(c, care.Heard{Tap: true, Choice: n}, env)
	})
}

// patientWrote handles everything written: an edit of something relayed goes after it,
// all else is heard.
func (b *Bridge) patientWrote(ctx context.Context, p place, person care.Person) error {
	var err error
	if p.besides, err = b.calm(ctx, p, person); err != nil {
		return err
	}
	heard, err := b.understand(ctx, p.event, person)
	if err != nil {
		return err
	}
	if heard.Word != care.WordWithdraw { // whoever says it, and however: nothing passes then
		if stopped, err := b.doubted(ctx, p, person); err != nil || stopped {
			return err
		}
	}
	if target, err := b.editsRelayed(ctx, p, person); err != nil {
		return err
	} else if target != "" {
		return b.relayAbout(ctx, p, "relay", target)
	}
	hear, err := b.hearing(ctx, p, person, heard)
	if err != nil {
		return err
	}
	return b.decide(ctx, p, person, hear)
}

// editsRelayed is what a message edits, when staff have that and the change may go after it;
// "" = the message is heard like any other.
func (b *Bridge) editsRelayed(ctx context.Context, p place, person care.Person) (string, error) {
	target := edited(p.event)
	if target == "" || b.hasBSN(p.event, person.Language) {
		return "", nil
	}
	if relayed, err := b.isRelayed(ctx, p, target); err != nil || !relayed {
		return "", err
	}
	var h care.Heard
	var then care.Env
	if err := b.mindTime(ctx, p, person, &h, &then); err != nil {
		return "", err
	}
	if h.Waited && care.Outlived(person.State, h, then) { // it is removed, like all that was
		return "", nil
	}
	return target, nil
}

// hearing is the rule for what was heard, with what it must know of a message that had to wait.
func (b *Bridge) hearing(ctx context.Context, p place, person care.Person, heard care.Heard) (rule, error) {
	var then care.Env
	err := b.mindTime(ctx, p, person, &heard, &then)
	return func(c care.Case, env care.Env) care.Case {
		env.AskedAt, env.ConsentedAt, env.Then, env.ThenWhom = then.AskedAt, then.ConsentedAt, then.Then, then.ThenWhom
		return care.Hear(c, heard, env)
	}, err
}

// isRelayed says whether an event has been, or is about to be, carried to the other side. What is
// queued is asked first: it may arrive between the two questions, and then the second one finds it.
func (b *Bridge) isRelayed(ctx context.Context, p place, eventID string) (bool, error) {
	across := conversation("")
	if p.room.Kind == store.RoomConversation {
		across = consulting("")
	}
	if queued, err := b.Store.HasQueuedFor(ctx, eventID, across); err != nil || queued {
		return queued, err
	}
	_, mirrored, err := b.Store.MirrorsOf(ctx, eventID)
	if err != nil || mirrored {
		return mirrored, err
	}
	half, err := b.halfShown(ctx, p, eventID)
	return half != "", err
}

// understand turns an event into what the rules know: words, the option that was meant,
// or something that is no text.
func (b *Bridge) understand(ctx context.Context, evt *event.Event, person care.Person) (care.Heard, error) {
	content, ok := b.readable(evt, person.Language)
	if !ok {
		return care.Heard{Media: true}, nil
	}
	if content.NewContent != nil {
		content = content.NewContent
	} else {
		content.Body = withoutFallback(content)
	}
	text := strings.TrimSpace(saysOf(content))
	also := b.otherWords(evt, person.Language, text)
	switch content.MsgType {
	case event.MsgText, event.MsgNotice, event.MsgEmote:
	default:
		return care.Heard{Media: true, Text: text, Also: also}, nil // the caption may hold a BSN
	}
	env, err := b.env(ctx, person)
	options := b.options(person, env.Derden)
	return care.Heard{
		Text: text, Also: also, Word: care.Word(b.Texts.Word(text)), Choice: texts.Choice(options, text),
	}, err
}

// options are what the open question of a person can be answered with.
func (b *Bridge) options(person care.Person, derden []care.Derde) []texts.Option {
	switch person.Question {
	case care.AskPractice:
		return b.practiceOptions()
	case care.AskWhom:
		return b.whomOptions(person, derden)
	}
	return b.Texts.Options(person.Language, string(person.Question))
}

func (b *Bridge) practiceOptions() (all []texts.Option) {
	for _, p := range b.Practices {
		all = append(all, texts.Option{Label: p.Name})
	}
	return all
}

// whomOptions are the patient, those named before, someone else, and nobody's health.
func (b *Bridge) whomOptions(person care.Person, derden []care.Derde) []texts.Option {
	fixed := b.Texts.Options(person.Language, string(care.AskWhom))
	all := []texts.Option{fixed[0]}
	for _, d := range derden {
		label := b.Texts.Text(person.Language, "whom.named", texts.Args{Whom: d.Name})
		all = append(all, texts.Option{Label: label, Also: []string{d.Name}})
	}
	return append(all, fixed[1:]...)
}

// caseInRoom loads the person and conversation that a room belongs to.
func (b *Bridge) caseInRoom(ctx context.Context, room store.Room) (c care.Case, err error) {
	var ok bool
	if c.Person, ok, err = b.Store.Person(ctx, room.Person); err != nil || !ok {
		return c, err
	}
	if room.Kind != store.RoomConversation {
		return b.caseOf(ctx, c.Person)
	}
	c.Conversation, _, err = b.Store.Conversation(ctx, room.Conversation)
	return c, err
}
