package bridge

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
)

// What waits for the HIS was decided before what was decided since.
func TestAnOlderCommandIsNotCarriedOutOverANewerDecision(t *testing.T) {
	h := &findingHIS{found: []his.Patient{annaInHIS()}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	_, talk := w.talking(anna, "Een vraag")
	h.fails = assert.AnError
	w.writes(fatima, talk, "!dossier P-4711 123456782")
	w.writes(fatima, talk, "!dossier P-2 toch")
	require.Equal(t, care.Identity{PatientNumber: "P-2"}, w.person(anna).Identity)
	h.fails = nil
	w.passes(maxBackoff)
	assert.Equal(t, care.Identity{PatientNumber: "P-2"}, w.person(anna).Identity)
	assert.Contains(t, w.heard(talk), "Nog niet gekoppeld. Intussen is er iets anders besloten.")
}

func TestWhoeverWaitsHearsThatAnotherHasDecided(t *testing.T) {
	h := &findingHIS{found: []his.Patient{annaInHIS()}}
	w, consulting, beheer := finding(t, h)
	w.passes(findLater)
	h.fails = assert.AnError
	w.writes(fatima, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 123456782")
	w.writes(chef, beheer, "!afwijzen "+code(w.person(anna)))
	w.writes(anna, consulting, "ja") // once more
	for range 20 {
		if w.person(anna).State == care.Awaiting {
			break
		}
		w.writes(anna, consulting, "1")
	}
	h.fails = nil
	w.passes(maxBackoff)
	assert.NotEqual(t, care.Active, w.person(anna).State, "the chef said no")
	assert.Contains(t, w.heard(beheer), "Nog niet gekoppeld. ")
	assert.Contains(t, w.lookedUp(), string(fatima)+": bsn failed")
}

// A pause that begins while somebody waits is told to them.
func TestStaffHearThatTheHISWantsToBeLeftAloneWhileTheyWait(t *testing.T) {
	h := &findingHIS{}
	w, _, beheer := finding(t, h)
	w.passes(findLater)
	h.fails = assert.AnError
	w.writes(chef, beheer, "!zoeken "+code(w.person(anna))+" 123456782")
	asked := len(h.asked)
	w.leaveAlone(systemLane(hisName, linde), waitsFor(time.Hour))
	w.passes(maxBackoff)
	assert.Len(t, w.left(beheer, "Opzoeken in het HIS lukte niet bij aanmelding "+code(w.person(anna))), 1)
	assert.Len(t, h.asked, asked, "it is left alone")
}

// A BSN in the place of the number would be the name of a directory, and nobody's number.
func TestABSNIsNoPatientNumber(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!dossier 123456782")
	assert.Contains(t, w.heard(talk), "Op de plaats van het patiëntnummer staat een BSN.")
	assert.Equal(t, "P-4711", w.person(anna).Identity.PatientNumber)
	w.writes(fatima, talk, "!dossier 123456782 toch")
	assert.Equal(t, "123456782", w.person(anna).Identity.PatientNumber, "some practices have such numbers")
	lines, err := w.Store.AuditOf(t.Context(), w.person(anna).ID)
	require.NoError(t, err)
	assert.Equal(t, "unchecked", lines[len(lines)-1].Detail)
}

func TestAReasonHoldsNoBSNAndGoesWhenItIsTakenBack(t *testing.T) {
	w, _, _ := refusing(t)
	number := w.refusedNow()[0]
	w.writes(fatima, w.balie(), fmt.Sprintf("!overslaan %d BSN 123456782 klopte niet", number))
	assert.Contains(t, w.heard(w.balie()), "Er staat een BSN in de reden.")
	require.Len(t, w.refusedNow(), 1)
	typed := w.writes(fatima, w.balie(), fmt.Sprintf("!overslaan %d staat er al", number))
	w.writes(fatima, w.balie(), "!overgeslagen")
	assert.Contains(t, w.heard(w.balie()), "staat er al")
	w.removes(fatima, w.balie(), typed)
	before := len(w.said(w.balie()))
	w.writes(fatima, w.balie(), "!overgeslagen")
	for _, told := range w.said(w.balie())[before:] {
		assert.NotContains(t, told, "staat er al")
		assert.NotContains(t, told, "De reden is bewaard", "there is none")
	}
}
