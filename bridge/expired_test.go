package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
)

const expired = "de bewaartijd is voorbij"

func TestWhatWasNeverPassedOnDoesNotGoWithoutAWord(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "kanarie een")
	w.passes(time.Hour)
	w.writes(anna, room, "kanarie twee")
	w.clock = w.clock.Add(29 * day)
	w.sweeps()
	w.settles()
	w.sweeps()
	assert.Empty(t, w.left(room, "kanarie"))
	assert.Equal(t, 1, strings.Count(w.heard(room), expired), "once for what belongs together")
	assert.Contains(t, w.heard(room), "02-03-2026")
	assert.Empty(t, w.person(anna).Current)
	assert.Equal(t, care.NoQuestion, w.person(anna).Question)

	w.writes(anna, room, "Ik probeer het nog een keer")
	w.writes(anna, room, "over mijzelf")
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "Ik probeer het nog een keer")
	w.sweeps()
	assert.Equal(t, 1, strings.Count(w.heard(room), expired))
}

func TestWhatIsHeldSinceLaterStays(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "kanarie een")
	w.passes(20 * day)
	w.writes(anna, room, "kanarie twee")
	w.clock = w.clock.Add(9*day + time.Hour)
	w.sweeps()
	w.settles()
	assert.Equal(t, 1, strings.Count(w.heard(room), expired))
	assert.Len(t, w.left(room, "kanarie"), 1)
	w.writes(anna, room, "over mijzelf")
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "kanarie twee")
	assert.NotContains(t, w.heard(w.talk(anna)), "kanarie een")
}

// The answer comes while the first message is being removed: what is passed on then is there to be
// read, and of the rest the patient hears.
func TestAnAnswerInTheLastMomentPassesNothingThatIsGone(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "kanarie een")
	w.clock = w.clock.Add(29*day + time.Hour)
	w.arrives(anna, room, event.EventMessage, plainText("over mijzelf"))
	w.sweepsOnce()
	w.settles()
	w.passes(time.Second)
	require.Equal(t, 1, strings.Count(w.heard(room), expired))
	assert.NotContains(t, w.heard(w.talk(anna)), "kanarie")
}

func TestOfWhatWasPassedOnNothingIsSaidWhenItGoes(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "kanarie")
	w.clock = w.clock.Add(29*day + time.Hour)
	w.sweeps()
	w.settles()
	assert.NotContains(t, w.heard(room), expired)
}
