package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// lives lets a day pass: what is due is removed, rooms are walked.
func (w *world) lives(days int) {
	w.Helper()
	for range days {
		w.clock = w.clock.Add(walkEvery + walkJitter)
		w.settles()
		w.sweeps()
		w.walks()
		w.settles()
	}
}

// dissolved tells whether the bot is out of a room of ours.
func (w *world) dissolved(room id.RoomID) bool {
	w.Helper()
	row, known, err := w.Store.Room(w.Context(), string(room))
	require.NoError(w, err)
	require.True(w, known)
	return !row.LeftAt.IsZero()
}

func TestTheRoomOfAClosedConversationGoesWhenAllInItIsGone(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.lives(32)
	require.False(t, w.dissolved(talk), "it is open, though nothing is left in it")
	w.writes(fatima, talk, "!sluiten")
	w.lives(27)
	require.False(t, w.dissolved(talk), "what was said last may still be read")
	require.NotEmpty(t, w.members(talk))
	w.lives(5)
	assert.True(t, w.dissolved(talk))
	assert.Empty(t, w.members(talk))
	assert.Empty(t, w.matrix.room(talk).Space)
	assert.False(t, w.dissolved(w.roomFor(store.RoomBalie, linde)), "lasting rooms last")
	assert.False(t, w.dissolved(w.consulting(anna)))
}

func TestWhereRoomsCannotBeDeletedTheyAreEmptiedAndThenLeft(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!sluiten")
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "delete" {
			return ErrCannotErase
		}
		return nil
	}
	for range 40 {
		if w.lives(1); len(w.members(talk)) == 0 {
			break
		}
	}
	require.Empty(t, w.members(talk))
	require.False(t, w.dissolved(talk), "who was removed left a name behind, perhaps")
	w.lives(1)
	assert.True(t, w.dissolved(talk))
}

func TestWhatIsLeftInARoomThatWasLeftIsNoBusinessOfOurs(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!sluiten")
	row, _, err := w.Store.Room(t.Context(), string(talk))
	require.NoError(t, err)
	row.LeftAt = w.clock
	require.NoError(t, w.Store.SaveRoom(t.Context(), row))
	w.matrix.fails = func(_ string, room id.RoomID) error {
		if room == talk {
			return ErrRefused
		}
		return nil
	}
	w.passes(31 * day)
	w.sweeps()
	report, err := w.Store.RetentionReport(t.Context(), w.clock)
	require.NoError(t, err)
	assert.Zero(t, report.Due+report.Failed)
	assert.Positive(t, report.Gone)
}

func TestAConversationThatIsClosedAfterItsWalkWaitsForTheNext(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	row, _, err := w.Store.Room(t.Context(), string(talk))
	require.NoError(t, err)
	w.writes(fatima, talk, "!sluiten")
	w.loses("DELETE FROM ledger")
	over, err := w.isOver(t.Context(), row, store.Walk{WalkedAt: w.clock.Add(-time.Minute)})
	require.NoError(t, err)
	assert.False(t, over)
	over, err = w.isOver(t.Context(), row, store.Walk{WalkedAt: w.clock})
	require.NoError(t, err)
	assert.True(t, over)
}
