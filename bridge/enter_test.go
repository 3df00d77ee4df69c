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

// Who writes ten messages in a row sees one answer, and staff's own does not wait for ten looks at a room.
func TestManyMessagesInTheFirstChatAreRemovedAndLeadToLittleElse(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Hallo")
	chat := w.roomFor(store.RoomContact, w.person(anna).ID)
	w.passes(time.Hour)
	ensured := 0
	w.matrix.fails = func(call string, in id.RoomID) error {
		if call == "ensure" && in == room {
			ensured++
		}
		return nil
	}
	var wrote []id.EventID
	for range 100 {
		wrote = append(wrote, w.arrives(anna, chat, event.EventMessage, plainText("Is daar iemand?")))
	}
	w.writes(fatima, talk, "Wat kunnen wij doen?")
	assert.Contains(t, w.heard(room), "Wat kunnen wij doen?")
	for _, e := range wrote {
		gone, err := w.matrix.Gone(t.Context(), chat, e)
		assert.NoError(t, err)
		assert.True(t, gone, "nothing of a patient stays there")
	}
	pointers := len(w.said(chat))
	assert.Equal(t, 1, ensured)
	w.passes(flowWindow)
	w.writes(anna, chat, "Nog iets")
	assert.Equal(t, 2, ensured)
	assert.Len(t, w.said(chat), pointers+1, "a minute later it is said again")
	assert.Equal(t, 3, pointers+1, "the greeting, and twice the way")

	w.moves(anna, room, anna, event.MembershipLeave)
	w.writes(anna, chat, "Ik ben er nu uit")
	assert.Equal(t, 3, ensured, "who has left is invited again at once")
	w.writes(anna, chat, "Hallo?")
	assert.Equal(t, 3, ensured)

	w.moves(anna, room, anna, event.MembershipJoin)
	w.moves(anna, room, anna, event.MembershipLeave)
	w.writes(anna, chat, "Ik ben er weer uit")
	assert.Equal(t, 4, ensured, "every time")
	w.moves(anna, room, anna, event.MembershipLeave) // declines the invitation
	w.writes(anna, chat, "Toch niet")
	assert.Equal(t, 5, ensured)
}

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
