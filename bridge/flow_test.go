package bridge

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

const bob = id.UserID("@bob:elders.example")

func (w *world) isOpen(room id.RoomID) bool {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	return w.matrix.room(room).open
}

func plainText(body string) map[string]any { return map[string]any{"msgtype": "m.text", "body": body} }

func TestWhoSendsMuchIsToldSoAndHeard(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Hallo")
	w.Limits.Messages = 5
	w.passes(2 * time.Minute)
	for range 2 {
		for i := range 9 {
			w.writes(anna, room, fmt.Sprintf("bericht %d", i))
			w.clock = w.clock.Add(time.Second)
		}
	}
	assert.True(t, w.isOpen(room))
	assert.Equal(t, 1, strings.Count(w.heard(room), "heel veel berichten"), "told once")
	assert.Equal(t, 18, strings.Count(w.heard(talk), "bericht "))
	w.passes(warnAgain)
	for range 6 {
		w.writes(anna, room, "weer veel")
	}
	assert.Equal(t, 2, strings.Count(w.heard(room), "heel veel berichten"))
}

// A turn that is taken again, because we were killed before it ended, says nothing twice.
func TestATurnThatIsTakenAgainTellsOnceThatItIsMuch(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Hallo")
	w.Limits.Messages = 1
	w.passes(2 * time.Minute)
	e := w.arrives(anna, room, event.EventMessage, plainText("veel"))
	turn, known, err := w.Store.Turn(t.Context(), string(e), 0)
	require.NoError(t, err)
	require.True(t, known)
	person, _, err := w.Store.PersonByUser(t.Context(), string(anna))
	require.NoError(t, err)
	for range 2 { // as far as it comes before it is killed
		effects, err := w.calm(t.Context(), place{Turn: turn}, person)
		require.NoError(t, err)
		require.Len(t, effects, 1)
	}
	w.settles()
	assert.Equal(t, 1, strings.Count(w.heard(room), "heel veel berichten"))
}

func TestWhoFloodsWaitsAMinuteAndBothSidesAreTold(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Hallo")
	w.Limits.Messages = 1
	w.passes(2 * time.Minute)
	for i := range flood - 1 {
		w.writes(anna, room, fmt.Sprintf("bericht %02d", i))
		w.clock = w.clock.Add(time.Second)
	}
	require.True(t, w.isOpen(room))
	for i := flood - 1; i < flood+4; i++ { // four of them are under way when the gate closes
		w.arrives(anna, room, event.EventMessage, plainText(fmt.Sprintf("bericht %02d", i)))
		w.clock = w.clock.Add(time.Second)
	}
	w.settles()
	assert.False(t, w.isOpen(room), "the homeserver refuses more")
	assert.Equal(t, 1, strings.Count(w.heard(room), "veel te veel berichten"), "told once")
	heard := w.heard(talk)
	for i := range flood + 4 {
		assert.Equal(t, 1, strings.Count(heard, fmt.Sprintf("bericht %02d", i)), "%d", i)
	}
	assert.Equal(t, 1, strings.Count(heard, "Het laatste daarvan ontbreekt hier misschien"))

	w.writes(fatima, talk, "Rustig aan")
	assert.Contains(t, w.heard(room), "Rustig aan", "staff's answer does not wait")
	w.passes(flowWindow)
	assert.True(t, w.isOpen(room))
	assert.Contains(t, w.heard(room), "U kunt weer berichten sturen")
	w.writes(anna, room, "Daar ben ik weer")
	assert.True(t, w.isOpen(room))
}

// The gate cannot be closed for longer than the pause: nothing reopens it before it was closed.
func TestAPauseThatBeginsLateEndsAllTheSame(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Hallo")
	w.Limits.Messages = 1
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "gate" {
			return errors.New("the homeserver is away")
		}
		return nil
	}
	for range flood + 1 {
		w.writes(anna, room, "nog een")
	}
	w.passes(3 * flowWindow)
	w.matrix.fails = nil
	for range 3 {
		w.passes(maxBackoff)
	}
	assert.True(t, w.isOpen(room))
	said := w.heard(room)
	assert.Less(t, strings.Index(said, "veel te veel berichten"), strings.Index(said, "U kunt weer berichten sturen"))
}

