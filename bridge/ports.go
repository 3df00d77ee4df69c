package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// What Matrix can answer besides a result. Every other error is tried again.
var (
	ErrNoKey       = errors.New("the key of this message has not arrived")
	ErrUnreadable  = errors.New("no key can open this message")
	ErrRedacted    = errors.New("this message has been removed")
	ErrNotFound    = errors.New("the homeserver does not know this event")
	ErrRefused     = errors.New("the homeserver refuses this for good")
	ErrTooLarge    = fmt.Errorf("larger than is passed on: %w", ErrRefused)
	ErrThere       = errors.New("such a reaction of ours is there already")
	ErrCannotErase = errors.New("this homeserver cannot erase media")
)

// Matrix is what the bridge needs of the homeserver; package appservice has it.
type Matrix interface {
	UserID() id.UserID
	// Identity is the cryptographic identity of a user as far as it is known here; it asks nobody.
	Identity(ctx context.Context, user id.UserID) (Identity, error)
	// Read returns an event with its content decrypted.
	Read(ctx context.Context, room id.RoomID, event id.EventID) (*event.Event, error)
	// Send sends content once per txn, encrypted where the room is. It may have been sent
	// before, since a time: then the room is searched for it first (zero = certainly new).
	Send(ctx context.Context, room id.RoomID, kind event.Type, content map[string]any, txn string, since time.Time) (id.EventID, error)
	// Sent finds what was sent under a txn since a time; false = nothing was.
	Sent(ctx context.Context, room id.RoomID, txn string, since time.Time) (id.EventID, bool, error)
	// EnsureRoom makes the room, or mends it where it is not as it should be.
	EnsureRoom(ctx context.Context, room Room) (id.RoomID, error)
	// KeepOnly removes everyone from a room but those given and the bot, invited or joined.
	KeepOnly(ctx context.Context, room id.RoomID, users []id.UserID) error
	// Dissolve takes a room out of its space (if there is one), gives up its alias, removes
	// everyone else from it and deletes it with everything in it. ErrCannotErase: all but that.
	Dissolve(ctx context.Context, room, space id.RoomID, alias string) (removed int, err error)
	// Gate lets the member of a consulting room speak, or mutes the room.
	Gate(ctx context.Context, room id.RoomID, open bool) error
	Rename(ctx context.Context, room id.RoomID, name string) error
	Join(ctx context.Context, room id.RoomID) error
	Leave(ctx context.Context, room id.RoomID) error
	// Joined is how many people are in a room.
	Joined(ctx context.Context, room id.RoomID) (int, error)
	// Redact removes an event's content; Gone reads back whether it is.
	Redact(ctx context.Context, room id.RoomID, event id.EventID, txn string) error
	Gone(ctx context.Context, room id.RoomID, event id.EventID) (bool, error)
	// History is a page of a room's events, newest first, from a place on ("" = the newest).
	History(ctx context.Context, room id.RoomID, place string) (Page, error)
	// MarkRead shows that the bot has read up to an event: in the whole room (""), in its "main"
	// timeline, or in the thread of an event.
	MarkRead(ctx context.Context, room id.RoomID, read id.EventID, thread string) error
	// Typing shows that the bot types, for a time at most, or not any more.
	Typing(ctx context.Context, room id.RoomID, typing bool, most time.Duration) error
	SentAt(ctx context.Context, room id.RoomID, event id.EventID) (time.Time, error)
	Download(ctx context.Context, file *event.EncryptedFileInfo, uri id.ContentURIString, max int64) ([]byte, error)
	// Upload encrypts with a fresh key. before is told the address ahead of the bytes
	// where the homeserver allows that, so that no upload is ever forgotten.
	Upload(ctx context.Context, data []byte, before func(uri string) error) (*event.EncryptedFileInfo, error)
	// ForgetKey makes the messages that a key opened unreadable for good.
	ForgetKey(ctx context.Context, key store.SpentKey) error
	EraseMedia(ctx context.Context, uri string) error
}

// A Page is a part of a room's history.
type Page struct {
	Events []store.Event // without what they say
	Next   string        // the place where it goes on; "" = this was the room's beginning
}

// A Scanner looks for what is harmful in files; package media/clamd has one. An error says
// that it did not look.
type Scanner interface {
	Scan(ctx context.Context, data []byte) (found string, err error)
}

// RoomKind is what a room of ours is for.
type RoomKind string

// The kinds of rooms that the bridge makes.
const (
	ConsultingRoom   RoomKind = "consulting"
	SpaceRoom        RoomKind = "space"
	StaffRoom        RoomKind = "staff"        // Balie, Beheer
	ConversationRoom RoomKind = "conversation" // one per conversation, for staff
)

// A Room is a room as it should be.
type Room struct {
	Kind   RoomKind
	Alias  string // localpart, without # and server: makes creating it repeatable
	Name   string
	Invite []id.UserID
	Space  id.RoomID // the space it belongs to; "" = none
	Open   bool      // consulting rooms: the patient may speak
}

// refused wraps an error of ours that trying again does not cure.
func refused(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrRefused)
}
