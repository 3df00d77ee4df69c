package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// An invitation that only a transaction brought waits in the queue of its room: what the patient
// does in the consulting room may come between reading the account and storing it.
func TestAnInvitationDoesNotUndoWhatHappensAtTheSameTime(t *testing.T) {
	w := newWorld(t)
	w.registered(anna)
	room, key := id.RoomID("!nog:elders.example"), string(botID)
	w.matrix.mu.Lock()
	e := w.matrix.put(room, anna, event.StateMember, map[string]any{"membership": "invite"}, "")
	e.StateKey = &key
	w.matrix.mu.Unlock()
	w.keep(store.Event{
		ID: string(e.ID), RoomID: string(room), Type: event.StateMember.Type, Sender: string(anna), StateKey: &key, OriginAt: w.clock, ForInbox: true,
	})
	turn, _, err := w.Store.Turn(t.Context(), string(e.ID), 0)
	require.NoError(t, err)
	withdrawn := false
	w.Now = func() time.Time { // is asked in between
		if !withdrawn {
			withdrawn = true
			now := w.person(anna)
			now.State = care.Withdrawn
			require.NoError(t, w.Store.SavePerson(t.Context(), now))
		}
		return w.clock
	}
	require.NoError(t, w.inUnknown(t.Context(), place{Turn: turn}))
	assert.Equal(t, care.Withdrawn, w.person(anna).State)
	known, is, err := w.Store.Room(t.Context(), string(room))
	require.NoError(t, err)
	assert.True(t, is)
	assert.Equal(t, w.person(anna).ID, known.Person)
}
