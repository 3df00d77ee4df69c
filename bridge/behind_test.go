package bridge

import (
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
