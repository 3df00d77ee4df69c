package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// A fakeMatrix is a homeserver in memory, as far as the bridge sees one. It remembers what
// was sent and answers what it is told to; encryption and intake are tested with real servers.
type fakeMatrix struct {
	mu       sync.Mutex
	now      func() time.Time
	rooms    map[id.RoomID]*fakeRoom
	byTxn    map[string]id.EventID
	files    map[string][]byte
	noKey    map[id.EventID]bool
	unread   map[id.EventID]error // what reading these fails with
	keys     map[id.UserID]Identity
	unsigned map[id.UserID]id.DeviceID // devices that their owners have not verified
	bare     map[id.UserID]bool        // write without encryption
	typed    []fakeTyping
	receipts []fakeReceipt
	threaded map[id.EventID]bool // cannot have a receipt of the main timeline
	echoes   []*fakeEvent        // of the bot's own, not yet handed to the store
	n        int

	forgotten []store.SpentKey

	// fails, when set, is asked before every call: an error it returns is the answer.
	fails func(call string, room id.RoomID) error
	// lose, when set, says whether the answer to what is sent to a room gets lost.
	lose func(room id.RoomID) bool
	// mute says that /sync does not tell of what is sent.
	mute bool
}

type fakeRoom struct {
	Room
	id     id.RoomID
	open   bool
	joined bool // the bot is in it
	people int  // how many are in it, when that matters
	events []*fakeEvent
}

type fakeEvent struct {
	*event.Event
	txn  string
	gone bool
}

const botID = id.UserID("@spreekkamer:praktijk.example")

func newFakeMatrix(now func() time.Time) *fakeMatrix {
	return &fakeMatrix{
		now: now, rooms: map[id.RoomID]*fakeRoom{}, byTxn: map[string]id.EventID{}, files: map[string][]byte{},
		noKey: map[id.EventID]bool{}, keys: map[id.UserID]Identity{}, unsigned: map[id.UserID]id.DeviceID{}, bare: map[id.UserID]bool{}, threaded: map[id.EventID]bool{},
	}
}

func (f *fakeMatrix) UserID() id.UserID { return botID }

func (f *fakeMatrix) Identity(_ context.Context, user id.UserID) (Identity, error) {
	defer f.mu.Unlock()
	err := f.begin("identity", "")
	return f.keys[user], err
}

// begin locks, and says whether the call has to fail.
func (f *fakeMatrix) begin(call string, room id.RoomID) error {
	f.mu.Lock()
	if f.fails == nil {
		return nil
	}
	return f.fails(call, room)
}

// room finds a room, or makes one that somebody else has made.
func (f *fakeMatrix) room(room id.RoomID) *fakeRoom {
	if f.rooms[room] == nil {
		f.rooms[room] = &fakeRoom{id: room}
	}
	return f.rooms[room]
}

func (f *fakeMatrix) find(room id.RoomID, eventID id.EventID) (*fakeEvent, error) {
	for _, e := range f.room(room).events {
		if e.ID == eventID {
			return e, nil
		}
	}
	return nil, ErrNotFound
}

// put adds an event to a room.
func (f *fakeMatrix) put(room id.RoomID, sender id.UserID, kind event.Type, content map[string]any, txn string) *fakeEvent {
	f.n++
	data, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	evt := &event.Event{
		ID: id.EventID(fmt.Sprintf("$event%d", f.n)), RoomID: room, Sender: sender, Type: kind, Timestamp: f.now().UnixMilli(),
	}
	if err := evt.Content.UnmarshalJSON(data); err != nil {
		panic(err)
	}
	_ = evt.Content.ParseRaw(kind)
	e := &fakeEvent{Event: evt, txn: txn}
	f.room(room).events = append(f.room(room).events, e)
	return e
}

func (f *fakeMatrix) Read(_ context.Context, room id.RoomID, eventID id.EventID) (*event.Event, error) {
	defer f.mu.Unlock()
	if err := f.begin("read", room); err != nil {
		return nil, err
	}
	e, err := f.find(room, eventID)
	switch {
	case err != nil:
		return nil, err
	case e.gone:
		return nil, ErrRedacted
	case f.noKey[eventID]:
		return nil, ErrNoKey
	case f.unread[eventID] != nil:
		return nil, f.unread[eventID]
	}
	fresh := *e.Event // a reader may change what it gets
	fresh.Content = event.Content{}
	data, _ := json.Marshal(e.Content.Raw)
	_ = fresh.Content.UnmarshalJSON(data)
	_ = fresh.Content.ParseRaw(e.Type)
	if e.StateKey == nil && wrote(e.Type.Type) && !f.bare[e.Sender] {
		fresh.Mautrix.WasEncrypted, fresh.Mautrix.TrustState = true, id.TrustStateCrossSignedTOFU
	}
	if device, ok := f.unsigned[e.Sender]; ok && e.Type.Type == event.EventMessage.Type {
		fresh.Mautrix.TrustState, fresh.Mautrix.TrustSource = id.TrustStateUnset, &id.Device{DeviceID: device}
	}
	return &fresh, nil
}

func (f *fakeMatrix) EnsureRoom(_ context.Context, room Room) (id.RoomID, error) {
	defer f.mu.Unlock()
	roomID := id.RoomID("!" + room.Alias + ":praktijk.example")
	if err := f.begin("ensure", roomID); err != nil {
		return "", err
	}
	r := f.room(roomID)
	r.Room, r.open, r.joined = room, room.Open, true
	return roomID, nil
}

