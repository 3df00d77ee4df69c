package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// alias makes the name that lets a room be found again after a lost answer. It holds a
// random id or the id of a practice, never a person's name.
func alias(kind store.RoomKind, key string) string {
	return "spreekkamer_" + string(kind) + "_" + strings.ReplaceAll(key, "-", "")
}

// Prepare makes the space and the staff rooms of every practice, or mends them. It is
// called at every start and may be repeated.
func (b *Bridge) Prepare(ctx context.Context) error {
	for _, p := range b.Practices {
		if err := b.preparePractice(ctx, p); err != nil {
			return fmt.Errorf("rooms of practice %s: %w", p.ID, err)
		}
	}
	return nil
}

// MendStaff has the rooms of every practice, also those of its conversations, brought in line
// with who works there now. Inside a transaction it is a part of that.
func (b *Bridge) MendStaff(ctx context.Context) error {
	for _, p := range b.Practices {
		if err := b.add(ctx, job("staff", beheer(p.ID), body{Practice: p.ID})); err != nil {
			return err
		}
	}
	b.outbox.ringAll()
	return nil
}

// staffRooms are the rooms that each practice has in its space.
var staffRooms = []struct {
	kind store.RoomKind
	name string // key of a text
}{
	{store.RoomBalie, "room.balie"},
	{store.RoomBeheer, "room.beheer"},
}

