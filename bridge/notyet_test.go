package bridge

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// A homeserver may tell of a message a moment before it gives it to who asks: Dendrite does so.
func TestAMessageThatItsHomeserverDoesNotFindYetIsWaitedFor(t *testing.T) {
	for name, fails := range map[string]int{"in its turn": 1, "when it is passed on": 2, "when it is filed": 3} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			room, talk := w.talking(anna, "Een vraag")
			read := 0
			w.matrix.fails = func(call string, where id.RoomID) error {
				if call != "read" || where != room {
					return nil
				}
				if read++; read == fails {
					return ErrNotFound
				}
				return nil
			}
			w.writes(anna, room, "kanarie")
			require.GreaterOrEqual(t, read, fails)
			for range 10 {
				w.passes(10 * time.Second)
			}
			assert.Equal(t, 1, strings.Count(w.heard(talk), "kanarie"))
			assert.Equal(t, 1, strings.Count(strings.Join(w.letters(), "\n"), "kanarie"))
		})
	}
}

// A homeserver that was away finds what it told of before some time after it is back, and so it is
// when the clock is set meanwhile.
func TestAMessageThatIsNotFoundLongAfterItCameInIsWaitedForToo(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	pass := w.ticks()
	answers := errors.New("the homeserver is away")
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "read" && where == room {
			return answers
		}
		return nil
	}
	w.writes(anna, room, "kanarie")
	for range 6 {
		pass(10 * time.Minute)
	}
	answers = ErrNotFound
	pass(foundWithin)
	pass(30 * time.Second)
	w.clock = w.clock.Add(time.Hour)
	pass(10 * time.Second)
	answers = nil
	pass(time.Minute)
	assert.Equal(t, 1, strings.Count(w.heard(talk), "kanarie"))
	assert.Equal(t, 1, strings.Count(strings.Join(w.letters(), "\n"), "kanarie"))
}

func TestAMessageThatItsHomeserverNeverFindsHoldsUpNobodyForLong(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "read" && where == room {
			return ErrNotFound
		}
		return nil
	}
	w.writes(anna, room, "verdwenen")
	for range foundWithin / (15 * time.Second) {
		w.passes(15 * time.Second)
	}
	w.matrix.fails = nil
	w.writes(anna, room, "en dit is er wel")
	w.passes(time.Minute)
	assert.NotContains(t, w.heard(talk), "verdwenen")
	assert.Contains(t, w.heard(talk), "en dit is er wel")
}

// What has no content is in no ledger, and is waited for all the same.
func TestARemovalOrAnArrivalThatItsHomeserverDoesNotFindYetIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	e := w.writes(anna, room, "kanarie")
	require.Len(t, w.left(talk, "kanarie"), 1)
	missing := true
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "read" && where == room && missing {
			return ErrNotFound
		}
		return nil
	}
	w.removes(anna, room, e)
	w.moves(anna, room, anna, event.MembershipLeave)
	require.Len(t, w.left(talk, "kanarie"), 1)
	missing = false
	w.passes(time.Minute)
	assert.Empty(t, w.left(talk, "kanarie"))
	assert.True(t, w.person(anna).Left)
}

// A homeserver that does not answer every time has said so all the same.
func TestAnEventThatIsGoneIsBelievedBetweenOtherErrors(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	n := 0
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call != "read" || where != room {
			return nil
		}
		if n++; n%3 == 0 {
			return errors.New("502 bad gateway")
		}
		return ErrNotFound
	}
	w.writes(anna, room, "verdwenen")
	for range 20 {
		w.passes(15 * time.Second)
	}
	w.matrix.fails = nil
	w.writes(anna, room, "en dit is er wel")
	assert.NotContains(t, w.heard(talk), "verdwenen")
	assert.Contains(t, w.heard(talk), "en dit is er wel")
}

// All that is not found in a conversation is waited for at the same time when it is closed.
func TestAConversationOfManyEventsThatAreNotFoundIsClosedInMinutes(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	room, talk := w.talking(anna, "Een vraag")
	for range 10 {
		w.writes(anna, room, "verdwenen")
	}
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "read" && where == room {
			return ErrNotFound
		}
		return nil
	}
	w.writes(fatima, talk, "!sluiten")
	for range 20 {
		w.passes(15 * time.Second)
	}
	assert.Len(t, h.filed, 1)
}

func TestTheTimeInWhichAnEventIsNotFoundIsCounted(t *testing.T) {
	var a absentees
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	missed := func(one id.EventID, at time.Duration) time.Duration { return a.missed(one, noon.Add(at)) }
	assert.Zero(t, missed("$a", 0))
	assert.Equal(t, 15*time.Second, missed("$a", 15*time.Second))
	assert.Zero(t, missed("$b", 20*time.Second))
	assert.Equal(t, 75*time.Second, missed("$a", time.Hour), "it was away, or the clock was set")
	assert.Equal(t, 75*time.Second, missed("$a", 0), "the clock was set back")
	a.found("$a")
	assert.Zero(t, missed("$a", time.Second))
	for i := range mostAbsent {
		missed(id.EventID(fmt.Sprint(i)), 0)
	}
	assert.LessOrEqual(t, len(a.all), mostAbsent)
}

// What we removed ourselves is not looked for: a conversation with many such messages is closed at once.
func TestWhatIsRemovedIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Een vraag")
	e := w.writes(anna, room, "kanarie")
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "read" && where == room {
			return ErrNotFound
		}
		return nil
	}
	_, err := w.readEvent(t.Context(), room, e)
	require.ErrorIs(t, err, errNotYet)
	_, err = w.readEvent(t.Context(), room, "$unknown")
	require.ErrorIs(t, err, ErrNotFound)
	w.matrix.fails = nil
	w.lives(31)
	w.matrix.fails = func(string, id.RoomID) error { return ErrNotFound }
	_, err = w.readEvent(t.Context(), room, e)
	require.ErrorIs(t, err, ErrNotFound)
}
