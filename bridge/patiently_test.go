package bridge

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
)

// manyTalk begins conversations of six patients.
func (w *world) manyTalk() (who []id.UserID, rooms []id.RoomID) {
	w.Helper()
	for n := range 6 {
		user := id.UserID(fmt.Sprintf("@patient%d:elders.example", n))
		room, _ := w.talking(user, "Een vraag")
		who, rooms = append(who, user), append(rooms, room)
	}
	return who, rooms
}

// A pickyHIS fails at one message, whenever it comes.
type pickyHIS struct {
	talkingHIS
	never string
}

func (h *pickyHIS) File(ctx context.Context, item his.Item) (his.Receipt, error) {
	if item.Text == h.never {
		return his.Receipt{}, assert.AnError
	}
	return h.talkingHIS.File(ctx, item)
}

func TestConversationsThatFailHoldBackNoOther(t *testing.T) {
	picky := &pickyHIS{never: "Dit lukt nooit"}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = picky })
	who, rooms := w.manyTalk()
	for n := range 5 {
		w.writes(who[n], rooms[n], picky.never)
	}
	for range 20 {
		w.passes(fileBackoff)
	}
	filed := len(picky.filed)
	w.writes(who[5], rooms[5], "Er is meer")
	require.Len(t, picky.filed, filed+1, "at once")
	assert.Equal(t, "Er is meer", picky.filed[filed].Text)
}

func TestASystemThatIsDownIsTriedOnceAMinuteForEachConversation(t *testing.T) {
	down := &knockedHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = down })
	who, rooms := w.manyTalk()
	filed := len(down.filed)
	down.patient = assert.AnError
	for n, room := range rooms {
		w.writes(who[n], room, "Er is meer")
		w.writes(who[n], room, "En nog iets")
	}
	for range 10 {
		w.passes(fileBackoff)
	}
	before := down.knocks
	const minutes = 10
	for range minutes * 6 {
		w.passes(10 * time.Second)
	}
	assert.LessOrEqual(t, down.knocks-before, minutes*len(rooms))
	assert.Greater(t, down.knocks-before, minutes*len(rooms)*4/5, "nobody waits longer than a minute for it to come back")
	down.patient = nil
	w.passes(fileBackoff)
	assert.Len(t, down.filed, filed+2*len(rooms))
}
