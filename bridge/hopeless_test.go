package bridge

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// failsAt lets reading in a room end as given.
func (w *world) failsAt(room id.RoomID, read func() error) {
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "read" && where == room {
			return read()
		}
		return nil
	}
}

// failsFor a number of days; the queue is tried again all the time.
func (w *world) failsFor(days int) {
	w.Helper()
	for range days * 24 * 12 {
		w.passes(maxBackoff)
	}
}

func TestATurnThatPanicsForADayIsSaidToBeMissingAndTheNextGoesOn(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.failsAt(room, func() error { panic("of this event") })
	w.writes(anna, room, "kapot")
	w.failsFor(1)
	w.matrix.fails = nil
	assert.Contains(t, w.heard(room), "Wij konden dit bericht niet openen")
	assert.Contains(t, w.heard(talk), "Wij konden het niet openen")
	w.writes(anna, room, "erna")
	assert.Contains(t, w.heard(talk), "erna")
	waiting, err := w.Store.Backlog(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, waiting.Failed)
}

func TestAHomeserverThatIsAwayForDaysCostsNoMessage(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.failsAt(room, func() error { return errors.New("502 bad gateway") })
	w.writes(anna, room, "blijft")
	w.failsFor(2)
	w.matrix.fails = nil
	w.passes(maxBackoff)
	assert.Contains(t, w.heard(talk), "blijft")
}

func TestWhatTheHomeserverNeverGivesIsToldAtOnce(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.failsAt(room, func() error { return ErrRefused })
	w.writes(anna, room, "geweigerd")
	w.matrix.fails = nil
	assert.Contains(t, w.heard(room), "Wij konden dit bericht niet openen")
	assert.Contains(t, w.heard(talk), "Wij konden het niet openen")
}

func TestABrokenActHoldsUpNobody(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	require.NoError(t, w.Store.AddAct(t.Context(), store.QueueOf(string(anna)), "{", "broken", w.clock))
	w.writes(anna, room, "erna")
	w.passes(time.Second)
	assert.Contains(t, w.heard(talk), "erna")
}

func TestOneHiccupAfterAnOutageCostsNoMessage(t *testing.T) {
	for name, away := range map[string]time.Duration{"an hour": time.Hour, "two hours": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			room, talk := w.talking(anna, "Een vraag")
			w.failsAt(room, func() error { return errors.New("502 bad gateway") })
			w.writes(anna, room, "blijft")
			for range away / chatBackoff {
				w.passes(chatBackoff)
			}
			w.flaky("identity", "", 1)
			for range 3 {
				w.passes(maxBackoff)
			}
			assert.Contains(t, w.heard(talk), "blijft")
		})
	}
}