func (f *fakeMatrix) KeepOnly(_ context.Context, room id.RoomID, users []id.UserID) error {
	defer f.mu.Unlock()
	err := f.begin("keep only", room)
	if err == nil {
		f.room(room).Invite = slices.DeleteFunc(slices.Clone(f.room(room).Invite), func(u id.UserID) bool { return !slices.Contains(users, u) })
	}
	return err
}

func (f *fakeMatrix) Dissolve(_ context.Context, room, _ id.RoomID, _ string) (removed int, err error) {
	defer f.mu.Unlock()
	if err := f.begin("dissolve", room); err != nil && !errors.Is(err, ErrCannotErase) {
		return 0, err
	}
	r := f.room(room)
	removed = len(r.Invite)
	r.Invite, r.Space = nil, ""
	if f.fails != nil {
		return removed, f.fails("delete", room)
	}
	r.joined = false
	return removed, nil
}

func (f *fakeMatrix) Gate(_ context.Context, room id.RoomID, open bool) error {
	defer f.mu.Unlock()
	err := f.begin("gate", room)
	if err == nil {
		f.room(room).open = open
	}
	return err
}

func (f *fakeMatrix) Rename(_ context.Context, room id.RoomID, name string) error {
	defer f.mu.Unlock()
	err := f.begin("rename", room)
	if err == nil {
		f.room(room).Name = name
	}
	return err
}

func (f *fakeMatrix) enter(call string, room id.RoomID, joined bool) error {
	defer f.mu.Unlock()
	err := f.begin(call, room)
	if err == nil {
		f.room(room).joined = joined
	}
	return err
}

func (f *fakeMatrix) Join(_ context.Context, room id.RoomID) error {
	return f.enter("join", room, true)
}
func (f *fakeMatrix) Joined(_ context.Context, room id.RoomID) (int, error) {
	defer f.mu.Unlock()
	err := f.begin("joined", room)
	return f.room(room).people, err
}

func (f *fakeMatrix) Leave(_ context.Context, room id.RoomID) error {
	return f.enter("leave", room, false)
}

func (f *fakeMatrix) Redact(_ context.Context, room id.RoomID, eventID id.EventID, _ string) error {
	defer f.mu.Unlock()
	if err := f.begin("redact", room); err != nil {
		return err
	}
	e, err := f.find(room, eventID)
	if err == nil {
		e.gone = true
	}
	return err
}

func (f *fakeMatrix) Gone(_ context.Context, room id.RoomID, eventID id.EventID) (bool, error) {
	defer f.mu.Unlock()
	if err := f.begin("gone", room); err != nil {
		return false, err
	}
	e, err := f.find(room, eventID)
	return err == nil && e.gone, err
}

// pageSize is small, so that a few messages are several pages.
const pageSize = 5

func (f *fakeMatrix) History(_ context.Context, room id.RoomID, place string) (page Page, err error) {
	defer f.mu.Unlock()
	if err := f.begin("history", room); err != nil {
		return page, err
	}
	all := f.room(room).events
	end := len(all)
	if place != "" {
		if _, err := fmt.Sscanf(place, "p%d", &end); err != nil {
			return page, ErrRefused
		}
	}
	for i := end - 1; i >= max(end-pageSize, 0); i-- {
		e := all[i]
		page.Events = append(page.Events, store.Event{
			ID: string(e.ID), RoomID: string(room), Type: e.Type.Type, Sender: string(e.Sender), StateKey: e.StateKey,
			ForInbox: e.Sender != botID,
			OriginAt: time.UnixMilli(e.Timestamp).UTC(), Target: relatesTo(e.Content.Raw),
			HasContent: !e.gone && e.StateKey == nil && e.Type.Type != event.EventRedaction.Type,
		})
	}
	if end > pageSize {
		page.Next = fmt.Sprintf("p%d", end-pageSize)
	}
	return page, nil
}

func (f *fakeMatrix) Download(_ context.Context, file *event.EncryptedFileInfo, uri id.ContentURIString, most int64) ([]byte, error) {
	defer f.mu.Unlock()
	if err := f.begin("download", ""); err != nil {
		return nil, err
	}
	if file != nil {
		uri = file.URL
	}
	data, ok := f.files[string(uri)]
	switch {
	case !ok:
		return nil, ErrNotFound
	case int64(len(data)) > most:
		return nil, ErrTooLarge
	}
	return slices.Clone(data), nil
}

func (f *fakeMatrix) Upload(_ context.Context, data []byte, before func(uri string) error) (*event.EncryptedFileInfo, error) {
	f.mu.Lock()
	f.n++
	uri := fmt.Sprintf("mxc://praktijk.example/file%d", f.n)
	f.mu.Unlock()
	if err := before(uri); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	if err := f.begin("upload", ""); err != nil {
		return nil, err
	}
	f.files[uri] = slices.Clone(data)
	return &event.EncryptedFileInfo{URL: id.ContentURIString(uri)}, nil
}

func (f *fakeMatrix) ForgetKey(_ context.Context, key store.SpentKey) error {
	defer f.mu.Unlock()
	err := f.begin("forget key", id.RoomID(key.RoomID))
	if err == nil {
		f.forgotten = append(f.forgotten, key)
	}
	return err
}

func (f *fakeMatrix) EraseMedia(_ context.Context, uri string) error {
	defer f.mu.Unlock()
	err := f.begin("erase", "")
	if err == nil {
		delete(f.files, uri)
	}
	return err
}
