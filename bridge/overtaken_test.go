package bridge

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// misses is something that someone sends and that the homeserver leaves out of what it tells: only
// that something is missing in the room is known. The returned function gives it after all.
func (w *world) misses(sender id.UserID, room id.RoomID, content map[string]any) (sent id.EventID, fill func()) {
	w.Helper()
	w.matrix.mu.Lock()
	e := w.matrix.put(room, sender, event.EventMessage, content, "")
	w.matrix.mu.Unlock()
	row := store.Event{
		ID: string(e.ID), RoomID: string(room), Type: event.EventEncrypted.Type, Sender: string(sender), OriginAt: w.clock,
		HasContent: true, ForInbox: true,
	}
	keep := func(batch store.Batch) {
		w.Helper()
		batch.Now, batch.Due = w.clock, w.due
		_, err := w.Store.Keep(w.Context(), batch)
		require.NoError(w, err)
	}
	w.keep() // /sync had answered shortly before
	w.clock = w.clock.Add(time.Second)
	w.batch++
	keep(store.Batch{NextBatch: fmt.Sprintf("s%d", w.batch), Gaps: []store.Gap{{RoomID: string(room), Since: "s", Place: "p"}}})
	return e.ID, func() {
		w.Helper()
		gap, open, err := w.Store.GapIn(w.Context(), string(room))
		require.NoError(w, err)
		require.True(w, open)
		keep(store.Batch{Fills: &gap, Events: []store.Event{row}})
		w.settles()
	}
}

func TestWhatIsReadAfterWhatWasSentLaterIsMarkedLate(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	_, fill := w.misses(anna, consulting, plainText("eerste"))
	w.passes(time.Minute)
	w.writes(anna, consulting, "tweede")
	w.passes(placeWait)
	require.Equal(t, []string{"tweede"}, order(w.heard(talk), "eerste", "tweede"), "it waits no longer for what is missing")
	w.passes(time.Hour)
	fill()
	assert.Contains(t, w.heard(talk), "[te laat ontvangen, gestuurd op 02-03-2026 om 11:00] eerste")
	assert.NotContains(t, w.heard(talk), "ontvangen, gestuurd op 02-03-2026 om 11:01")
	assert.NotContains(t, w.heard(consulting), "toch openen", "nobody had been told that it was missing")
	assert.Contains(t, w.letters()[1]+w.letters()[2], "eerste")
}

func TestWhatIsReadInTimeIsNotLate(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	_, fill := w.misses(anna, consulting, plainText("eerste"))
	w.passes(10 * time.Second)
	w.writes(anna, consulting, "tweede")
	fill()
	w.passes(placeWait)
	assert.Equal(t, []string{"eerste", "tweede"}, order(w.heard(talk), "eerste", "tweede"))
	assert.NotContains(t, w.heard(talk), "te laat ontvangen")
}

func TestWhatIsReadLateIsNoAnswerToWhatWasAskedSince(t *testing.T) {
	w := newWorld(t)
	consulting := w.registered(anna)
	_, fill := w.misses(anna, consulting, plainText("1"))
	w.passes(time.Minute)
	w.writes(anna, consulting, "Een vraag")
	w.passes(placeWait)
	require.Equal(t, care.AskWhom, w.person(anna).Question)
	fill()
	assert.Equal(t, care.AskWhom, w.person(anna).Question, "it was written before that was asked")
	w.writes(anna, consulting, "over mijzelf")
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "[te laat ontvangen, gestuurd op 02-03-2026 om 11:00] 1")
}

func TestACommandThatIsReadLateIsNotCarriedOut(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	_, fill := w.misses(fatima, talk, plainText("!sluiten"))
	w.passes(time.Minute)
	w.writes(fatima, talk, "Nog even geduld")
	w.passes(placeWait)
	fill()
	assert.Contains(t, w.heard(talk), "Deze opdracht konden wij nu pas lezen. Wij hebben hem niet uitgevoerd.")
	c, _, err := w.Store.Conversation(t.Context(), w.person(anna).Current)
	require.NoError(t, err)
	assert.Equal(t, care.Open, c.State)
}

// What is missing twice, in /sync and its key, is told like every missing key.
func TestWhatIsReadLateAndHasNoKeyIsToldAllTheSame(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	sent, fill := w.misses(anna, consulting, plainText("eerste"))
	w.matrix.noKey[sent] = true
	w.passes(time.Minute)
	w.writes(anna, consulting, "tweede")
	w.passes(placeWait)
	fill()
	w.passes(w.KeyTimeout)
	assert.Contains(t, w.heard(consulting), "niet openen")
	w.unlock(consulting, sent)
	assert.Contains(t, w.heard(talk), "[te laat ontvangen, gestuurd op 02-03-2026 om 11:00] eerste")
	assert.Contains(t, w.heard(consulting), "Uw bericht van 11:00 konden wij nu toch openen")
}
