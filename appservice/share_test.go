package appservice

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

// Someone has come in from another homeserver a moment ago, and ours does not know their devices
// yet: the key is not called given out before they were asked for again.
func TestWhoIsNotKnownYetIsWaitedForALittle(t *testing.T) {
	waits := handOutPauses
	handOutPauses = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}
	t.Cleanup(func() { handOutPauses = waits })
	nobody := ok(`{"device_keys":{"@anna:elders.example":{}}}`)
	b, s := scriptedBot(t, map[string][]reply{
		"/keys/query": {nobody, {502, ""}, nobody}, "/keys/claim": {ok(`{}`)}, "/sendToDevice/m.room.encrypted/": {ok(`{}`)},
	})
	const room = id.RoomID("!r:gp.example")
	members := []id.UserID{"@anna:elders.example", b.user}
	var told [][]id.UserID
	b.OnKeyless(func(_ context.Context, users []id.UserID) error {
		told = append(told, users)
		return errors.New("the database is full")
	})

	require.NoError(t, b.handOut(t.Context(), room, members), "a message waits for nobody for ever")
	assert.GreaterOrEqual(t, s.count("/keys/query"), 1+len(handOutPauses))
	asked := s.count("/keys/query")
	require.NoError(t, b.keys.RemoveOutboundGroupSession(t.Context(), room))
	require.NoError(t, b.handOut(t.Context(), room, members))
	assert.LessOrEqual(t, s.count("/keys/query")-asked, 1, "the same person is not waited for again soon")
	assert.Equal(t, [][]id.UserID{{"@anna:elders.example"}, {"@anna:elders.example"}}, told, "who has no device at all is told of after the wait, and holds up nothing")
}
