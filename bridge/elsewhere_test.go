package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// What reaches a homeserver that is still joining can be lost there, and nobody would know.
func TestNothingReachesAHomeserverThatIsStillJoining(t *testing.T) {
	const asked = "Mogen wij uw berichten lezen"
	w := newWorld(t, func(s *Settings) { s.Arriving = Arriving })
	w.moves(anna, "!chat:elders.example", botID, event.MembershipInvite)
	room := w.consulting(anna)
	var calls []string
	w.matrix.fails = func(call string, in id.RoomID) error {
		if in == room && call != "read" {
			calls = append(calls, call)
		}
		return nil
	}
	w.moves(anna, room, anna, event.MembershipJoin)
	w.writes(anna, room, "hallo")
	w.passes(Arriving - time.Second)
	assert.Empty(t, calls)
	w.passes(2 * time.Second)
	assert.Contains(t, w.heard(room), asked)
}

func TestOurOwnHomeserverHearsAtOnce(t *testing.T) {
	const near = id.UserID("@anna:praktijk.example")
	w := newWorld(t, func(s *Settings) { s.Arriving = Arriving })
	w.moves(near, "!chat:praktijk.example", botID, event.MembershipInvite)
	room := w.consulting(near)
	w.moves(near, room, near, event.MembershipJoin)
	assert.Contains(t, w.heard(room), "Mogen wij uw berichten lezen")
}

// Matrix tells of a new display name as of a join.
func TestANewNameIsNoArrival(t *testing.T) {
	const asked = "Mogen wij uw berichten lezen"
	w := newWorld(t)
	w.moves(anna, "!chat:elders.example", botID, event.MembershipInvite)
	room := w.consulting(anna)
	w.moves(anna, room, anna, event.MembershipJoin)
	w.moves(anna, room, anna, event.MembershipJoin)
	assert.Equal(t, 1, w.times(room, asked))
	w.moves(anna, room, anna, event.MembershipLeave)
	w.moves(anna, room, anna, event.MembershipJoin)
	assert.Equal(t, 2, w.times(room, asked), "who comes back is asked again")
}
