package bridge

import (
	"context"
	"errors"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A part of a room's events that nothing will ever give (appservice/gaps.go) has a turn, where its
// events would have had theirs. Who may have sent something then hears that it may not have
// arrived, and the other side that it may be missing (requirement B2). Beheer has an alarm.

// A loss is a part of a room's events that is lost.
type loss struct {
	care.Case
	when *outage
	told bool // who writes in the room can be told
}

// lostIn is what is said of a loss in a room of each kind; of the others only Beheer hears.
var lostIn = map[store.RoomKind]func(loss) []store.Effect{
	store.RoomConsulting:   lostOfPatient,
	store.RoomConversation: lostOfStaff,
}

// partLost is the turn of a loss.
func (b *Bridge) partLost(ctx context.Context, p place) error {
	say, known := lostIn[p.room.Kind]
	c, err := b.caseInRoom(ctx, p.room)
	if err != nil || !known || c.Person.ID == "" {
		return errors.Join(err, b.finish(ctx, p, nil))
	}
	l := loss{Case: c, when: lostBetween(p.OriginAt, p.ReceivedAt)}
	if l.told, err = b.canSay(ctx, p); err != nil {
		return errors.Join(errAway, err)
	}
	return b.finish(ctx, p, func(ctx context.Context) error { return b.add(ctx, say(l)...) })
}

func lostBetween(from, until time.Time) *outage {
	o := outageOf(store.Outage{From: from, Until: until}, 0, 0)
	if from.IsZero() {
		o.From = 0
	}
	return o
}

// canSay says whether the bot is in a room still: then it can say something there.
func (b *Bridge) canSay(ctx context.Context, p place) (bool, error) {
	if !p.room.LeftAt.IsZero() {
		return false, nil
	}
	_, err := b.Matrix.Joined(ctx, p.roomID())
	if errors.Is(err, ErrRefused) || errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// goesOn says that what is said at one side of a conversation still goes to the other.
func (l loss) goesOn() bool {
	return l.Conversation.State == care.Open && l.Person.State == care.Active
}

// lostOfPatient is of a consulting room. Who has left it reads nothing there, and who cannot send
// anything is not asked to.
func lostOfPatient(l loss) (all []store.Effect) {
	staff := "desk.lost_unknown"
	if l.told && !l.Person.Left {
		staff = "desk.lost"
		if l.Person.MaySpeak() {
			all = append(all, l.toPatient("relay.lost"))
		}
	}
	if l.goesOn() {
		all = append(all, l.toStaff(staff))
	}
	return all
}

// lostOfStaff is of the room of a conversation.
func lostOfStaff(l loss) (all []store.Effect) {
	patient := "relay.gap_lost_unknown"
	if l.told {
		patient, all = "relay.gap_lost", append(all, l.toStaff("sent.lost"))
	}
	if l.goesOn() && !l.Person.Left {
		all = append(all, l.toPatient(patient))
	}
	return all
}

func (l loss) toPatient(text string) store.Effect {
	return ofPerson(job("say", consulting(l.Person.ID), body{Text: text, Outage: l.when}), l.Person)
}

func (l loss) toStaff(text string) store.Effect {
	e := ofPerson(job("tell", conversation(l.Conversation.ID), body{Text: text, Outage: l.when}), l.Person)
	e.Conversation = l.Conversation.ID
	return e
}
