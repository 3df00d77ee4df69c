package bridge

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// unheard is something that someone sends and that the homeserver tells nobody of.
func (w *world) unheard(sender id.UserID, room id.RoomID, kind event.Type, content map[string]any) id.EventID {
	w.Helper()
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	return w.matrix.put(room, sender, kind, content, "").ID
}

// walksAgain is the next round of walks, after /sync has answered, and what follows from it.
func (w *world) walksAgain() {
	w.Helper()
	w.keep()
	require.NoError(w, w.Store.StartWalks(w.Context(), w.clock))
	w.walks()
	w.passes(placeWait)
}

func TestWhatIntakeMissedIsBroughtByTheWalkOnceInOrderAndLate(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.walks()
	var patient, staff []string
	for i := range 2 * pageSize { // of several pages
		w.clock = w.clock.Add(time.Second)
		patient, staff = append(patient, fmt.Sprintf("gemist %02d", i)), append(staff, fmt.Sprintf("antwoord %02d", i))
		w.unheard(anna, consulting, event.EventMessage, plainText(patient[i]))
		w.unheard(fatima, talk, event.EventMessage, plainText(staff[i]))
	}
	w.passes(time.Hour)
	w.writes(anna, consulting, "en dit kwam aan")
	require.NotContains(t, w.heard(talk), "gemist")
	w.walksAgain()
	assert.Equal(t, patient, order(w.heard(talk), patient...), "all of them, in order")
	assert.Equal(t, staff, order(w.heard(consulting), staff...), "both ways")
	assert.Contains(t, w.heard(talk), "[te laat ontvangen, gestuurd op 02-03-2026 om 11:00] gemist 00")
	assert.Contains(t, w.log.String(), "had never come in")
	w.passes(walkEvery)
	w.walksAgain()
	for _, text := range patient {
		assert.Equal(t, 1, w.times(talk, text), "once")
	}
}

func TestARemovalThatIntakeMissedIsDoneByTheWalk(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	wrong := w.writes(anna, consulting, "kanarie")
	w.walks()
	w.matrix.mu.Lock()
	e := w.matrix.put(consulting, anna, event.EventRedaction, map[string]any{}, "")
	e.Redacts = wrong
	removed, err := w.matrix.find(consulting, wrong)
	require.NoError(t, err)
	removed.gone = true
	w.matrix.mu.Unlock()
	w.passes(time.Hour)
	require.NotEmpty(t, w.left(talk, "kanarie"))
	w.walksAgain()
	assert.Empty(t, w.left(talk, "kanarie"))
}

func TestWhatIsNotMissedIsNotTakenByAWalk(t *testing.T) {
	for name, tt := range map[string]struct {
		then                func(w *world, room id.RoomID) // after it was sent, before the walk
		taken, ledger, soon bool
	}{
		"it is":                              {func(w *world, _ id.RoomID) { w.passes(time.Hour) }, true, true, false},
		"it may be on its way":               {func(w *world, _ id.RoomID) { w.passes(missedMargin - time.Second) }, false, false, true},
		"it is older than messages may stay": {func(w *world, _ id.RoomID) { w.passes(31 * day) }, false, true, false},
		"it was there before the room was ours": {func(w *world, room id.RoomID) {
			w.passes(time.Hour)
			w.loses(fmt.Sprintf("UPDATE room SET created_at = %d WHERE room_id = '%s'", w.clock.UnixMilli(), room))
		}, false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			e := w.unheard(anna, consulting, event.EventMessage, plainText("gemist"))
			tt.then(w, consulting)
			w.walksAgain()
			assert.Equal(t, tt.taken, w.times(talk, "gemist") == 1, w.heard(talk))
			_, known, err := w.Store.LedgerEvent(t.Context(), string(e))
			require.NoError(t, err)
			assert.Equal(t, tt.ledger, known)
			w.passes(2 * walkAgain)
			w.keep()
			w.walks()
			w.passes(placeWait)
			assert.Equal(t, tt.taken || tt.soon, w.times(talk, "gemist") == 1, w.heard(talk))
			_, known, err = w.Store.LedgerEvent(t.Context(), string(e))
			require.NoError(t, err)
			assert.True(t, known, "it will be removed in any case")
		})
	}
}

func TestAWalkTakesNothingWhileSyncIsBehind(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.keep()
	e := w.unheard(anna, consulting, event.EventMessage, plainText("onderweg"))
	w.passes(time.Hour)
	require.NoError(t, w.Store.StartWalks(t.Context(), w.clock))
	w.walks()
	w.passes(placeWait)
	require.NotContains(t, w.heard(talk), "onderweg")
	w.keep(store.Event{
		ID: string(e), RoomID: string(consulting), Type: event.EventEncrypted.Type, Sender: string(anna), OriginAt: w.clock.Add(-time.Hour),
		HasContent: true, ForInbox: true,
	})
	w.settles()
	assert.Equal(t, 1, w.times(talk, "onderweg"))
	assert.NotContains(t, w.heard(talk), "te laat")
}

func TestAWalkLeavesItToAnOpenGapForAWhile(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.walks()
	_, fill := w.misses(anna, consulting, plainText("eerste"))
	w.passes(time.Hour)
	w.walksAgain()
	require.NotContains(t, w.heard(talk), "eerste", "the gap gives it its right place")
	fill()
	w.passes(time.Hour)
	w.walksAgain()
	assert.Equal(t, 1, w.times(talk, "eerste"))

	w.misses(anna, consulting, plainText("tweede"))
	for range patientGap {
		require.NoError(t, w.Store.PostponeGap(t.Context(), string(consulting), w.clock))
	}
	w.passes(time.Hour)
	w.walksAgain()
	assert.Equal(t, 1, w.times(talk, "tweede"), "but not for ever")
}

func TestACrashBetweenFindingAndTakingLosesNothing(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.walks()
	w.unheard(anna, consulting, event.EventMessage, plainText("gemist"))
	w.passes(time.Hour)
	w.loses(`CREATE TRIGGER broken BEFORE UPDATE OF place, walked_at ON walk BEGIN SELECT RAISE(ABORT, 'killed'); END`)
	w.keep()
	require.NoError(t, w.Store.StartWalks(t.Context(), w.clock))
	for range 20 {
		if _, err := w.walkStep(t.Context()); err == nil {
			err = errors.New("it went well")
			require.Error(t, err)
		}
	}
	w.loses(`DROP TRIGGER broken`)
	w.walksAgain()
	assert.Equal(t, 1, w.times(talk, "gemist"))
}

func TestARoomInWhichSomethingHasStillToComeInStays(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!sluiten")
	w.lives(27)
	for range 5 {
		w.clock = w.clock.Add(walkEvery + walkJitter)
		w.sweeps()
		w.unheard(fatima, talk, event.EventMessage, plainText("nog iets"))
		w.walks()
		w.settles()
	}
	assert.False(t, w.dissolved(talk))
}
