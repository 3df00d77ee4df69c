package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

// A RoomKind is what a room is for.
type RoomKind string

// The kinds of rooms.
const (
	RoomContact      RoomKind = "contact"      // a patient's own chat with the bot
	RoomConsulting   RoomKind = "consulting"   // where patient and bot talk; one per person
	RoomSpace        RoomKind = "space"        // of a practice
	RoomBalie        RoomKind = "balie"        // the desk of a practice
	RoomBeheer       RoomKind = "beheer"       // administration of a practice
	RoomConversation RoomKind = "conversation" // staff's room of one conversation
)

const (
	roomColumns = `SELECT room_id, kind, person, conversation, practice, created_at, left_at FROM room `
	getRoom     = roomColumns + `WHERE room_id = $1`
	allRooms    = roomColumns + `ORDER BY created_at, room_id`
	roomsOf     = roomColumns + `WHERE person = $1 AND person <> '' ORDER BY created_at, room_id`
	putRoom     = `
		INSERT INTO room (room_id, kind, person, conversation, practice, created_at, left_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (room_id) DO UPDATE SET
			kind = excluded.kind, person = excluded.person, conversation = excluded.conversation,
			practice = excluded.practice, left_at = excluded.left_at
	`
	newest          = ` AND kind = $2 AND left_at = 0 ORDER BY created_at DESC, room_id LIMIT 1`
	roomOfPerson    = roomColumns + `WHERE person = $1 AND person <> ''` + newest
	roomOfTalk      = roomColumns + `WHERE conversation = $1 AND conversation <> ''` + newest
	roomOfPractice  = roomColumns + `WHERE practice = $1 AND practice <> ''` + newest
	roomsOfPractice = roomColumns + `WHERE practice = $1 AND practice <> '' AND kind = $2 AND left_at = 0 ORDER BY created_at, room_id`
	ownerOfRoom     = `
		SELECT COALESCE(person.user_id, ''), room.practice <> '' FROM room LEFT JOIN person ON person.id = room.person
		WHERE room.room_id = $1
	`
)

// roomOf is by which key a room of a kind is found.
var roomOf = map[RoomKind]string{
	RoomContact: roomOfPerson, RoomConsulting: roomOfPerson, RoomConversation: roomOfTalk,
	RoomSpace: roomOfPractice, RoomBalie: roomOfPractice, RoomBeheer: roomOfPractice,
}

// A Room is a room that the bot is or was in.
type Room struct {
	ID           string
	Kind         RoomKind
	Person       string // for contact, consulting and conversation rooms
	Conversation string // for conversation rooms
	Practice     string
	CreatedAt    time.Time // zero: now; never changes
	LeftAt       time.Time // zero: the bot is in it
}

// SaveRoom stores a room. When that says whose room it is, what waits for its turn there
// moves to the queue of that person, in its order; so store the person first.
func (s *Store) SaveRoom(ctx context.Context, r Room) error {
	if r.CreatedAt.IsZero() {
		r.CreatedAt = s.now()
	}
	return s.write(ctx, func(ctx context.Context) error {
		before, _, err := s.queueOfRoom(ctx, r.ID)
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, putRoom, r.ID, r.Kind, r.Person, r.Conversation, r.Practice,
			ms(r.CreatedAt), ms(r.LeftAt)); err != nil {
			return fmt.Errorf("save room %s: %w", r.ID, err)
		}
		if err := s.walkRoom(ctx, r); err != nil {
			return fmt.Errorf("save room %s: %w", r.ID, err)
		}
		after, _, err := s.queueOfRoom(ctx, r.ID)
		if err != nil {
			return err
		}
		return s.moveTurns(ctx, r.ID, before, after)
	})
}

// Room finds a room.
func (s *Store) Room(ctx context.Context, id string) (Room, bool, error) {
	r, found, err := one(ctx, s, scanRoom, getRoom, id)
	if err != nil {
		return Room{}, false, fmt.Errorf("get room %s: %w", id, err)
	}
	return r, found, nil
}

// RoomOf finds the newest room of a kind that the bot is still in. The key is the id of a
// person, of a conversation or of a practice, as the kind has it.
func (s *Store) RoomOf(ctx context.Context, kind RoomKind, key string) (Room, bool, error) {
	query, known := roomOf[kind]
	if !known {
		return Room{}, false, fmt.Errorf("get the %s room of %s: no such kind", kind, key)
	}
	r, found, err := one(ctx, s, scanRoom, query, key, kind)
	if err != nil {
		return Room{}, false, fmt.Errorf("get the %s room of %s: %w", kind, key, err)
	}
	return r, found, nil
}

// Rooms is every room, also those left, oldest first.
func (s *Store) Rooms(ctx context.Context) ([]Room, error) {
	rooms, err := list(ctx, s, scanRoom, allRooms)
	if err != nil {
		return nil, fmt.Errorf("list rooms: %w", err)
	}
	return rooms, nil
}

// RoomsOfPerson is every room of a person, also those left, oldest first.
func (s *Store) RoomsOfPerson(ctx context.Context, person string) ([]Room, error) {
	rooms, err := list(ctx, s, scanRoom, roomsOf, person)
	if err != nil {
		return nil, fmt.Errorf("list the rooms of person %s: %w", person, err)
	}
	return rooms, nil
}

// RoomsOfPractice is every room of a kind of a practice that the bot is in, oldest first.
func (s *Store) RoomsOfPractice(ctx context.Context, practice string, kind RoomKind) ([]Room, error) {
	rooms, err := list(ctx, s, scanRoom, roomsOfPractice, practice, kind)
	if err != nil {
		return nil, fmt.Errorf("list the %s rooms of practice %s: %w", kind, practice, err)
	}
	return rooms, nil
}

// QueueOf is the queue of everything that happens with a Matrix user who is a patient.
func QueueOf(user string) string { return "user:" + user }

func roomQueue(room string) string { return "room:" + room }

// queueOfRoom is the queue of what happens in a room: that of its person, else its own. owned
// says that it is known whose room it is.
func (s *Store) queueOfRoom(ctx context.Context, room string) (queue string, owned bool, err error) {
	o, _, err := one(ctx, s, scanOwner, ownerOfRoom, room)
	if err != nil {
		return "", false, fmt.Errorf("find the queue of room %s: %w", room, err)
	}
	if o.user != "" {
		return QueueOf(o.user), true, nil
	}
	return roomQueue(room), o.practice, nil
}

// An owner is whose a room is: a patient's, or a practice's.
type owner struct {
	user     string
	practice bool
}

func scanOwner(row dbutil.Scannable) (o owner, err error) {
	err = row.Scan(&o.user, &o.practice)
	return o, err
}

func scanRoom(row dbutil.Scannable) (r Room, err error) {
	var created, left int64
	err = row.Scan(&r.ID, &r.Kind, &r.Person, &r.Conversation, &r.Practice, &created, &left)
	r.CreatedAt, r.LeftAt = at(created), at(left)
	return r, err
}
