package bridge

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/id"
)

// types says who types in a room now, and lets it be passed on.
func (w *world) types(room id.RoomID, users ...id.UserID) []fakeTyping {
	w.SomeoneTypes(room, users)
	w.passTyping(w.Context())
	typed := w.matrix.typed
	w.matrix.typed = nil
	w.clock = w.clock.Add(typingEvery)
	return typed
}

func TestTypingGoesBothWays(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	for _, tt := range []struct {
		name  string
		room  id.RoomID
		users []id.UserID
		want  []fakeTyping
	}{
		{"the patient begins", consulting, []id.UserID{anna}, []fakeTyping{{talk, true}}},
		{"and goes on", consulting, []id.UserID{anna, botID}, nil},
		{"and stops", consulting, nil, []fakeTyping{{talk, false}}},
		{"nobody begins", consulting, nil, nil},
		{"the bot itself", consulting, []id.UserID{botID}, nil},
		{"staff begin", talk, []id.UserID{fatima}, []fakeTyping{{consulting, true}}},
		{"two of them", talk, []id.UserID{fatima, chef}, nil},
		{"staff stop", talk, []id.UserID{}, []fakeTyping{{consulting, false}}},
		{"who may not answer", talk, []id.UserID{chef}, nil},
		{"a stranger", talk, []id.UserID{"@x:y"}, nil},
		{"another room", "!elsewhere", []id.UserID{anna, fatima}, nil},
	} {
		assert.Equal(t, tt.want, w.types(tt.room, tt.users...), tt.name)
	}
}

func TestTypingIsShownOnlyInAnOpenConversation(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	assert.Empty(t, w.types(room, anna), "there is none")
	w.writes(anna, room, "Een vraag")
	assert.Empty(t, w.types(room, anna), "staff do not know of it yet")
	w.writes(anna, room, "over mijzelf")
	w.passes(time.Second)
	talk := w.talk(anna)
	assert.Len(t, w.types(room, anna), 1)
	w.writes(fatima, talk, "!sluiten")
	assert.Empty(t, w.types(talk, fatima), "it is over")
}

func TestSomeoneWhoFloodsWithTypingIsHeardNowAndThen(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	for range 1000 {
		for _, users := range [][]id.UserID{{anna}, nil} {
			w.SomeoneTypes(consulting, users)
			w.passTyping(t.Context())
		}
		w.clock = w.clock.Add(10 * time.Millisecond)
	}
	assert.LessOrEqual(t, len(w.matrix.typed), 2*11, "ten seconds")
}

func TestTypingThatIsNotPassedOnIsForgotten(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(string, id.RoomID) error { return errors.New("out of order") }
	assert.Empty(t, w.types(consulting, anna))
	w.matrix.fails = nil
	assert.Equal(t, []fakeTyping{{talk, false}}, w.types(consulting))
}

func TestTypingRemembersOnlySoManyRooms(t *testing.T) {
	d := newTyping()
	for n := range 3 * typingRooms {
		d.change(id.RoomID(fmt.Sprint(n)), true, time.Unix(0, 0))
	}
	assert.LessOrEqual(t, len(d.shown), typingRooms)
}
