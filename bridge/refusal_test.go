package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

// ownChat is the chat in which a patient found us, with something in it, a period later.
func ownChat(t *testing.T) (w *world, chat id.RoomID) {
	w = newWorld(t)
	w.registered(anna)
	chat = id.RoomID("!chat" + anna.Localpart() + ":elders.example")
	require.NotEmpty(t, w.left(chat, ""))
	w.clock = w.clock.AddDate(0, 0, 31)
	return w, chat
}

// goesOn lets retention be tried for as long as it takes.
func (w *world) goesOn() {
	for range 12 {
		w.sweeps()
		w.passes(time.Minute)
	}
}

// Dendrite has refused a removal in a moment of its own, where the bot may remove everything.
func TestARefusalThatPassesLeavesNothingInAPatientsOwnChat(t *testing.T) {
	w, chat := ownChat(t)
	refused := 0
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "redact" && where == chat && refused < 3 {
			refused++
			return ErrRefused
		}
		return nil
	}
	w.goesOn()
	assert.Equal(t, 3, refused)
	assert.Empty(t, w.left(chat, ""))
	room, _, err := w.Store.Room(t.Context(), string(chat))
	require.NoError(t, err)
	assert.Zero(t, room.LeftAt)
}

func TestTheBotLeavesAPatientsOwnChatInWhichItMayRemoveNothing(t *testing.T) {
	w, chat := ownChat(t)
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "redact" && where == chat {
			return ErrRefused
		}
		return nil
	}
	w.goesOn()
	room, _, err := w.Store.Room(t.Context(), string(chat))
	require.NoError(t, err)
	assert.NotZero(t, room.LeftAt)
}
