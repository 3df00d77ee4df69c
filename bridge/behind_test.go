package bridge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
)

// A system that fails at some answers still gives the others; that it lasts is an alarm.
func TestAnswersThatAreThereDoNotWaitForThoseThatTheHISFailsAt(t *testing.T) {
	w, h, consulting, _ := asking(t)
	lane := systemLane(hisName, linde)
	h.answers, h.err = append(h.answers, w.gp("Smeer het twee weken in."), w.gp("En kom dan terug.")), his.ErrBehind
	require.ErrorIs(t, w.askSystem(t.Context(), lane, h), his.ErrBehind)
	w.settles()
	assert.Contains(t, w.heard(consulting), "Smeer het twee weken in.")
	assert.Contains(t, w.heard(consulting), "En kom dan terug.")
	h.states = []his.StatusChange{{Conversation: w.current(), Status: his.StatusClosed, At: w.clock}}
	w.clock = w.clock.Add(askAlarm + time.Second)
	require.Error(t, w.askSystem(t.Context(), lane, h))
	assert.Len(t, w.alarmed("Wij kunnen geen of niet alle antwoorden ophalen uit het HIS"), 1)
	w.settles()
	assert.NotContains(t, w.heard(consulting), "gesloten", "its last answer may be among those that wait")
	h.err = nil
	require.NoError(t, w.askSystem(t.Context(), lane, h))
	w.settles()
	assert.Contains(t, w.heard(consulting), "gesloten")
}

// That a conversation was taken up says nothing about its answers; that it was closed does.
func TestWhatIsTakenUpInTheHISIsKnownWhileAnswersWait(t *testing.T) {
	w, h, consulting, _ := asking(t)
	lane, at := systemLane(hisName, linde), w.clock
	taken := func() bool {
		c, _, err := w.Store.Conversation(t.Context(), w.current().String())
		require.NoError(t, err)
		return !c.TakenAt.IsZero()
	}
	h.err = his.ErrBehind
	h.states = []his.StatusChange{{Conversation: w.current(), Status: his.StatusOpen, At: at}}
	require.ErrorIs(t, w.askSystem(t.Context(), lane, h), his.ErrBehind)
	w.settles()
	require.True(t, taken())
	h.states = append(h.states, his.StatusChange{Conversation: w.current(), Status: his.StatusClosed, At: at.Add(time.Minute)})
	for range 3 {
		require.ErrorIs(t, w.askSystem(t.Context(), lane, h), his.ErrBehind)
		w.settles()
	}
	assert.NotContains(t, w.heard(consulting), "gesloten")
	h.err = nil
	require.NoError(t, w.askSystem(t.Context(), lane, h))
	w.settles()
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "gesloten"), "once, when they are there")
	assert.Empty(t, h.tracked, "the HIS said so itself")
}

func TestASystemThatIsBehindAndAsksToBeLeftAloneIsNotAskedForStates(t *testing.T) {
	w, h, _, _ := asking(t)
	h.err = fmt.Errorf("%w: %w", his.ErrBehind, later(time.Minute))
	h.states = []his.StatusChange{{Conversation: w.current(), Status: his.StatusOpen, At: w.clock}}
	require.Error(t, w.askSystem(t.Context(), systemLane(hisName, linde), h))
	w.settles()
	c, _, err := w.Store.Conversation(t.Context(), w.current().String())
	require.NoError(t, err)
	assert.True(t, c.TakenAt.IsZero())
}
