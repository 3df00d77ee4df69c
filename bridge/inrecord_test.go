package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingSaysInYourRecordBeforeTheHISConfirmedIt(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag")
	h.err = assert.AnError
	w.writes(anna, consulting, "Er is meer")
	w.writes(anna, consulting, "Staat dit in mijn dossier?")
	assert.Contains(t, w.heard(consulting), "Van dit gesprek staat 1 bericht in uw dossier bij de praktijk. 1 nog niet.")
	w.writes(fatima, talk, "!sluiten")
	assert.NotContains(t, w.heard(consulting), "staat nu in uw dossier")
	h.err = nil
	w.passes(maxBackoff)
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "Wat er in dit gesprek is geschreven, staat nu in uw dossier bij de praktijk."))
	assert.Contains(t, w.heard(talk), "Dit gesprek staat nu in het HIS.")
	w.writes(anna, consulting, "dossier")
	assert.Contains(t, w.heard(consulting), "staan 2 berichten in uw dossier bij de praktijk. Wilt")
}

func TestAskingForTheRecordIsNoMessageToStaff(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	consulting := w.registered(anna)
	w.writes(anna, consulting, "dossier")
	assert.Contains(t, w.heard(consulting), "Wij hebben nu geen gesprek met u.")
	w.writes(anna, consulting, "Een vraag")
	w.writes(anna, consulting, "1")
	w.passes(time.Second)
	w.writes(anna, consulting, "mijn dossier")
	assert.Contains(t, w.heard(consulting), "Dit gesprek staat nog niet in uw dossier. Wij zetten het erin als het is afgesloten.")
	assert.NotContains(t, w.heard(w.talk(anna)), "mijn dossier")
}

func TestWhatIsNotAboutCareIsInNoRecord(t *testing.T) {
	w, _, crm := twoSystems(t)
	consulting, talk := w.asksPractically("Ik ben verhuisd")
	w.writes(anna, consulting, "dossier")
	w.writes(fatima, talk, "!sluiten")
	require.Len(t, crm.filed, 2)
	assert.Contains(t, w.heard(consulting), "Daarom komt het niet in uw dossier.")
	assert.NotContains(t, w.heard(consulting), "staat nu in")
	assert.Contains(t, w.heard(talk), "Dit gesprek staat nu in het systeem van de praktijk.")
}

func TestARefusedMessageIsNamedWhenTheRestIsFiled(t *testing.T) {
	w, _, _ := refusing(t)
	w.writes(fatima, w.talk(anna), "!sluiten")
	said := ""
	for _, room := range w.matrix.rooms {
		said += w.heard(room.id)
	}
	assert.Contains(t, said, "Let op, 1 losse berichten nog niet, of niet zeker. Kijk in de Balie.")
}
