package bridge

import (
	"context"
	"fmt"
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

// A findingHIS knows patients.
type findingHIS struct {
	brokenHIS
	asked  []his.PatientQuery
	found  []his.Patient
	more   bool
	fails  error
	hides  bool // the BSN of whom it finds by one
	bursts bool // it panics
}

func (h *findingHIS) Find(_ context.Context, q his.PatientQuery) ([]his.Patient, bool, error) {
	h.asked = append(h.asked, q)
	if h.bursts {
		panic("no " + q.LastName + q.BSN)
	}
	var found []his.Patient
	for _, p := range h.found {
		if q.BSN == "" && (q.Number == "" || strings.EqualFold(p.Number, q.Number)) || q.BSN != "" && p.BSN == q.BSN || h.hides {
			found = append(found, p)
		}
	}
	return found, h.more && q.BSN == "", h.fails
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
		{Number: "P-4711", BSN: "123456782", FirstName: "A.\n!kwaad", LastName: "de Berg", BirthDate: born}, {Number: "P-12", LastName: "de Berg", BirthDate: born},
	}, more: true}
	w, consulting, beheer := finding(t, h)
	w.passes(findLater)
	require.Len(t, h.asked, 1)
	assert.Equal(t, "de Berg", h.asked[0].LastName)
	assert.Equal(t, "1980-05-31", h.asked[0].BirthDate.Format(time.DateOnly))
	assert.Empty(t, h.asked[0].BSN)
	said := w.said(beheer)
	line := "A. !kwaad de Berg, geboren 31-05-1980: !goedkeuren " + code(w.person(anna)) + " P-4711 123456782"
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
			assert.Equal(t, 1, strings.Count(w.heard(beheer), "Opzoeken in het HIS lukte niet bij aanmelding "+code(w.person(anna))), "it is no silence")
			assert.Contains(t, w.heard(beheer), "of !zoeken "+code(w.person(anna))+" BSN")
			assert.Equal(t, []string{"bot: name failed"}, w.lookedUp())
			w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-1 toch")
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

// lookedUp is what the log has of every question to the HIS about anna.
func (w *world) lookedUp() (all []string) {
	w.Helper()
	lines, err := w.Store.AuditOf(w.Context(), w.person(anna).ID)
	require.NoError(w, err)
	for _, line := range lines {
		if line.Action == "looked_up" {
			all = append(all, line.Actor+": "+line.Detail)
		}
	}
	return all
}

// annaInHIS is anna as the HIS knows her, changed as a test wants.
func annaInHIS(change ...func(*his.Patient)) his.Patient {
	p := his.Patient{Number: "P-4711", BSN: "123456782", FirstName: "A.", LastName: "de Berg", BirthDate: time.Date(1980, 5, 31, 0, 0, 0, 0, time.UTC)}
	for _, f := range change {
		f(&p)
	}
	return p
}

func TestStaffLookAnAccountUpByBSN(t *testing.T) {
	for name, tt := range map[string]struct {
		his     *findingHIS
		told    []string
		outcome string
	}{
		"one":     {&findingHIS{found: []his.Patient{annaInHIS()}}, []string{"deze patiënt. Kijk goed", "A. de Berg, geboren 31-05-1980: !goedkeuren %s P-4711 123456782"}, "bsn one"},
		"nobody":  {&findingHIS{}, []string{"is in het HIS van niemand. Kijk het nummer na"}, "bsn none"},
		"several": {&findingHIS{found: []his.Patient{annaInHIS(), annaInHIS(func(p *his.Patient) { p.Number = "P-2" })}}, []string{"meer dan een patiënt", "%s P-4711", "P-2 123456782"}, "bsn several"},
		"another": {
			&findingHIS{found: []his.Patient{annaInHIS(func(p *his.Patient) { p.FirstName, p.BirthDate = "Bo", p.BirthDate.AddDate(0, 0, 1) })}},
			[]string{"Bo de Berg, geboren 01-06-1980 (let op, bij ons anders: geboortedatum en voornaam): !goedkeuren %s"}, "bsn one differs",
		},
		"away":    {&findingHIS{fails: assert.AnError}, []string{"Opzoeken in het HIS lukte niet bij aanmelding %s. Het HIS geeft nu geen antwoord.", "!zoeken %s BSN"}, "bsn failed"},
		"refuses": {&findingHIS{fails: fmt.Errorf("no: %w", his.ErrRefused)}, []string{"Het HIS laat ons niet zoeken."}, "bsn failed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &findingHIS{}
			w, consulting, beheer := finding(t, h)
			w.passes(findLater)
			h.found, h.fails = tt.his.found, tt.his.fails
			w.writes(chef, beheer, "!zoeken "+code(w.person(anna))+" 123456782")
			for range findForStaff {
				w.passes(maxBackoff)
			}
			said := w.said(beheer)
			for _, part := range tt.told {
				assert.Contains(t, said[len(said)-1], strings.ReplaceAll(part, "%s", code(w.person(anna))))
			}
			assert.Equal(t, "123456782", h.asked[len(h.asked)-1].BSN)
			assert.Equal(t, []string{"bot: name none", string(chef) + ": " + tt.outcome}, w.lookedUp())
			assert.Equal(t, care.Awaiting, w.person(anna).State, "a person decides")
			w.keepsNoBSN(consulting)
		})
	}
}

