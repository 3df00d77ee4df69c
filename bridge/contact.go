package bridge

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// grace is how long what someone writes in a first chat is still answered by the
// greeting itself.
const grace = 10 * time.Second

// strangeWait is how long an event of an unknown room is kept for when the room becomes
// ours.
const strangeWait = 2 * time.Minute

// inUnknown handles what happens in a room that is not ours yet: an invitation from
// someone on an allowed homeserver makes it a first contact (requirement A1).
func (b *Bridge) inUnknown(ctx context.Context, p place) error {
	if p.Type != event.StateMember.Type || p.StateKey != string(b.Matrix.UserID()) {
		return b.strange(ctx, p)
	}
	person, err := b.personOf(ctx, p.Sender)
	if err != nil {
		return err
	}
	taken, err := b.admits(ctx, p, person)
	if err != nil {
		return err
	}
	if !taken {
		return b.finish(ctx, p, func(ctx context.Context) error {
			return b.add(ctx, job("leave", contact(p.RoomID), body{Room: p.RoomID}))
		})
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		person, err := b.enter(ctx, person)
		if err != nil {
			return err
		}
		room := store.Room{ID: p.RoomID, Kind: store.RoomContact, Person: person.ID, CreatedAt: b.Now()}
		if err := b.Store.SaveRoom(ctx, room); err != nil {
			return err
		}
		return b.add(ctx,
			ofPerson(job("join", contact(p.RoomID), body{Room: p.RoomID}), person),
			ofPerson(job("greet", contact(p.RoomID), body{Room: p.RoomID, Text: "greeting"}), person),
			ofPerson(job("consulting", consulting(person.ID), body{}), person))
	})
}

// strange handles an event of a room that is not ours, or not yet: a room that we are
// making is known a moment after the homeserver tells of it.
func (b *Bridge) strange(ctx context.Context, p place) error {
	if b.waited(p.ReceivedAt) < strangeWait {
		return errNotYet
	}
	return b.finish(ctx, p, nil)
}

// allowed applies the allow-list of homeservers (requirement A9).
func (b *Bridge) allowed(p place) bool {
	server := p.sender().Homeserver()
	return server == b.Domain || slices.Contains(b.Servers, server) || slices.Contains(b.Servers, "*")
}

// personOf returns the account of a Matrix user, a new one when there is none.
func (b *Bridge) personOf(ctx context.Context, user string) (care.Person, error) {
	person, known, err := b.Store.PersonByUser(ctx, user)
	if err != nil || known {
		return person, err
	}
	return care.Person{
		ID: uuid.NewString(), UserID: user, Language: b.Language, State: care.New,
		CreatedAt: b.Now(), ChangedAt: b.Now(),
	}, nil
}

// enter stores an account that is new. One that is known stays as it is now: an invitation that a
// transaction brought is in no queue of the person, so something else may have happened to them.
func (b *Bridge) enter(ctx context.Context, person care.Person) (care.Person, error) {
	if now, known, err := b.Store.PersonByUser(ctx, person.UserID); err != nil || known {
		return now, err
	}
	return person, b.Store.SavePerson(ctx, person)
}

// inContact handles the patient's own chat with the bot. Nothing is read there: what is
// written is removed where the bot may, and the way to the consulting room is shown.
func (b *Bridge) inContact(ctx context.Context, p place) error {
	person, err := b.personOf(ctx, p.Sender)
	if err != nil {
		return err
	}
	owner, known, err := b.Store.Person(ctx, p.room.Person)
	if err != nil {
		return err
	}
	if known && owner.ID != person.ID || !b.allowed(p) { // the chat is of who invited us, and of nobody else
		return b.finish(ctx, p, nil)
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		if !known {
			var err error
			if person, err = b.enter(ctx, person); err != nil {
				return err
			}
		}
		if p.room.Person != person.ID { // the account was removed, they begin anew
			p.room.Person = person.ID
			if err := b.Store.SaveRoom(ctx, p.room); err != nil {
				return err
			}
		}
		if !wrote(p.Type) {
			return nil
		}
		return b.add(ctx, b.pointTheWay(p, person)...)
	})
}

// wrote says whether someone wrote something: not a reaction, not a removal, no change of
// the room.
func wrote(kind string) bool {
	return kind == event.EventMessage.Type || kind == event.EventEncrypted.Type || kind != event.EventReaction.Type &&
		!strings.HasPrefix(kind, "m.room.")
}

// pointTheWay removes what was written, every time. The rest is for the person, who has it before them
// when they write ten messages in a row; what staff answer must not wait for ten looks at their room.
func (b *Bridge) pointTheWay(p place, person care.Person) []store.Effect {
	effects := []store.Effect{
		aboutEvent(ofPerson(job("remove", contact(p.RoomID), body{Room: p.RoomID}), person), p),
	}
	if p.OriginAt.After(p.room.CreatedAt.Add(grace)) && b.pointed.allow("way:"+p.RoomID, p.ID, 1, flowWindow, b.Now()) {
		effects = append(effects,
			ofPerson(job("greet", contact(p.RoomID), body{Room: p.RoomID, Text: "contact.pointer"}), person))
	}
	// mends the consulting room: who left it is invited again
	if b.pointed.allow(mendedFor(person), p.ID, 1, flowWindow, b.Now()) {
		effects = append(effects, ofPerson(job("consulting", consulting(person.ID), body{}), person))
	}
	return effects
}

// mendedFor names, in a quota, that the consulting room of a person was mended. It is forgotten when they
// leave that room: then they need it again, however short ago it was.
func mendedFor(person care.Person) string { return "room:" + person.ID }
