package bridge

import (
	"context"
	"errors"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// Nobody may take so much that others notice (requirement A9). Whatever a patient sends is passed on, in
// order; staff's answers, and what is of others, need not wait behind it. Who sends too much is told so.
// Who sends many times as much is refused by their own homeserver for a minute, where the app shows
// that it was not sent. Invitations that are too many wait, or are declined.
//
// Closing the gate is for floods only. A message that is on its way while it closes can be accepted by
// the homeserver of who sent it, and told to nobody (docs/homeservers.md): both sides are told that it
// may be missing (requirement B2).

// Limits are how much one person or server may ask of us.
type Limits struct {
	Messages          int // of one patient in a minute before they are told; 0 = no limit
	Invitations       int // of one user in an hour; 0 = no limit
	ServerInvitations int // of strangers on one homeserver in a minute; 0 = no limit
}

const (
	flowWindow = time.Minute
	flood      = 10               // times the limit: then the gate closes
	warnAgain  = 10 * time.Minute // who was told that they send too much
	// mostInContact is how many may be in someone's own chat with the bot. A chat of more people
	// is none: it would cost its size, and others would read what is said.
	mostInContact = 10
)

// calming is the destination of a pause, from its beginning to its end, in that order. It is not
// the room's own: that would let everything else to the patient wait for it.
func calming(person string) string { return "calm:" + person }

// calm is what a patient is told who has sent more than is taken in a minute, and what closes the gate
// when it is a flood. Messages that were sent before, and only came in late, are no flood.
func (b *Bridge) calm(ctx context.Context, p place, person care.Person) ([]store.Effect, error) {
	if b.Limits.Messages == 0 || b.Now().Sub(p.OriginAt) > flowWindow {
		return nil, nil
	}
	n, err := b.Store.SentSince(ctx, p.Sender, p.RoomID, p.OriginAt.Add(-flowWindow))
	switch {
	case err != nil || n < b.Limits.Messages:
		return nil, err
	case n >= flood*b.Limits.Messages:
		return b.stem(ctx, p, person)
	case b.warned.allow(p.Sender, p.ID, 1, warnAgain, b.Now()):
		return []store.Effect{ofPerson(job("say", consulting(person.ID), body{Text: "flow.much"}), person)}, nil
	}
	return nil, nil
}

// stem closes the gate for a minute. What was sent in that moment may be missing: both sides are told.
func (b *Bridge) stem(ctx context.Context, p place, person care.Person) ([]store.Effect, error) {
	c, err := b.caseInRoom(ctx, p.room)
	if err != nil {
		return nil, err
	}
	if paused, err := b.Store.HasQueuedTo(ctx, calming(person.ID)); err != nil || paused {
		return nil, err
	}
	say := func(text string) store.Effect { return job("say", calming(person.ID), body{Text: text}) }
	pause, reopen := job("mute", calming(person.ID), body{Room: p.RoomID}), job("gate", calming(person.ID), body{})
	reopen.DueAt = b.Now().Add(flowWindow)
	all := []store.Effect{pause, say("flow.paused"), reopen, say("flow.open")}
	for i := range all {
		all[i] = ofPerson(all[i], person)
	}
	if c.Conversation.State == care.Open && person.State == care.Active {
		all = append(all, toDesk(c, body{Text: "desk.flood"}))
	}
	return all, nil
}

// longestWait is how long an invitation that is too many waits. As many may wait at once as can be taken in that time.
const longestWait = 5 * time.Minute

// admits says whether an invitation is taken. Who is known only answers for themselves. Who is not yet, and
// comes while strangers of the same homeserver ask too much, waits for the next minute in which there is
// room: to a patient an invitation that is declined is a chat in which nobody speaks. A turn that is tried
// again is the same invitation still.
func (b *Bridge) admits(ctx context.Context, p place, person care.Person) (taken bool, err error) {
	now, server := b.Now(), p.sender().Homeserver()
	defer func() {
		if err == nil { // taken or declined: another may wait in its place
			b.atDoor.leave(server, p.ID)
		}
	}()
	if !b.allowed(p) || !b.invitations.allow("user:"+p.Sender, p.ID, b.Limits.Invitations, time.Hour, now) {
		return false, nil
	}
	most := b.Limits.ServerInvitations
	if person.State != care.New || b.invitations.allow("server:"+server, p.ID, most, flowWindow, now) {
		return true, nil
	}
	_, met, err := b.Store.PersonByUser(ctx, p.Sender) // who has a chat with us already needs no other
	if err != nil || met || b.waited(p.ReceivedAt) >= longestWait ||
		!b.atDoor.enter(server, p.ID, most*int(longestWait/flowWindow), 2*flowWindow, now) { // it is tried again within one
		return false, err
	}
	return false, notBefore{b.invitations.since("server:" + server).Add(flowWindow)}
}

// notBefore is an errNotYet that knows when.
type notBefore struct{ at time.Time }

func (notBefore) Error() string { return errNotYet.Error() }
func (notBefore) Unwrap() error { return errNotYet }

// nextTry is when a turn is tried again that could not be taken yet.
func (b *Bridge) nextTry(t store.Turn, err error) time.Time {
	var when notBefore
	if errors.As(err, &when) {
		return when.at
	}
	return b.Now().Add(shortly(t.Attempt))
}

// leaveCrowd leaves a chat that has turned out to be a room of many, and calls off what was to be
// said there.
func (b *Bridge) leaveCrowd(ctx context.Context, room id.RoomID) (done delivery, err error) {
	if err := b.Matrix.Leave(ctx, room); err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrNotFound) {
		return done, err
	}
	done.after = func(ctx context.Context) error {
		_, err := b.Store.CancelEffects(ctx, contact(string(room)))
		return err
	}
	return done, nil
}