// keepsNoBSN says that a BSN which was typed is in no row that can be read, in no log, and in no room
// that the patient sees.
func (w *world) keepsNoBSN(consulting id.RoomID) {
	w.Helper()
	const bsn = "123456782"
	assert.NotContains(w, w.log.String(), bsn)
	assert.NotContains(w, w.heard(consulting), bsn)
	for _, query := range []string{"SELECT body || error FROM outbox", "SELECT act || error FROM inbox", "SELECT detail || action FROM audit"} {
		rows, err := w.Store.DB().Query(w.Context(), query)
		require.NoError(w, err)
		for rows.Next() {
			var row string
			require.NoError(w, rows.Scan(&row))
			assert.NotContains(w, row, bsn, query)
		}
		require.NoError(w, rows.Close())
	}
}

func TestStaffAskTheHISAgain(t *testing.T) {
	h := &findingHIS{}
	w, _, beheer := finding(t, h)
	w.passes(findLater)
	h.found = []his.Patient{annaInHIS()}
	w.writes(chef, beheer, "!zoeken "+code(w.person(anna)))
	assert.Contains(t, w.heard(beheer), code(w.person(anna))+" P-4711 123456782")
	assert.Equal(t, []string{"bot: name none", string(chef) + ": name one"}, w.lookedUp())
	asked := len(h.asked)

	w.writes(chef, beheer, "!zoeken "+code(w.person(anna))+" 123456789")
	assert.Contains(t, w.heard(beheer), "Dit BSN klopt niet (elfproef)")
	w.writes(chef, beheer, "!zoeken")
	assert.Contains(t, w.heard(beheer), "!zoeken CODE [BSN]")
	w.writes(chef, beheer, "!zoeken abcdef 123456782")
	assert.Contains(t, w.heard(beheer), "Wij vinden geen aanmelding met deze code")
	w.staff("@poh:praktijk.example", "Poh", care.POH)
	w.writes("@poh:praktijk.example", beheer, "!zoeken "+code(w.person(anna)))
	assert.Contains(t, w.heard(beheer), "Deze opdracht kennen wij hier niet")
	w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 toch")
	w.writes(chef, beheer, "!zoeken "+code(w.person(anna)))
	assert.Contains(t, w.heard(beheer), "Deze aanmelding wacht niet op een besluit")
	assert.Len(t, h.asked, asked)
}

func TestAHISThatCannotLookUpSaysSo(t *testing.T) {
	w := newWorld(t)
	w.registered(anna)
	w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!zoeken "+code(w.person(anna))+" 123456782")
	assert.Contains(t, w.heard(w.roomFor(store.RoomBeheer, linde)), "Dit HIS kan geen patiënten voor ons opzoeken.")
	assert.Empty(t, w.lookedUp())
}

func TestStaffDoNotWaitForAHISThatWantsToBeLeftAlone(t *testing.T) {
	h := &findingHIS{}
	w, _, beheer := finding(t, h)
	w.passes(findLater)
	h.fails = waitsFor(time.Hour)
	w.writes(chef, beheer, "!zoeken "+code(w.person(anna))+" 123456782")
	assert.Len(t, w.left(beheer, "Opzoeken in het HIS lukte niet bij aanmelding "+code(w.person(anna))), 1, "at once")
	w.writes(chef, beheer, "!zoeken "+code(w.person(anna))+" 123456782")
	w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 123456782")
	assert.Len(t, w.left(beheer, "Opzoeken in het HIS lukte niet bij aanmelding "+code(w.person(anna))), 2)
	assert.Len(t, w.left(beheer, "Nog niet gekoppeld. Het HIS geeft nu geen antwoord."), 1)
	assert.Len(t, h.asked, 2, "it is left alone")
	assert.Equal(t, []string{"bot: name none", string(chef) + ": bsn failed", string(chef) + ": bsn failed", string(chef) + ": bsn failed"}, w.lookedUp())
	assert.Equal(t, care.Awaiting, w.person(anna).State)
}

// waitsFor is the error of a system that wants to be left alone.
type waitsFor time.Duration

func (waitsFor) Error() string               { return "busy" }
func (d waitsFor) RetryAfter() time.Duration { return time.Duration(d) }

func TestACommandThatIsRemovedLooksNobodyUp(t *testing.T) {
	h := &findingHIS{}
	w, _, beheer := finding(t, h)
	w.passes(findLater)
	h.fails = assert.AnError
	typed := w.writes(chef, beheer, "!zoeken "+code(w.person(anna))+" 123456782")
	asked := len(h.asked)
	w.removes(chef, beheer, typed)
	h.fails = nil
	w.passes(maxBackoff)
	assert.Len(t, h.asked, asked)
}
