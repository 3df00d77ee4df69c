package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestALateYesFromBeforeStopIsNoConsent(t *testing.T) {
	w := newWorld(t)
	w.moves(anna, "!chatanna:elders.example", botID, event.MembershipInvite)
	room := w.consulting(anna)
	w.moves(anna, room, anna, event.MembershipJoin)
	w.passes(time.Minute)
	late := w.locked(anna, room, "1")
	w.passes(10 * time.Minute)
	w.writes(anna, room, "stop")
	before := w.person(anna)
	require.Equal(t, care.AskPersonal, before.Question)
	w.passes(time.Minute)
	w.unlock(room, late)
	assert.Equal(t, before.Question, w.person(anna).Question, w.heard(room))
	consents, err := w.Store.Consents(t.Context(), before.ID)
	require.NoError(t, err)
	assert.Empty(t, consents)
	w.writes(anna, room, "1")
	assert.Equal(t, care.AskHealth, w.person(anna).Question)
}

func TestALateNumberIsNotCountedInAnotherList(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.knows(anna)
	w.writes(anna, room, "Een vraag over Sofie")
	require.Contains(t, w.heard(room), "Sofie")
	w.passes(10 * time.Minute)
	late := w.locked(anna, room, "2") // Sofie
	for range 4 {
		w.passes(day) // she becomes 16, and the question is put again without her: 2 is Bram now
	}
	require.Equal(t, 3, w.times(room, whomAsked))
	w.unlock(room, late)
	w.passes(time.Second)
	assert.Equal(t, care.AskWhom, w.person(anna).Question)
	_, opened, err := w.Store.RoomOf(t.Context(), store.RoomConversation, w.person(anna).Current)
	require.NoError(t, err)
	assert.False(t, opened, "nobody reads it until she says whom it is about")
}
