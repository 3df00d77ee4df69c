package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
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
