package bridge

import (
	"context"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

const (
	typingMost  = 2 * time.Minute // a homeserver tells once that someone types, and once that they stopped
	typingEvery = time.Second     // between two beginnings in one room: someone who floods wakes nobody
	typingTime  = 5 * time.Second // for the homeserver; nobody waits for it
	typingRooms = 10_000          // remembered at most
)

// typing is who types where, as far as it has not been passed on. It is not kept: after a crash
// nobody misses it.
type typing struct {
	bell  bell
	mu    *sync.Mutex
	news  map[id.RoomID][]id.UserID // newest word of each room
	shown map[id.RoomID]shownTyping // in which rooms the bot types; only the worker uses it
}

type shownTyping struct {
	since time.Time // when it last began
	now   bool
}

func newTyping() typing {
	return typing{newBell(), &sync.Mutex{}, map[id.RoomID][]id.UserID{}, map[id.RoomID]shownTyping{}}
}

// SomeoneTypes takes everyone who types in a room now. It does not wait.
func (b *Bridge) SomeoneTypes(room id.RoomID, users []id.UserID) {
	b.typing.mu.Lock()
	b.typing.news[room] = users
	b.typing.mu.Unlock()
	b.typing.bell.ring()
}

// runTyping passes typing on, one room after the other: messages go before.
func (b *Bridge) runTyping(ctx context.Context) error {
	for {
		if err := b.typing.bell.wait(ctx, time.Hour); err != nil {
			return nil // stopped
		}
		b.passTyping(ctx)
	}
}

func (b *Bridge) passTyping(ctx context.Context) {
	b.typing.mu.Lock()
	news := b.typing.news
	b.typing.news = map[id.RoomID][]id.UserID{}
	b.typing.mu.Unlock()
	for room, users := range news {
		if err := b.showTyping(ctx, room, users); err != nil && ctx.Err() == nil {
			b.Log.Debug().Err(err).Stringer("room_id", room).Msg("Passing on typing failed")
		}
	}
}

// showTyping shows in the room across what happens in a room.
func (b *Bridge) showTyping(ctx context.Context, room id.RoomID, users []id.UserID) error {
	ctx, cancel := context.WithTimeout(ctx, typingTime)
	defer cancel()
	target, types, err := b.typesTo(ctx, room, users)
	if err != nil || target == "" {
		return err
	}
	if !b.typing.change(target, types, b.Now()) {
		return nil
	}
	return b.Matrix.Typing(ctx, target, types, typingMost)
}

// change notes that the bot begins or stops to type in a room; false when there is nothing to
// tell the homeserver: it is so already, or it changes too often.
func (t typing) change(room id.RoomID, types bool, now time.Time) bool {
	before := t.shown[room]
	began := now.Sub(before.since)
	if !types && !before.now || types && before.now && began < typingMost/2 || types && began < typingEvery {
		return false
	}
	if len(t.shown) >= typingRooms {
		clear(t.shown)
	}
	if types {
		before.since = now
	}
	t.shown[room] = shownTyping{before.since, types}
	return true
}

// typesTo is where typing in a room is shown, and whether somebody types of whom the other side
// may see it: the patient, or staff who may answer.
func (b *Bridge) typesTo(ctx context.Context, roomID id.RoomID, users []id.UserID) (target id.RoomID, types bool, err error) {
	room, known, err := b.Store.Room(ctx, string(roomID))
	if err != nil || !known || room.Kind != store.RoomConsulting && room.Kind != store.RoomConversation {
		return "", false, err
	}
	c, err := b.caseInRoom(ctx, room)
	if err != nil || c.Conversation.State != care.Open || c.Person.State != care.Active {
		return "", false, err
	}
	if room.Kind == store.RoomConsulting {
		across, _, err := b.Store.RoomOf(ctx, store.RoomConversation, c.Conversation.ID)
		return id.RoomID(across.ID), slices.Contains(users, id.UserID(c.Person.UserID)), err
	}
	across, _, err := b.Store.RoomOf(ctx, store.RoomConsulting, c.Person.ID)
	if err != nil {
		return "", false, err
	}
	types, err = b.staffAmong(ctx, room, users)
	return id.RoomID(across.ID), types, err
}

// staffAmong says whether one of some users may answer in a room.
func (b *Bridge) staffAmong(ctx context.Context, room store.Room, users []id.UserID) (bool, error) {
	for _, user := range users {
		m, is, err := b.member(ctx, place{Turn: store.Turn{Sender: string(user)}, room: room})
		if err != nil || is && m.Role.May(care.MayAnswer) {
			return err == nil, err
		}
	}
	return false, nil
}