func TestWhatComesInLateClosesNothing(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Hallo")
	w.Limits.Messages = 1
	w.passes(time.Minute)
	for i := range 2 * flood { // sent while we were away
		w.arrives(anna, room, event.EventMessage, plainText(fmt.Sprintf("bericht %d", i)))
	}
	w.passes(2 * flowWindow)
	assert.True(t, w.isOpen(room))
}

func TestAnAccountThatEndsInAPauseStaysClosed(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Hallo")
	w.Limits.Messages = 1
	for range flood + 1 {
		w.writes(anna, room, "weg ermee")
	}
	require.False(t, w.isOpen(room))
	w.arrives(anna, room, event.EventMessage, plainText("intrekken"))
	w.passes(2 * flowWindow)
	assert.Equal(t, w.person(anna).MaySpeak(), w.isOpen(room))
}

func TestTenThousandMessagesOfOneHoldUpNobodyElse(t *testing.T) {
	w := newWorld(t)
	_, bobTalk := w.talking(bob, "Vraag van Bob")
	room, _ := w.talking(anna, "Hallo")
	var many []store.Event
	for i := range 10_000 {
		many = append(many, store.Event{
			ID: fmt.Sprintf("$many%d", i), RoomID: string(room), Type: event.EventEncrypted.Type, Sender: string(anna),
			OriginAt: w.clock, HasContent: true, ForInbox: true,
		})
	}
	w.keep(many...)
	w.arrives(bob, w.consulting(bob), event.EventMessage, plainText("En nu Bob weer"))
	for range 5 {
		w.round()
	}
	assert.Contains(t, w.heard(bobTalk), "En nu Bob weer")
	waiting, err := w.Store.Backlog(t.Context())
	require.NoError(t, err)
	assert.Greater(t, waiting.Open, 9_900, "Anna's wait, on disk")
}

// invites is an invitation of the bot by someone.
func (w *world) invites(user id.UserID, n int) id.RoomID {
	w.Helper()
	room := id.RoomID(fmt.Sprintf("!chat%d%s:elders.example", n, user.Localpart()))
	w.moves(user, room, botID, event.MembershipInvite)
	return room
}

func (w *world) isIn(room id.RoomID) bool {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	return w.matrix.room(room).joined
}

func TestInvitationsAreLimitedPerUserAndServer(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Limits.Invitations, s.Limits.ServerInvitations = 3, 20 })
	w.registered(bob)
	taken := 0
	for i := range 200 {
		if w.isIn(w.invites(id.UserID(fmt.Sprintf("@vreemd%d:elders.example", i/4)), i)) {
			taken++
		}
	}
	assert.LessOrEqual(t, taken, 20)
	assert.Greater(t, taken, 10)
	assert.True(t, w.isIn(w.invites(bob, 1000)), "who is known is not counted with the strangers")
	assert.Equal(t, care.Active, w.person(bob).State)
	w.passes(longestWait)
	w.passes(flowWindow)
	assert.True(t, w.isIn(w.invites("@nieuw:elders.example", 1)), "later there is room again")
}

// Who is new has done nothing wrong when others flood: their chat is answered a little later.
func TestANewPatientWaitsWhileStrangersFlood(t *testing.T) {
	const most = 10
	w := newWorld(t, func(s *Settings) { s.Limits.Invitations, s.Limits.ServerInvitations = 3, most })
	stranger := func(i int) id.UserID { return id.UserID(fmt.Sprintf("@vreemd%d:elders.example", i)) }
	for i := range most {
		require.True(t, w.isIn(w.invites(stranger(i), 0)))
	}
	met := w.invites(stranger(0), 1)
	room, elsewhere := w.invites(anna, 0), w.invites("@kees:praktijk.example", 0)
	assert.False(t, w.isIn(room), "not yet")
	assert.True(t, w.isIn(elsewhere), "another homeserver")
	open := func() int {
		waiting, err := w.Store.Backlog(t.Context())
		require.NoError(t, err)
		return waiting.Open
	}
	assert.Equal(t, 1, open(), "who has a chat already does not wait for a second")
	w.passes(flowWindow - time.Second)
	assert.False(t, w.isIn(room))
	w.passes(time.Second)
	assert.True(t, w.isIn(room))
	assert.Contains(t, w.heard(room), "Neem die aan")
	assert.False(t, w.isIn(met))

	const room5 = most * int(longestWait/flowWindow)
	for i := most; i < 200; i++ {
		w.invites(stranger(i), 0)
	}
	assert.Equal(t, room5, open(), "as many wait as can be answered in time")
	w.passes(flowWindow)
	assert.Equal(t, room5-most, open())
	for i := range 200 { // in the same five minutes: who was answered waits no longer
		w.invites(stranger(200+i), 0)
	}
	assert.Equal(t, room5, open(), "their places are free again")
	for range int(longestWait/flowWindow) + 1 {
		w.passes(flowWindow)
	}
	assert.Zero(t, open(), "none waits for ever")
	assert.Empty(t, w.atDoor.here)
}

