package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
)

func TestABSNThatTheHISConfirmsCouples(t *testing.T) {
	h := &findingHIS{found: []his.Patient{annaInHIS()}}
	w, consulting, beheer := finding(t, h)
	w.passes(findLater)
	w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" p-4711 123456782")
	assert.Equal(t, care.Active, w.person(anna).State)
	assert.Equal(t, care.Identity{PatientNumber: "p-4711", BSN: "123456782"}, w.person(anna).Identity)
	assert.Equal(t, 1, strings.Count(w.heard(beheer), "is goedgekeurd door Chef"))
	assert.Contains(t, w.heard(consulting), "Chef heeft uw gegevens gecontroleerd")
	assert.Equal(t, []string{"bot: name one", string(chef) + ": bsn one"}, w.lookedUp())
	w.keepsNoBSN(consulting)
}

func TestABSNThatTheHISDoesNotConfirmCouplesNobodyUntilStaffSaySo(t *testing.T) {
	changed := func(change func(*his.Patient)) *findingHIS {
		return &findingHIS{found: []his.Patient{annaInHIS(change)}}
	}
	for name, tt := range map[string]struct {
		his     *findingHIS
		told    string
		outcome string
	}{
		"another birth date":  {changed(func(p *his.Patient) { p.BirthDate = p.BirthDate.AddDate(1, 0, 0) }), "van A. de Berg, geboren 31-05-1981. Bij ons is dit anders: geboortedatum.", "bsn one differs"},
		"no birth date":       {changed(func(p *his.Patient) { p.BirthDate = time.Time{} }), "geboren ?. Bij ons is dit anders: geboortedatum.", "bsn one differs"},
		"another family name": {changed(func(p *his.Patient) { p.LastName = "Jansen" }), "van A. Jansen, geboren 31-05-1980. Bij ons is dit anders: achternaam.", "bsn one differs"},
		"a twin":              {changed(func(p *his.Patient) { p.FirstName = "Bo" }), "Bij ons is dit anders: voornaam.", "bsn one differs"},
		"another number":      {changed(func(p *his.Patient) { p.Number = "P-4712" }), "Bij ons is dit anders: patiëntnummer.", "bsn one differs"},
		"all of it": {changed(func(p *his.Patient) {
			*p = his.Patient{Number: "1", BSN: p.BSN, FirstName: "Bo", LastName: "Jansen", BirthDate: p.BirthDate.AddDate(0, 1, 0)}
		}), "geboortedatum, achternaam, voornaam en patiëntnummer.", "bsn one differs"},
		"a server that hides the BSN": {&findingHIS{found: []his.Patient{annaInHIS(func(p *his.Patient) { p.BSN = "" })}, hides: true}, "Het HIS zegt niet van wie dit BSN is.", "bsn none"},
		"nobody":                      {&findingHIS{}, "Het HIS kent dit BSN niet, of alleen van een dossier", "bsn none"},
		"several":                     {&findingHIS{found: []his.Patient{annaInHIS(), annaInHIS()}}, "Het HIS heeft meer dan een patiënt met dit BSN.", "bsn several"},
		"away":                        {&findingHIS{fails: assert.AnError}, "Het HIS geeft nu geen antwoord.", "bsn failed"},
		"refuses":                     {&findingHIS{fails: his.ErrRefused}, "Het HIS laat ons niet zoeken.", "bsn failed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &findingHIS{}
			w, consulting, beheer := finding(t, h)
			w.passes(findLater)
			h.found, h.fails, h.hides = tt.his.found, tt.his.fails, tt.his.hides
			typed := "!goedkeuren " + code(w.person(anna)) + " P-4711 123456782"
			w.writes(chef, beheer, typed)
			for range findForStaff {
				w.passes(maxBackoff)
			}
			assert.Equal(t, care.Awaiting, w.person(anna).State)
			assert.Empty(t, w.person(anna).Identity)
			assert.Len(t, w.left(beheer, "Nog niet gekoppeld."), 1)
			assert.Contains(t, w.heard(beheer), tt.told)
			assert.Contains(t, w.heard(beheer), "Typ dezelfde opdracht nog eens, met het woord toch erachter.")
			assert.Equal(t, []string{"bot: name none", string(chef) + ": " + tt.outcome}, w.lookedUp())
			w.keepsNoBSN(consulting)

			asked := len(h.asked)
			w.writes(chef, beheer, typed+" misschien")
			assert.Equal(t, care.Awaiting, w.person(anna).State)
			w.writes(chef, beheer, typed+" Toch")
			assert.Equal(t, care.Active, w.person(anna).State)
			assert.Equal(t, "123456782", w.person(anna).Identity.BSN)
			assert.Len(t, h.asked, asked)
		})
	}
}

