package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// A message was sent, and that was not stored: the disk was full, or the bridge was killed. What its
// sender removes then is at the other side.
func TestARemovalReachesWhatWasSentWithoutTheBridgeKnowing(t *testing.T) {
	for name, who := range map[string]id.UserID{"staff": fatima, "patient": anna} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			from, to := consulting, talk
			if who == fatima {
				from, to = talk, consulting
			}
			w.matrix.mute, w.matrix.lose = true, func(room id.RoomID) bool { return room == to }
			said := w.arrives(who, from, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "kanarie"})
			w.settles()
			w.matrix.mute, w.matrix.lose = false, nil
			require.NotEmpty(t, w.left(to, "kanarie"), "it is there")
			w.removes(who, from, said)
			for range 12 {
				w.passes(15 * time.Second)
			}
			assert.Empty(t, w.left(to, "kanarie"))
		})
	}
}

func TestAReactionTakenBackReachesWhatWasSentWithoutTheBridgeKnowing(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		said := w.writes(s.who, s.here, "Een")
		w.matrix.mute, w.matrix.lose = true, func(room id.RoomID) bool { return room == s.there }
		reacted := w.arrives(s.who, s.here, event.EventReaction, reaction(string(said), "👍"))
		w.settles()
		w.matrix.mute, w.matrix.lose = false, nil
		kind, _ := w.lastOut(s.there)
		require.Equal(t, event.EventReaction.Type, kind, "it is there")
		w.removes(s.who, s.here, reacted)
		for range 12 {
			w.passes(15 * time.Second)
		}
		kind, _ = w.lastOut(s.there)
		assert.Equal(t, event.EventMessage.Type, kind, "it is gone")
	})
}

// What stands in the place of a message that cannot be carried is a trace of it, too.
func TestARemovalReachesAGapThatWasSentWithoutTheBridgeKnowing(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		w.matrix.mute, w.matrix.lose = true, func(room id.RoomID) bool { return room == s.there }
		said := w.arrives(s.who, s.here, event.EventMessage, map[string]any{
			"msgtype": "m.file", "body": "foto.jpg", "file": w.stored(mediatest.Program()),
		})
		w.settles()
		w.matrix.mute, w.matrix.lose = false, nil
		gaps := w.said(s.there)
		gap := gaps[len(gaps)-1]
		w.removes(s.who, s.here, said)
		for range 12 {
			w.passes(15 * time.Second)
		}
		assert.NotContains(t, w.said(s.there), gap)
	})
}
