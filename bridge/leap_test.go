package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// ticks gives the world a second clock, that cannot be set: both go on with what it returns.
func (w *world) ticks() (pass func(by time.Duration)) {
	ticked := w.clock
	w.leaps.tick = func() time.Time { return ticked }
	w.leaps.look(w.clock)
	return func(by time.Duration) {
		w.Helper()
		ticked = ticked.Add(by)
		w.passes(by)
	}
}

func TestWhatAClockLeapsOverWasNotWaitedFor(t *testing.T) {
	began := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	wall, ticked := began, began
	l := leaps{}
	assert.Equal(t, time.Hour, l.waited(wall.Add(-time.Hour), wall), "before the first look nothing is known")
	assert.Equal(t, wall.Add(-time.Minute), l.before(time.Minute, wall))
	l.tick = func() time.Time { return ticked }
	l.look(wall)
	check := func(what string, since time.Time, waited time.Duration) {
		t.Helper()
		assert.Equal(t, waited, l.waited(since, wall), what)
	}
	pass := func(by time.Duration) { wall, ticked = wall.Add(by), ticked.Add(by) }
	check("we had only begun", began.Add(-time.Hour), 0)
	pass(time.Minute)
	check("before we began it was not waited for", began.Add(-time.Hour), time.Minute)
	assert.Equal(t, began, l.before(time.Minute, wall))
	assert.True(t, l.before(2*time.Minute, wall).IsZero(), "we have not run so long")

	wall = wall.Add(time.Hour)
	check("over a leap", began, time.Minute)
	assert.Equal(t, began, l.before(time.Minute, wall))
	after := wall
	pass(time.Minute)
	check("over a leap", began, 2*time.Minute)
	check("after it", after, time.Minute)
	assert.Equal(t, after, l.before(time.Minute, wall))
	assert.Equal(t, began.Add(30*time.Second), l.before(90*time.Second, wall))

	wall = wall.Add(time.Hour)
	pass(time.Minute)
	check("over two leaps", began, 3*time.Minute)
	assert.Equal(t, began, l.before(3*time.Minute, wall))

	wall = wall.Add(-2 * time.Hour)
	check("what is still to come, for a clock that was set back", after, 0)
	pass(time.Minute)
	check("since it was set back", wall.Add(-time.Minute), time.Minute)
}

// What waits for its place, because something before it is missing, does not get it because the clock
// says so.
func TestAClockThatIsSetAheadPutsNothingOutOfOrder(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	pass := w.ticks()
	pass(time.Hour)
	_, fill := w.misses(anna, consulting, plainText("eerste"))
	w.writes(anna, consulting, "tweede")
	w.clock = w.clock.Add(time.Hour)
	pass(placeWait / 2)
	fill()
	pass(placeWait)
	assert.Equal(t, []string{"eerste", "tweede"}, order(w.heard(talk), "eerste", "tweede"))
}

// A message in a room that is not ours yet is kept for when it becomes so.
func TestAClockThatIsSetAheadForgetsNoRoom(t *testing.T) {
	w := newWorld(t)
	pass := w.ticks()
	room := id.RoomID("!new:elders.example")
	w.arrives(anna, room, event.EventMessage, plainText("Hallo"))
	pass(time.Second)
	w.clock = w.clock.Add(time.Hour)
	pass(time.Second)
	assert.True(t, w.waits(room))
	pass(strangeWait)
	assert.False(t, w.waits(room), "nobody knows whose it is")
}

// waits says whether something that happened in a room has still to be dealt with.
func (w *world) waits(room id.RoomID) bool {
	w.Helper()
	turns, err := w.Store.HeadTurns(w.Context(), w.clock.Add(time.Hour), 100)
	if err != nil {
		w.Fatal(err)
	}
	for _, t := range turns {
		if t.RoomID == string(room) {
			return true
		}
	}
	return false
}