func TestWhatIsConfirmedForWhoMayNoLongerDecideIsNotCarriedOut(t *testing.T) {
	for name, meanwhile := range map[string]func(w *world, beheer id.RoomID, typed id.EventID){
		"declined by another": func(w *world, beheer id.RoomID, _ id.EventID) {
			w.writes(chef, beheer, "!afwijzen "+code(w.person(anna)))
		},
		"off the list": func(w *world, _ id.RoomID, _ id.EventID) {
			require.NoError(w, w.Store.RemoveStaff(w.Context(), string(fatima), w.clock))
		},
		"taken back": func(w *world, beheer id.RoomID, typed id.EventID) { w.removes(fatima, beheer, typed) },
	} {
		t.Run(name, func(t *testing.T) {
			h := &findingHIS{found: []his.Patient{annaInHIS()}}
			w, _, beheer := finding(t, h)
			w.passes(findLater)
			h.fails = assert.AnError
			typed := w.writes(fatima, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 123456782")
			meanwhile(w, beheer, typed)
			h.fails = nil
			w.passes(maxBackoff)
			assert.NotEqual(t, care.Active, w.person(anna).State)
			assert.Empty(t, w.person(anna).Identity)
			w.passes(maxBackoff)
			assert.NotContains(t, w.log.String(), "Turn failed")
		})
	}
}

func TestAConversationMovesToTheRecordOfABSNThatTheHISConfirms(t *testing.T) {
	h := &findingHIS{found: []his.Patient{annaInHIS()}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!dossier P-9 123456782")
	assert.Contains(t, w.heard(talk), "Nog niet gekoppeld. Dit BSN is in het HIS van A. de Berg, geboren 31-05-1980. Bij ons is dit anders: patiëntnummer.")
	assert.Empty(t, w.person(anna).Identity.BSN)
	w.writes(fatima, talk, "!dossier P-4711 123456782")
	assert.Equal(t, care.Identity{PatientNumber: "P-4711", BSN: "123456782"}, w.person(anna).Identity)
	assert.Contains(t, w.heard(talk), "Dit account hoort nu bij een ander patiëntnummer, zegt Fatima")
	w.keepsNoBSN(consulting)
	w.writes(fatima, talk, "!dossier P-8 111222333 toch")
	assert.Equal(t, "P-8", w.person(anna).Identity.PatientNumber)
	assert.Equal(t, []string{string(fatima) + ": bsn one differs", string(fatima) + ": bsn one"}, w.lookedUp())
}

// Sem is the Derde: it is his name and birth date that count.
func TestWhoAConversationIsAboutIsComparedWithTheHIS(t *testing.T) {
	sem := his.Patient{Number: "4712", BSN: "123456782", FirstName: "Sem Jan", LastName: "Berg, de", BirthDate: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	h := &findingHIS{found: []his.Patient{sem}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting := w.registered(anna)
	for _, text := range []string{"Hij hoest", "iemand anders", "Sem de Berg", "1-1-2000", "1", "2"} {
		w.writes(anna, consulting, text)
	}
	w.passes(time.Second)
	talk := w.talk(anna)
	h.found[0].BirthDate = sem.BirthDate.AddDate(0, 0, 1)
	w.writes(fatima, talk, "!dossier 4712 123456782")
	assert.Contains(t, w.heard(talk), "van Sem Jan Berg, de, geboren 02-01-2000. Bij ons is dit anders: geboortedatum.")
	h.found[0].BirthDate = sem.BirthDate
	w.writes(fatima, talk, "!dossier 4712 123456782")
	assert.Contains(t, w.heard(talk), "Gesprekken over Sem de Berg komen nu in diens eigen dossier, zegt Fatima.")
}
