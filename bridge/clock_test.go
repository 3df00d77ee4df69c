package bridge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// A message whose delivery failed just before the clock is set back an hour still arrives in
// seconds, not in an hour.
func TestAClockThatIsSetBackHoldsUpNothing(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Ik heb een vraag")
	last := w.lookAtClock(t.Context(), time.Time{})
	w.matrix.fails = func(string, id.RoomID) error { return errors.New("the homeserver is away") }
	w.writes(fatima, talk, "Kom maar langs")
	w.matrix.fails = nil
	w.clock = w.clock.Add(-time.Hour)
	w.settles()
	assert.NotContains(t, w.heard(room), "Kom maar langs", "what was to be tried again is due in an hour")
	last = w.lookAtClock(t.Context(), last)
	w.settles()
	assert.Contains(t, w.heard(room), "Kom maar langs")
	assert.Equal(t, w.clock, last)
}

// Both sides hear of a missing key, and a pause ends, in minutes also when the clock goes back.
func TestAClockThatIsSetBackLeavesNobodyWaiting(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Ik heb een vraag")
	w.passes(2 * time.Minute)
	w.Limits.Messages = 1
	for range flood + 1 {
		w.writes(anna, room, "nog een")
	}
	assert.False(t, w.isOpen(room))
	w.locked(fatima, talk, "Kom maar langs")
	last := w.lookAtClock(t.Context(), time.Time{})
	w.clock = w.clock.Add(-time.Hour)
	w.lookAtClock(t.Context(), last)
	w.passes(0)
	for range 4 {
		w.passes(time.Minute)
	}
	assert.True(t, w.isOpen(room))
	assert.Contains(t, w.heard(room), "een bericht dat nog niet is aangekomen")
	for range 4 {
		w.passes(time.Minute)
	}
	assert.Equal(t, 1, strings.Count(w.heard(room), "U kunt weer berichten sturen"))
}

// A key that is not there yet is not missing for an hour because the clock says so.
func TestAClockThatIsSetAheadMakesNobodyWaitLonger(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Ik heb een vraag")
	pass := w.ticks()
	w.locked(fatima, talk, "Kom maar langs")
	pass(10 * time.Second)
	w.clock = w.clock.Add(time.Hour)
	w.locked(fatima, talk, "Of morgen") // before anybody has looked at the clock
	w.clock = w.clock.Add(time.Hour)
	w.settles()
	count := func() int { return strings.Count(w.heard(room), "een bericht dat nog niet is aangekomen") }
	pass(w.KeyTimeout - 30*time.Second)
	assert.Zero(t, count())
	pass(time.Minute)
	assert.Equal(t, 2, count())
	w.clock = w.clock.Add(-2 * time.Hour)
	w.leaps.look(w.clock)
	w.locked(anna, room, "En nog iets")
	told := len(w.said(talk))
	for range 4 {
		pass(time.Minute)
	}
	assert.Greater(t, len(w.said(talk)), told, "the leap is forgotten when the clock is set back")
}

// How a delivery ended is stored as soon as the database takes it again, and not only after the
// claim has run out.
func TestWhatTheDatabaseDoesNotTakeIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answers []error
		tries   int
		took    time.Duration
	}{
		"full, then not":    {[]error{errors.New("disk is full"), errors.New("disk is full"), nil}, 3, 3 * time.Second},
		"another has it":    {[]error{store.ErrFenced}, 1, 0},
		"another took over": {[]error{store.ErrTakenOver}, 1, 0},
		"taken at once":     {[]error{nil}, 1, 0},
		"a long time":       {[]error{errNotYet, errNotYet, errNotYet, errNotYet, errNotYet, nil}, 6, 17 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, tries, began := Bridge{Log: zerolog.Nop()}, 0, time.Now()
				b.insist(t.Context(), "Something", func() error { tries++; return c.answers[tries-1] })
				assert.Equal(t, c.tries, tries)
				assert.Equal(t, c.took, time.Since(began))
			})
		})
	}
}

func TestNobodyInsistsOnceStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	b, tries := Bridge{Log: zerolog.Nop()}, 0
	b.insist(ctx, "Something", func() error { tries++; stop(); return errors.New("away") })
	assert.Equal(t, 1, tries)
}
