package bridge

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	w.clock = w.clock.Add(time.Hour)
	pass(foundWithin / 2)
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
	w.passes(foundWithin)
	w.matrix.fails = nil
	w.writes(anna, room, "en dit is er wel")
	w.passes(time.Minute)
	assert.NotContains(t, w.heard(talk), "verdwenen")
	assert.Contains(t, w.heard(talk), "en dit is er wel")
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