// A turn that fails and is tried again is one invitation, however often that is.
func TestAnInvitationThatIsTriedAgainCountsOnce(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Limits.Invitations, s.Limits.ServerInvitations = 2, 2 })
	fails := func(on string) {
		t.Helper()
		_, err := w.Store.DB().RawDB.Exec(on)
		require.NoError(t, err)
	}
	fails(`CREATE TRIGGER full BEFORE INSERT ON person BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
	room := w.invites(anna, 1)
	for range 5 {
		w.passes(5 * time.Second)
	}
	require.False(t, w.isIn(room))
	fails(`DROP TRIGGER full`)
	w.passes(maxBackoff)
	assert.True(t, w.isIn(room), "her own attempts are not too many invitations")
	assert.True(t, w.isIn(w.invites(anna, 2)))
	assert.False(t, w.isIn(w.invites(anna, 3)), "more than two still are")
}

func TestARoomOfManyIsLeftAtOnceAndHearsNothing(t *testing.T) {
	w := newWorld(t)
	crowd := id.RoomID("!chat7anna:elders.example")
	w.matrix.mu.Lock()
	w.matrix.room(crowd).people = 5_000
	w.matrix.mu.Unlock()
	w.invites(anna, 7)
	assert.False(t, w.isIn(crowd))
	assert.Empty(t, w.said(crowd))
}

func TestAQueueStaysSmallAndKeepsNoPlaceForWhoDoesNotComeAgain(t *testing.T) {
	q, now := newQueue(), time.Unix(0, 0)
	for i := range 3 * quotaSize {
		assert.True(t, q.enter(fmt.Sprint(i), 1, 1, time.Minute, now))
	}
	assert.LessOrEqual(t, len(q.here), quotaSize)
	assert.True(t, q.enter("x", 1, 2, time.Minute, now))
	assert.True(t, q.enter("x", 2, 2, time.Minute, now))
	assert.False(t, q.enter("x", 3, 2, time.Minute, now))
	q.leave("x", 1)
	assert.True(t, q.enter("x", 3, 2, time.Minute, now.Add(time.Second)))
	assert.True(t, q.enter("x", 3, 2, time.Minute, now.Add(time.Minute)), "who has a place keeps it")
	assert.True(t, q.enter("x", 4, 2, time.Minute, now.Add(time.Minute)), "2 did not come again")
	assert.False(t, q.enter("x", 5, 2, time.Minute, now.Add(time.Minute)))
	assert.True(t, q.enter("x", 5, 2, time.Minute, now.Add(-time.Hour)), "the clock was set back")
	q.leave("x", 5)
	q.leave("y", 6)
	assert.NotContains(t, q.here, "x")
}

func TestAQuotaStaysSmall(t *testing.T) {
	q, now := newQuota(), time.Unix(0, 0)
	for i := range 3 * quotaSize {
		assert.True(t, q.allow(fmt.Sprint(i), 1, 1, time.Minute, now))
	}
	assert.LessOrEqual(t, len(q.used), quotaSize)
	assert.True(t, q.allow("x", 1, 2, time.Minute, now))
	assert.True(t, q.allow("x", 2, 2, time.Minute, now))
	assert.False(t, q.allow("x", 3, 2, time.Minute, now))
	assert.True(t, q.allow("x", 2, 2, time.Minute, now), "the same turn again")
	assert.True(t, q.allow("x", 4, 2, time.Minute, now.Add(time.Minute)))
	assert.True(t, q.allow("x", 5, 2, time.Minute, now.Add(-time.Hour)), "the clock was set back")
	assert.True(t, q.allow("y", 6, 0, time.Minute, now), "0 is no limit")
}
