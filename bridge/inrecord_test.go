package bridge

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
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
	assert.Contains(t, said, "Let op, 1 losse berichten niet. Kijk in de Balie.")
}

// A findingHIS knows patients.
type findingHIS struct {
	brokenHIS
	asked []his.PatientQuery
	found []his.Patient
	more  bool
	fails error
}

func (h *findingHIS) Find(_ context.Context, q his.PatientQuery) ([]his.Patient, bool, error) {
	h.asked = append(h.asked, q)
	return h.found, h.more, h.fails
}

// finding is a world with a new account, and a HIS that may know who it is.
func finding(t *testing.T, h *findingHIS) (w *world, consulting, beheer id.RoomID) {
	t.Helper()
	w = newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	w.moves(anna, "!chat:elders.example", botID, "invite")
	consulting = w.consulting(anna)
	w.moves(anna, consulting, anna, "join")
	for _, answer := range []string{"1", "1", "1", "Anneke", "de Berg", "0612345678", "anneke@post.example", "31-5-1980", "1", "1", "1"} {
		w.writes(anna, consulting, answer)
	}
	require.Equal(t, care.Awaiting, w.person(anna).State)
	return w, consulting, w.roomFor(store.RoomBeheer, linde)
}

func TestTheHISProposesWhoANewAccountMayBeAndStaffDecide(t *testing.T) {
	born := time.Date(1980, 5, 31, 0, 0, 0, 0, time.UTC)
	h := &findingHIS{found: []his.Patient{
		{Number: "P-4711", BSN: "123456782", FirstName: "A.", LastName: "de Berg\n!kwaad", BirthDate: born}, {Number: "P-12", LastName: "de Berg", BirthDate: born},
	}, more: true}
	w, consulting, beheer := finding(t, h)
	w.passes(findLater)
	require.Len(t, h.asked, 1)
	assert.Equal(t, "de Berg", h.asked[0].LastName)
	assert.Equal(t, "1980-05-31", h.asked[0].BirthDate.Format(time.DateOnly))
	assert.Empty(t, h.asked[0].BSN)
	said := w.said(beheer)
	line := "A. de Berg !kwaad, geboren 31-05-1980: !goedkeuren " + code(w.person(anna)) + " P-4711 123456782"
	assert.Contains(t, said[len(said)-1], line)
	assert.Contains(t, said[len(said)-1], "P-12\nEr zijn er meer")
	assert.NotContains(t, w.heard(consulting), "123456782")
	assert.Equal(t, care.Awaiting, w.person(anna).State, "a person decides")
	assert.NotContains(t, w.log.String(), "P-4711")

	w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 123456782")
	assert.Equal(t, "123456782", w.person(anna).Identity.BSN)
}

// What is proposed is typed over: without the number the BSN would be one, and a patient whom
// nobody knows would get the record.
func TestAProposalWithoutANumberCouplesNobody(t *testing.T) {
	born := time.Date(1980, 5, 31, 0, 0, 0, 0, time.UTC)
	for _, number := range []string{"", "P 4711"} {
		w, _, beheer := finding(t, &findingHIS{found: []his.Patient{{Number: number, BSN: "123456782", LastName: "de Berg", BirthDate: born}}})
		w.passes(findLater)
		said := w.said(beheer)
		_, typed, proposed := strings.Cut(said[len(said)-1], "!goedkeuren")
		require.True(t, proposed)
		w.writes(chef, beheer, "!goedkeuren"+strings.SplitN(typed, "\n", 2)[0])
		assert.Equal(t, care.Awaiting, w.person(anna).State)
		assert.Contains(t, w.heard(beheer), "… 123456782")
	}
}

func TestNobodyFoundIsSaid(t *testing.T) {
	w, _, beheer := finding(t, &findingHIS{})
	w.passes(findLater)
	assert.Contains(t, w.heard(beheer), "niemand met deze achternaam en geboortedatum. Zoek verder in het HIS.")
}

func TestAHISThatDoesNotSayHoldsUpNoAccount(t *testing.T) {
	for name, fails := range map[string]error{"away": assert.AnError, "refuses": his.ErrRefused} {
		t.Run(name, func(t *testing.T) {
			w, _, beheer := finding(t, &findingHIS{fails: fails})
			for range findAttempts + 2 {
				w.passes(maxBackoff)
			}
			assert.NotContains(t, w.heard(beheer), "Het HIS kent")
			w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-1")
			assert.Equal(t, care.Active, w.person(anna).State)
		})
	}
}

func TestWhoIsDecidedAboutIsNotLookedUp(t *testing.T) {
	h := &findingHIS{}
	w, _, beheer := finding(t, h)
	w.writes(chef, beheer, "!afwijzen "+code(w.person(anna)))
	w.passes(findLater)
	assert.Empty(t, h.asked)
}
