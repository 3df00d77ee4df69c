package bridge

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/rest"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestANumberThatTheHISConfirmsCouples(t *testing.T) {
	h := &findingHIS{found: []his.Patient{annaInHIS(), annaInHIS(func(p *his.Patient) { p.Number = "P-2" })}}
	w, consulting, beheer := finding(t, h)
	w.passes(findLater)
	w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" p-4711")
	assert.Equal(t, care.Active, w.person(anna).State)
	assert.Equal(t, care.Identity{PatientNumber: "p-4711"}, w.person(anna).Identity, "the BSN is for staff to give")
	assert.Equal(t, his.PatientQuery{Number: "p-4711"}, h.asked[len(h.asked)-1])
	assert.Equal(t, []string{"bot: name several", string(chef) + ": number one"}, w.lookedUp())
	assert.NotContains(t, w.heard(beheer), "zonder controle")
	assert.NotContains(t, w.log.String(), "de Berg")
	w.keepsNoBSN(consulting)
}

func TestANumberThatTheHISDoesNotConfirmCouplesNobodyUntilStaffSaySo(t *testing.T) {
	changed := func(change func(*his.Patient)) *findingHIS {
		return &findingHIS{found: []his.Patient{annaInHIS(change)}}
	}
	for name, tt := range map[string]struct {
		his     *findingHIS
		told    string
		outcome string
	}{
		"another birth date":  {changed(func(p *his.Patient) { p.BirthDate = p.BirthDate.AddDate(1, 0, 0) }), "Dit patiëntnummer is in het HIS van A. de Berg, geboren 31-05-1981. Bij ons is dit anders: geboortedatum.", "one differs"},
		"another family name": {changed(func(p *his.Patient) { p.LastName = "Jansen" }), "van A. Jansen, geboren 31-05-1980. Bij ons is dit anders: achternaam.", "one differs"},
		"a twin":              {changed(func(p *his.Patient) { p.FirstName = "Bo" }), "Bij ons is dit anders: voornaam.", "one differs"},
		"hides the numbers":   {&findingHIS{found: []his.Patient{annaInHIS(func(p *his.Patient) { p.Number = "" })}, hides: true}, "Het HIS zegt niet van wie dit patiëntnummer is.", "none"},
		"gives somebody else": {&findingHIS{found: []his.Patient{annaInHIS(func(p *his.Patient) { p.Number = "P-4712" })}, hides: true}, "Het HIS zegt niet van wie dit patiëntnummer is.", "none"},
		"nobody":              {&findingHIS{}, "Het HIS kent dit patiëntnummer niet, of alleen van een dossier", "none"},
		"several":             {&findingHIS{found: []his.Patient{annaInHIS(), annaInHIS()}}, "Het HIS heeft meer dan een patiënt met dit nummer.", "several"},
		"no login today":      {&findingHIS{fails: &rest.Error{Status: 401, Code: rest.CodeLogin}}, "Het HIS laat ons niet zoeken.", "failed"},
		"a gateway refuses":   {&findingHIS{fails: fmt.Errorf("%w: %w", &rest.Error{Status: 400, Code: rest.CodeInvalid, Strange: true}, his.ErrRefused)}, "Het HIS laat ons niet zoeken.", "failed"},
		"away":                {&findingHIS{fails: assert.AnError}, "Het HIS geeft nu geen antwoord.", "failed"},
		"panics":              {&findingHIS{bursts: true}, "Opzoeken gaat hier mis.", "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &findingHIS{}
			w, _, beheer := finding(t, h)
			w.passes(findLater)
			h.found, h.fails, h.hides, h.bursts = tt.his.found, tt.his.fails, tt.his.hides, tt.his.bursts
			typed := "!goedkeuren " + code(w.person(anna)) + " P-4711"
			w.writes(chef, beheer, typed)
			for range findForStaff {
				w.passes(maxBackoff)
			}
			assert.Equal(t, care.Awaiting, w.person(anna).State)
			assert.Empty(t, w.person(anna).Identity)
			assert.Len(t, w.left(beheer, "Nog niet gekoppeld."), 1)
			assert.Contains(t, w.heard(beheer), tt.told)
			assert.Contains(t, w.heard(beheer), "met het woord toch erachter.")
			assert.Equal(t, []string{"bot: name none", string(chef) + ": number " + tt.outcome}, w.lookedUp())

			asked := len(h.asked)
			w.writes(chef, beheer, typed+" toch")
			assert.Equal(t, care.Identity{PatientNumber: "P-4711"}, w.person(anna).Identity)
			assert.Len(t, h.asked, asked)
		})
	}
}

func TestANumberIsCoupledWithAWordWhereTheHISDoesNotLetUsLook(t *testing.T) {
	for name, fails := range map[string]error{
		"it says so": fmt.Errorf("no: %w: %w", his.ErrNoLookUp, his.ErrRefused),
		"it forbids": fmt.Errorf("look up a patient: %w: %w", &rest.Error{Status: 403, Code: rest.CodeLogin}, his.ErrNoLookUp),
	} {
		t.Run(name, func(t *testing.T) {
			h := &findingHIS{}
			w, _, beheer := finding(t, h)
			w.passes(findLater)
			h.fails = fails
			typed := w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711")
			for range findForStaff {
				w.passes(maxBackoff)
			}
			assert.Equal(t, care.Identity{PatientNumber: "P-4711"}, w.person(anna).Identity)
			require.Len(t, w.answered(beheer, typed), 1)
			assert.Contains(t, w.answered(beheer, typed)[0], "Gekoppeld zonder controle, want het HIS laat ons niet zoeken.")
			assert.Equal(t, []string{"bot: name none", string(chef) + ": number failed"}, w.lookedUp())
			lines, err := w.Store.AuditOf(t.Context(), w.person(anna).ID)
			require.NoError(t, err)
			assert.True(t, slices.ContainsFunc(lines, func(line store.Audit) bool { return line.Action == "decided" && line.Detail == "unchecked" }))
		})
	}
}

// A conversation moves by its number as it does by a BSN: it is the Derde who is compared.
func TestAConversationMovesToTheNumberThatTheHISConfirms(t *testing.T) {
	sem := his.Patient{Number: "4712", FirstName: "Sem", LastName: "de Berg", BirthDate: time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)}
	h := &findingHIS{found: []his.Patient{sem, annaInHIS()}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting := w.registered(anna)
	for _, text := range []string{"Hij hoest", "iemand anders", "Sem de Berg", "1-1-2000", "1", "2"} {
		w.writes(anna, consulting, text)
	}
	w.passes(time.Second)
	talk := w.talk(anna)
	w.writes(fatima, talk, "!dossier 4712")
	assert.Contains(t, w.heard(talk), "Nog niet gekoppeld. Dit patiëntnummer is in het HIS van Sem de Berg, geboren 02-01-2000. Bij ons is dit anders: geboortedatum.")
	assert.NotContains(t, w.heard(talk), "diens eigen dossier")
	h.found[0].BirthDate = sem.BirthDate.AddDate(0, 0, -1)
	w.writes(fatima, talk, "!dossier 4712")
	assert.Contains(t, w.heard(talk), "Gesprekken over Sem de Berg komen nu in diens eigen dossier, zegt Fatima.")
}
