package bridge

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// walks does every step that is due now.
func (w *world) walks() (steps int) {
	w.Helper()
	for ; steps < 1000; steps++ {
		if found, err := w.walkStep(w.Context()); !found {
			require.NoError(w, err)
			return steps
		}
	}
	require.Fail(w, "the walks do not come to an end", w.log.String())
	return steps
}

// loses makes the database forget something, as one from an old backup has.
func (w *world) loses(queries ...string) {
	w.Helper()
	for _, query := range queries {
		_, err := w.Store.DB().Exec(w.Context(), query)
		require.NoError(w, err)
	}
}

// everything says the canary in both rooms, in a text and in a file.
func (w *world) sayCanaries(consulting, talk id.RoomID) {
	w.Helper()
	for _, from := range []struct {
		who  id.UserID
		room id.RoomID
	}{{anna, consulting}, {fatima, talk}} {
		w.writes(from.who, from.room, "kanarie")
		uri := "mxc://praktijk.example/" + from.who.Localpart()
		w.matrix.files[uri] = []byte("foto")
		w.happens(from.who, from.room, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "kanarie.jpg", "url": uri})
	}
	require.Len(w, w.matrix.files, 4)
}

func TestAWalkFindsWhatTheLedgerLostAndItIsRemovedInTime(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.sayCanaries(consulting, talk)
	w.loses("DELETE FROM ledger", "DELETE FROM media")
	w.passes(31 * 24 * time.Hour)
	w.sweeps()
	require.NotEmpty(t, w.left(consulting, "kanarie"), "nobody knows of it")
	require.NoError(t, w.Store.StartWalks(t.Context(), w.clock))
	assert.Greater(t, w.walks(), 6, "rooms are read page by page")
	w.sweeps()
	for _, room := range []id.RoomID{consulting, talk, w.roomFor(store.RoomBalie, linde), w.roomFor(store.RoomBeheer, linde)} {
		assert.Empty(t, w.said(room))
	}
	assert.Empty(t, w.left(consulting, "kanarie"))
	assert.Empty(t, w.left(talk, "kanarie"))
	assert.Empty(t, w.matrix.files, "files too")
	assert.Contains(t, w.log.String(), "events that the ledger did not know")
}

func TestWhatAWalkFindsKeepsItsPeriod(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	w.loses("DELETE FROM ledger")
	w.passes(time.Hour)
	require.NoError(t, w.Store.StartWalks(t.Context(), w.clock))
	w.walks()
	w.sweeps()
	assert.NotEmpty(t, w.left(consulting, "Een vraag"), "it is not too old")
	w.passes(31 * 24 * time.Hour)
	w.sweeps()
	assert.Empty(t, w.left(consulting, "Een vraag"))
}

func TestAWalkThatWasCutOffGoesOnWhereItWas(t *testing.T) {
	w := newWorld(t)
	w.talking(anna, "Een vraag")
	require.NoError(t, w.Store.StartWalks(t.Context(), w.clock))
	whole := w.walks()
	w.passes(2 * walkEvery)
	for range whole / 2 {
		_, err := w.walkStep(t.Context())
		require.NoError(t, err)
	}
	again := New(w.Settings, w.Store, w.matrix, w.Texts, w.Now, w.Log) // as after a crash
	steps := 0
	for ; ; steps++ {
		found, err := again.walkStep(t.Context())
		require.NoError(t, err)
		if !found {
			break
		}
	}
	assert.LessOrEqual(t, whole/2+steps, whole, "nothing was read twice")
	report, err := w.Store.WalkReport(t.Context())
	require.NoError(t, err)
	assert.Zero(t, report.Unwalked)
}

func TestARoomIsWalkedOnceADay(t *testing.T) {
	w := newWorld(t)
	w.talking(anna, "Een vraag")
	first := w.walks()
	require.Positive(t, first)
	w.passes(walkEvery - time.Minute)
	assert.Zero(t, w.walks())
	w.passes(walkJitter + time.Minute)
	assert.Equal(t, first, w.walks())
}

func TestOneBrokenRoomHoldsUpNoOtherWalk(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "kanarie")
	w.loses("DELETE FROM ledger")
	w.matrix.fails = func(call string, room id.RoomID) error {
		if call == "history" && room == consulting {
			return errors.New("down")
		}
		return nil
	}
	w.passes(31 * 24 * time.Hour)
	w.walks()
	w.sweeps()
	assert.Empty(t, w.left(talk, "kanarie"))
	assert.NotEmpty(t, w.left(consulting, "kanarie"))
	w.matrix.fails = nil
	w.passes(maxBackoff)
	w.walks()
	w.sweeps()
	assert.Empty(t, w.left(consulting, "kanarie"))
}

func TestAWalkWhosePlaceIsNotKnownAnyMoreBeginsAnew(t *testing.T) {
	w := newWorld(t)
	w.talking(anna, "Een vraag")
	w.walks()
	w.passes(2 * walkEvery)
	walk, found, err := w.Store.NextWalk(t.Context(), w.clock)
	require.NoError(t, err)
	require.True(t, found)
	walk.Place = "of another homeserver"
	require.NoError(t, w.Store.SaveWalk(t.Context(), walk, w.clock))
	w.walks()
	w.passes(time.Minute)
	w.walks()
	report, err := w.Store.WalkReport(t.Context())
	require.NoError(t, err)
	assert.Zero(t, report.Unwalked)
}

func TestWhatWasProvenGoneAndIsBackIsRemovedAgain(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Retention = time.Hour })
	consulting, _ := w.talking(anna, "kanarie")
	w.passes(2 * time.Hour)
	w.sweeps()
	require.Empty(t, w.left(consulting, "kanarie"))
	for _, e := range w.matrix.room(consulting).events { // the homeserver's database came from a backup
		e.gone = false
	}
	w.passes(2 * time.Hour)
	w.walks()
	w.sweeps()
	assert.Empty(t, w.left(consulting, "kanarie"))
}

func TestAWalkStopsWhereTheLastOnesHaveLooked(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	old, young := store.Event{OriginAt: now.Add(-walkMargin - time.Hour)}, store.Event{OriginAt: now.Add(-walkMargin + time.Hour)}
	assert.False(t, beyond(store.Walk{}, []store.Event{old}), "the first walk reads everything")
	assert.False(t, beyond(store.Walk{WalkedAt: now}, []store.Event{young, old}))
	assert.True(t, beyond(store.Walk{WalkedAt: now}, []store.Event{old, old}))
}
