package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/his"
)

// The CRM was away all the time: what it never got need not be marked there, and nobody has to look.
func TestWhatNeverArrivedIsNoMistakeThatStaffHaveToLookAt(t *testing.T) {
	for name, arrived := range map[string]bool{"it never arrived": false, "it had arrived": true} {
		t.Run(name, func(t *testing.T) {
			w, _, crm := twoSystems(t)
			if !arrived {
				crm.err = assert.AnError
			}
			consulting, talk := w.asksPractically("Ik wil een ander pilletje")
			crm.err = assert.AnError
			w.writes(anna, consulting, "Die blauwe")
			w.writes(fatima, talk, "!zorg")
			crm.err = his.FlawNotThere // it says that it has nothing of it
			w.passes(maxBackoff)
			assert.Equal(t, arrived, len(w.cards()) == 1, w.heard(w.balie()))
			assert.Equal(t, arrived, len(w.refusedNow()) == 1)
			if arrived {
				said := w.heard(w.balie())
				assert.Contains(t, said, " in het systeem van de praktijk: een bericht van gesprek 1")
				assert.Contains(t, said, "in het systeem staat niets van dit gesprek om als vergissing aan te merken")
				assert.NotContains(t, said, "HIS", "it has nothing to do with it")
			}
		})
	}
}

func TestAMessageThatNeverArrivedIsTakenOutWithoutACard(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	h.err = assert.AnError
	w.writes(anna, consulting, "De buurvrouw heeft koorts")
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	h.err = his.FlawNotThere
	w.passes(time.Hour)
	assert.Empty(t, w.cards())
	assert.NotContains(t, w.heard(talk), "In het HIS staat het bericht nu als vergissing.")
	assert.Len(t, w.left(talk, "Dit bericht wordt niet in het HIS vastgelegd."), 1)
}
