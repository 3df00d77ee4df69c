package bridge

import (
	"context"
	"fmt"
	"slices"
	"strings"
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

func TestASystemThatIsDownIsKnockedAtOnceAMinuteByAllConversationsTogether(t *testing.T) {
	down := &knockedHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = down })
	who, rooms := w.manyTalk()
	filed := len(down.filed)
	down.patient = assert.AnError
	for n, room := range rooms {
		w.writes(who[n], room, fmt.Sprint("Bericht ", n))
	}
	w.passes(10 * time.Minute)
	for range 6 {
		w.passes(fileBackoff)
	}
	before := down.knocks
	const minutes = 60
	for range minutes * 6 {
		w.passes(10 * time.Second)
	}
	assert.LessOrEqual(t, down.knocks-before, minutes)
	assert.Greater(t, down.knocks-before, minutes*4/5, "nobody waits longer than a minute for it to come back")

	down.patient = nil
	w.passes(fileBackoff)
	var said []string
	for _, item := range down.filed[filed:] {
		said = append(said, item.Text)
	}
	slices.Sort(said)
	assert.Equal(t, "Bericht 0 Bericht 1 Bericht 2 Bericht 3 Bericht 4 Bericht 5", strings.Join(said, " "), "all at once")
}

func TestASystemThatIsDownIsLeftAloneAsLongAsItAsks(t *testing.T) {
	down := &knockedHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = down })
	who, rooms := w.manyTalk()
	down.patient = assert.AnError
	for n, room := range rooms {
		w.writes(who[n], room, "Er is meer")
	}
	down.patient = later(30 * time.Minute)
	w.passes(fileBackoff)
	assert.Zero(t, down.knocksIn(w, 29*time.Minute))
}

func TestOneConversationThatFailsHoldsBackNoOther(t *testing.T) {
	picky := &pickyHIS{never: "Dit lukt nooit"}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = picky })
	who, rooms := w.manyTalk()
	w.writes(who[0], rooms[0], picky.never)
	w.writes(who[1], rooms[1], picky.never)
	for range 20 {
		w.passes(fileBackoff)
	}
	filed := len(picky.filed)
	w.writes(who[2], rooms[2], "Er is meer")
	require.Len(t, picky.filed, filed+1)
	assert.Equal(t, "Er is meer", picky.filed[filed].Text)
}

func TestAClockThatIsSetBackEndsTheWaitForASystemThatWasDown(t *testing.T) {
	var s standings
	l := lane{systemLane(hisName, linde), filingWorkers}
	now := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	for n := range severalFail {
		assert.Equal(t, l.workers, s.room(l, now))
		e := job("file", fileIn(hisName, fmt.Sprint(n)), body{})
		e.Lane = l.name
		s.failed(e, now)
	}
	assert.Zero(t, s.room(l, now))
	assert.Equal(t, 1, s.room(l, now.Add(time.Second)))
	assert.Equal(t, matrixWorkers, s.room(lane{matrixLane, matrixWorkers}, now))
	s.end()
	assert.Equal(t, l.workers, s.room(l, now))
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