func (b *Bridge) preparePractice(ctx context.Context, p Practice) error {
	staff, err := b.staffOf(ctx, p.ID)
	if err != nil {
		return err
	}
	args := b.practiceArgs(p)
	space, err := b.ensure(ctx, store.Room{Kind: store.RoomSpace, Practice: p.ID}, p.ID, Room{
		Kind: SpaceRoom, Name: b.Texts.Text(b.Language, "room.space", args), Invite: staff,
	})
	if err != nil {
		return err
	}
	for _, r := range staffRooms {
		_, err := b.ensure(ctx, store.Room{Kind: r.kind, Practice: p.ID}, p.ID, Room{
			Kind: StaffRoom, Name: b.Texts.Text(b.Language, r.name, args), Invite: staff, Space: space,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ensure makes or mends a room and remembers it.
func (b *Bridge) ensure(ctx context.Context, row store.Room, key string, room Room) (id.RoomID, error) {
	room.Alias = alias(row.Kind, key)
	roomID, failure := b.Matrix.EnsureRoom(ctx, room)
	if failure != nil {
		failure = fmt.Errorf("%s room: %w", row.Kind, failure)
	}
	if roomID == "" {
		return "", failure
	}
	// a room that is there but not yet as it should be is ours all the same: what happens
	// in it must find its way
	_, known, err := b.Store.Room(ctx, string(roomID))
	if err == nil && !known {
		row.ID, row.CreatedAt = string(roomID), b.Now()
		err = b.Store.SaveRoom(ctx, row)
	}
	return roomID, errors.Join(failure, err)
}

// staffOf lists the Matrix users who belong in the rooms of a practice: in each of them is
// something that people wrote, or who they are.
func (b *Bridge) staffOf(ctx context.Context, practice string) (users []id.UserID, err error) {
	all, err := b.Store.StaffOf(ctx, practice)
	for _, m := range all {
		if m.Role.May(care.MaySee) {
			users = append(users, id.UserID(m.UserID))
		}
	}
	return users, err
}

func userIDs(staff []id.UserID) (all []string) {
	for _, user := range staff {
		all = append(all, string(user))
	}
	return all
}

// joinAttempts is how often a refused invitation is tried; together some minutes.
const joinAttempts = 8

// deliverJoin accepts an invitation. The other homeserver may refuse at first: it has asked
// ours to sign the invitation, and does not count on it before the answer is there.
func (b *Bridge) deliverJoin(ctx context.Context, t task) (delivery, error) {
	err := b.Matrix.Join(ctx, id.RoomID(t.body.Room))
	if errors.Is(err, ErrRefused) && t.Attempt < joinAttempts {
		return delivery{}, errors.New("the invitation does not hold yet")
	}
	if err != nil {
		return delivery{}, err
	}
	people, err := b.Matrix.Joined(ctx, id.RoomID(t.body.Room))
	if err != nil || people <= mostInContact {
		return delivery{}, err
	}
	return b.leaveCrowd(ctx, id.RoomID(t.body.Room))
}

// deliverLeave leaves a room; one that we are not in any more has been left.
func (b *Bridge) deliverLeave(ctx context.Context, t task) (delivery, error) {
	err := b.Matrix.Leave(ctx, id.RoomID(t.body.Room))
	if errors.Is(err, ErrRefused) || errors.Is(err, ErrNotFound) {
		err = nil
	}
	return delivery{}, err
}

// deliverConsultingRoom makes the patient's lasting room, or invites them again.
func (b *Bridge) deliverConsultingRoom(ctx context.Context, t task) (done delivery, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return done, err
	}
	room := Room{
		Kind: ConsultingRoom, Invite: []id.UserID{id.UserID(person.UserID)}, Open: person.MaySpeak(),
		Name: b.Texts.Text(person.Language, "room.consulting", b.practiceArgs(b.practice(person.Answers.Practice))),
	}
	_, err = b.ensure(ctx, store.Room{Kind: store.RoomConsulting, Person: person.ID}, person.ID, room)
	return done, err
}

// deliverGate opens or closes the gate, as the account stands now.
func (b *Bridge) deliverGate(ctx context.Context, t task) (done delivery, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return done, err
	}
	room, err := b.roomOf(ctx, store.RoomConsulting, person.ID)
	if err != nil {
		return done, err
	}
	return done, b.Matrix.Gate(ctx, id.RoomID(room), person.MaySpeak())
}

// deliverMute closes the gate of a room whose person has been forgotten.
func (b *Bridge) deliverMute(ctx context.Context, t task) (delivery, error) {
	return delivery{}, b.Matrix.Gate(ctx, id.RoomID(t.body.Room), false)
}

// deliverConversationRoom makes the room of a conversation. All staff of the practice
// are invited before anything is posted, so that their devices get the keys.
func (b *Bridge) deliverConversationRoom(ctx context.Context, t task) (done delivery, err error) {
	c, known, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil || !known {
		return done, errors.Join(err, refused("the conversation is gone"))
	}
	space, err := b.roomOf(ctx, store.RoomSpace, b.practice(c.Practice).ID)
	if err != nil {
		return done, err
	}
	staff, err := b.staffOf(ctx, b.practice(c.Practice).ID)
	if err != nil {
		return done, err
	}
	row := store.Room{Kind: store.RoomConversation, Person: c.Person, Conversation: c.ID, Practice: b.practice(c.Practice).ID}
	room, err := b.ensure(ctx, row, c.ID, Room{
		Kind: ConversationRoom, Name: b.conversationName(c), Invite: staff, Space: id.RoomID(space),
	})
	done.after = func(ctx context.Context) error {
		return b.Store.SetRoomStaff(ctx, string(room), userIDs(staff), b.Now())
	}
	return done, err
}

// conversationName is a number and a status: room names are never encrypted.
func (b *Bridge) conversationName(c care.Conversation) string {
	key := "room.conversation"
	if c.State == care.Closed {
		key = "room.conversation.closed"
	}
	return b.Texts.Text(b.Language, key, texts.Args{Number: c.Number})
}

func (b *Bridge) deliverRename(ctx context.Context, t task) (done delivery, err error) {
	c, known, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil || !known {
		return done, err
	}
	room, err := b.roomOf(ctx, store.RoomConversation, c.ID)
	if err != nil {
		return done, err
	}
	return done, b.Matrix.Rename(ctx, id.RoomID(room), b.conversationName(c))
}

// deliverStaffRooms mends the rooms of a practice after its staff changed: the lasting ones
// first, because who is in the space may enter the rest; then those of every conversation.
func (b *Bridge) deliverStaffRooms(ctx context.Context, t task) (done delivery, err error) {
	p := b.practice(t.body.Practice)
	if err := b.preparePractice(ctx, p); err != nil {
		return done, err
	}
	rooms, err := b.Store.RoomsOfPractice(ctx, p.ID, store.RoomConversation)
	if err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error {
		for _, room := range rooms {
			mend := job("staff.conversation", conversation(room.Conversation), body{Room: room.ID})
			mend.Person, mend.Conversation = room.Person, room.Conversation
			if err := b.add(ctx, mend); err != nil {
				return err
			}
		}
		return nil
	}
	return done, nil
}

// deliverConversationStaff brings one conversation's room in line with who works there now. In
// the room of a conversation that is over nobody new is asked in.
func (b *Bridge) deliverConversationStaff(ctx context.Context, t task) (done delivery, err error) {
	c, known, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil {
		return done, err
	}
	if known && c.State == care.Open {
		return b.deliverConversationRoom(ctx, t)
	}
	room, known, err := b.Store.Room(ctx, t.body.Room)
	if err != nil || !known || !room.LeftAt.IsZero() {
		return done, err
	}
	staff, err := b.staffOf(ctx, room.Practice)
	if err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error { return b.Store.LeftStaff(ctx, room.ID, userIDs(staff)) }
	return done, b.Matrix.KeepOnly(ctx, id.RoomID(room.ID), staff)
}
