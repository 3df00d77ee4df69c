package bridge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
)

// kindsOf are the kinds and editions of what a system took, in order.
func kindsOf(items []his.Item) (all []string) {
	for _, i := range items {
		all = append(all, string(i.Kind)+" "+string(rune('0'+i.Conversation.Edition)))
	}
	return all
}

// twoSystems is a practice with a HIS and a CRM.
func twoSystems(t *testing.T) (w *world, h, crm *keepingHIS) {
	t.Helper()
	h, crm = &keepingHIS{files: map[string][]byte{}}, &keepingHIS{files: map[string][]byte{}}
	w = newWorld(t, func(s *Settings) {
		s.Practices[0].System, s.Practices[0].CRM = System{Connector: h}, &System{Connector: crm}
	})
	return w, h, crm
}

// asksPractically brings a patient to an open conversation that is not about care.
func (w *world) asksPractically(text string) (consulting, talk id.RoomID) {
	w.Helper()
	consulting = w.registered(anna)
	w.writes(anna, consulting, text)
	w.writes(anna, consulting, "praktisch")
	w.passes(time.Second)
	return consulting, w.talk(anna)
}

func TestWhatIsNotAboutCareGoesToTheCRM(t *testing.T) {
	w, h, crm := twoSystems(t)
	_, talk := w.asksPractically("Ik ben verhuisd")
	w.writes(fatima, talk, "Dank u")
	w.writes(fatima, talk, "!sluiten")
	assert.Empty(t, h.filed)
	assert.Equal(t, []string{"message 0", "message 0", "closing 0"}, kindsOf(crm.filed))
	assert.Nil(t, crm.filed[2].Closing.Consult)
}

func TestAConversationThatTurnsOutToBeAboutCareMovesToTheHIS(t *testing.T) {
	w, h, crm := twoSystems(t)
	consulting, talk := w.asksPractically("Ik wil een ander pilletje")
	w.writes(fatima, talk, "Welk?")
	w.writes(fatima, talk, "!zorg")
	assert.Equal(t, []string{"message 0", "message 0", "mistake 0"}, kindsOf(crm.filed))
	mistake := crm.filed[2]
	assert.Empty(t, mistake.Mistaken, "all of it")
	assert.Equal(t, "Fatima", mistake.Author.Name)
	assert.Equal(t, "Dit gesprek hoort hier niet, zegt Fatima.", mistake.Text)
	assert.Equal(t, his.CategoryNonCare, mistake.Conversation.Category, "as it was filed")
	assert.Equal(t, []string{"message 1", "message 1"}, kindsOf(h.filed))
	assert.Equal(t, "Ik wil een ander pilletje", h.filed[0].Text)
	assert.Equal(t, his.CategoryCare, h.filed[0].Conversation.Category)
	assert.Contains(t, w.heard(talk), "wordt daar als vergissing aangemerkt en opnieuw vastgelegd waar het hoort.")
	assert.NotContains(t, w.heard(talk), "Let op: van")

	w.writes(anna, consulting, "Die blauwe")
	w.writes(fatima, talk, "!praktisch")
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, []string{"message 1", "message 1", "message 1", "mistake 1"}, kindsOf(h.filed))
	assert.Equal(t, []string{"message 2", "message 2", "message 2", "closing 2"}, kindsOf(crm.filed[3:]))
	assert.Equal(t, []string{"Anneke de Berg: Ik wil een ander pilletje", "Fatima: Welk?", "Anneke de Berg: Die blauwe"}, crm.texts(t))
}

func TestASystemThatIsAwayDoesNotHoldUpTheOther(t *testing.T) {
	w, h, crm := twoSystems(t)
	crm.err = assert.AnError
	_, talk := w.asksPractically("Ik wil een ander pilletje")
	w.writes(fatima, talk, "!zorg")
	assert.Equal(t, []string{"message 1"}, kindsOf(h.filed))
	crm.err = nil
	w.passes(maxBackoff)
	assert.Equal(t, []string{"mistake 0"}, kindsOf(crm.filed), "it may have been taken: the answer could have been lost")
	assert.Len(t, h.filed, 1)
}

func TestWithOneSystemTheCategoryMovesNothing(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	_, talk := w.asksPractically("Ik wil een ander pilletje")
	w.writes(fatima, talk, "!zorg")
	assert.Equal(t, []string{"message 0"}, kindsOf(h.filed))
}

func TestWhatWasSealedMovesAlong(t *testing.T) {
	w, h, crm := twoSystems(t)
	crm.err = his.FlawNoAuthor
	consulting, talk := w.asksPractically("Ik wil een ander pilletje")
	w.passes(31 * 24 * time.Hour)
	w.sweeps()
	assert.Empty(t, w.left(consulting, "pilletje"))
	w.writes(fatima, talk, "!zorg")
	require.Len(t, h.filed, 1)
	assert.Equal(t, "Ik wil een ander pilletje", h.filed[0].Text)
	assert.Empty(t, crm.filed, "it was never there")
	assert.Empty(t, w.refusedNow())
}

func TestAWrongRecordIsMarkedAndTheRightOneGetsEverything(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, first := w.talking(anna, "Een eerste vraag")
	w.writes(fatima, first, "!sluiten")
	w.writes(anna, consulting, "Nog een vraag")
	w.writes(anna, consulting, "1")
	w.passes(time.Second)
	talk := w.talk(anna)
	before := len(h.filed)
	w.writes(fatima, talk, "!dossier P-9 123456782")
	moved := map[uuid.UUID][]his.Item{}
	for _, i := range h.filed[before:] {
		moved[i.Conversation.ID] = append(moved[i.Conversation.ID], i)
	}
	require.Len(t, moved, 2, "every conversation of the account was in the wrong record")
	for _, items := range moved {
		assert.Equal(t, his.KindMistake, items[0].Kind)
		assert.Equal(t, "P-4711", items[0].Conversation.Patient.Number, "as it was filed")
		assert.Contains(t, his.Readable(items[1], nil), "Vraag van de patiënt")
		for _, i := range items[1:] {
			assert.Equal(t, "P-9", i.Conversation.Patient.Number)
			assert.Equal(t, "123456782", i.Conversation.Patient.BSN)
			assert.Equal(t, 1, i.Conversation.Edition)
		}
	}
	assert.Equal(t, "P-9", w.person(anna).Identity.PatientNumber)
	assert.NotContains(t, w.heard(consulting), "123456782")
	w.writes(fatima, talk, "!dossier P-9 123456782")
	assert.Contains(t, w.heard(talk), "Daar staat het al.")
	w.writes(fatima, talk, "!dossier P-9 123456789")
	assert.Contains(t, w.heard(talk), "Dit BSN klopt niet")
	w.writes(fatima, talk, "!dossier")
	assert.Contains(t, w.heard(talk), "!dossier PATIENTNUMMER [BSN]")
	lines, err := w.Store.AuditOf(t.Context(), w.person(anna).ID)
	require.NoError(t, err)
	assert.Equal(t, string(fatima), lines[len(lines)-1].Actor)
}

func TestWhatHasLeftTheChatIsCountedWhenTheRecordMoves(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een oude vraag")
	w.passes(31 * 24 * time.Hour)
	w.sweeps()
	w.writes(anna, consulting, "Een nieuwe")
	w.writes(fatima, talk, "!dossier P-9")
	assert.Contains(t, w.heard(talk), "Let op: van 1 berichten staat de tekst niet meer in de chat")
	assert.Equal(t, []string{"message 0", "message 0", "mistake 0", "message 1"}, kindsOf(h.filed))
}

func TestADerdeWhoIsAPatientGetsItInTheirOwnRecord(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting := w.registered(anna)
	for _, said := range []string{"Mijn zoon hoest", "2", "Tim de Berg", "1-2-2020", "1", "1"} {
		w.writes(anna, consulting, said)
	}
	w.passes(time.Second)
	talk := w.talk(anna)
	require.Equal(t, []string{"message 0"}, kindsOf(h.filed), w.heard(consulting))
	assert.Nil(t, h.filed[0].Conversation.Derde.Patient)
	w.writes(fatima, talk, "!dossier P-7 111222333")
	assert.Equal(t, []string{"message 0", "mistake 0", "message 1"}, kindsOf(h.filed))
	assert.Equal(t, "P-7", h.filed[2].Conversation.Derde.Patient.Number)
	assert.Equal(t, "P-4711", h.filed[2].Conversation.Patient.Number, "who writes stays the account holder")
	assert.Contains(t, w.heard(talk), "komen nu in diens eigen dossier, zegt Fatima")

	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "staat nu in het dossier bij de praktijk"))
	w.writes(anna, consulting, "Hij hoest weer")
	w.writes(anna, consulting, "2")
	w.passes(time.Second)
	assert.Equal(t, "P-7", h.filed[len(h.filed)-1].Conversation.Derde.Patient.Number, "also the next time")
}

func TestOnlyWhoMayVerifyMovesARecord(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	poh := id.UserID("@poh:praktijk.example")
	w.staff(poh, "Piet", care.POH)
	_, talk := w.talking(anna, "Een vraag")
	w.writes(poh, talk, "!dossier P-9")
	assert.Len(t, h.filed, 1)
	assert.Equal(t, "P-4711", w.person(anna).Identity.PatientNumber)
	assert.True(t, strings.Contains(w.heard(talk), "Deze opdracht kennen wij hier niet"))
}

func TestADocumentOnClosingMovesToo(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!samenvatting Kort")
	w.writes(fatima, talk, "!sluiten")
	w.writes(fatima, talk, "!dossier P-9")
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "staat nu in uw dossier"), "not again")
	assert.Equal(t, []string{"closing 0", "mistake 0", "closing 1"}, kindsOf(h.filed))
	assert.Equal(t, []string{"Anneke de Berg: Een vraag"}, h.texts(t))
	assert.Equal(t, "Kort", h.filed[2].Closing.Summary)
	w.noneKept(talk)
}

func TestWhatWaitsForACRMThatIsGoneGoesToTheHIS(t *testing.T) {
	w, h, crm := twoSystems(t)
	crm.err = assert.AnError
	w.asksPractically("Ik ben verhuisd")
	w.Practices[0].CRM = nil
	require.NoError(t, w.joinLanes(t.Context()))
	w.passes(maxBackoff)
	assert.Equal(t, []string{"message 0"}, kindsOf(h.filed))
	_, err := w.systemIn(systemLane(crmName, linde))
	assert.ErrorContains(t, err, "not in the settings")
}

// asksFor brings a patient to an open conversation about their son, with one question in it.
func (w *world) asksFor() (consulting, talk id.RoomID) {
	w.Helper()
	consulting = w.registered(anna)
	for _, said := range []string{"Mijn zoon hoest", "2", "Tim de Berg", "1-2-2020", "1", "1"} {
		w.writes(anna, consulting, said)
	}
	w.passes(time.Second)
	return consulting, w.talk(anna)
}

func TestAPermissionThatEndsTakesNothingOutOfTheRecord(t *testing.T) {
	w := newWorld(t)
	_, talk := w.asksFor()
	w.writes(fatima, talk, "!derde stop")
	said := strings.Join(w.letters(), "\n")
	assert.Contains(t, said, "Mijn zoon hoest")
	assert.NotContains(t, said, "hoort hier niet")
	assert.Len(t, w.letters(), 3, "the question, that it was closed, and that the permission ended")
	assert.NotContains(t, w.heard(talk), "opnieuw vastgelegd")
}

func TestAskingWhomItConcernsTakesNothingOutOfTheCRM(t *testing.T) {
	w, h, crm := twoSystems(t)
	_, talk := w.asksPractically("Mijn buurvrouw is verhuisd")
	w.writes(fatima, talk, "!derde")
	assert.Equal(t, []string{"message 0", "closing 0"}, kindsOf(crm.filed))
	assert.Empty(t, h.filed)
}

func TestTheDocumentIsFiledAlsoWhenStaffAskAnewWhomItConcerns(t *testing.T) {
	for command, start := range map[string]func(w *world) (consulting, talk id.RoomID){
		"!derde":      func(w *world) (consulting, talk id.RoomID) { return w.talking(anna, "Mijn zoon hoest") },
		"!derde stop": (*world).asksFor,
	} {
		t.Run(command, func(t *testing.T) {
			w := newWorld(t, func(s *Settings) { s.Practices[0].OnClosing = true })
			_, talk := start(w)
			w.writes(fatima, talk, command)
			require.NotEmpty(t, w.letters())
			assert.Contains(t, w.letters()[0], "Mijn zoon hoest")
			w.noneKept(talk)
		})
	}
}

func TestTheDocumentMovesAlongWithWhatIsInIt(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Practices[0].OnClosing = true })
	_, talk := w.talking(anna, "Een vraag")
	before, err := w.caseOf(t.Context(), w.person(anna))
	require.NoError(t, err)
	env, err := w.env(t.Context(), before.Person)
	require.NoError(t, err)
	after, err := care.CloseConversation(before, string(fatima), env)
	require.NoError(t, err)
	after.Person.Identity.PatientNumber = "P-9" // a decision that closes and moves at once
	require.NoError(t, w.Store.Transact(t.Context(), func(ctx context.Context) error {
		moved, err := w.misfiled(ctx, before, after)
		require.Len(t, moved, 1)
		return errors.Join(err, w.settle(ctx, place{}, before, after), w.fileAnew(ctx, moved[0], string(fatima)))
	}))
	w.settles()
	require.Len(t, w.letters(), 1)
	assert.Contains(t, w.letters()[0], "Een vraag")
	w.noneKept(talk)
}

// The outbox forgets what was done a month ago. That it was filed, it was all the same.
func TestAConversationThatMovedBeforeIsMarkedAgainAlsoLongAfter(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een oude vraag")
	w.writes(fatima, talk, "!dossier P-9")
	w.writes(fatima, talk, "!sluiten")
	old := h.filed[0].Conversation.ID
	w.passes(2 * trafficLog)
	w.sweeps()
	require.NoError(t, w.tidy(t.Context()))
	rows, err := w.Store.Filings(t.Context(), old.String())
	require.NoError(t, err)
	require.Empty(t, rows)
	w.writes(anna, consulting, "Een nieuwe")
	w.writes(anna, consulting, "1")
	w.passes(time.Second)
	before := len(h.filed)
	w.writes(fatima, w.talk(anna), "!dossier P-10")
	var marked []uuid.UUID
	for _, i := range h.filed[before:] {
		if i.Kind == his.KindMistake {
			marked = append(marked, i.Conversation.ID)
			assert.Equal(t, "P-9", i.Conversation.Patient.Number)
		}
	}
	assert.Contains(t, marked, old)
	assert.Len(t, marked, 2)
}

func TestWhatIsRemovedBeforeTheRightRecordHasItIsNotKeptThere(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag")
	mine := w.writes(anna, consulting, "kanarie")
	h.err = assert.AnError
	w.writes(fatima, talk, "!dossier P-9")
	w.removes(anna, consulting, mine)
	h.err = nil
	w.passes(maxBackoff)
	assert.Equal(t, []string{"message 0", "message 0", "mistake 0", "message 1"}, kindsOf(h.filed))
	assert.NotContains(t, w.heard(talk), "kanarie")
	assert.NotContains(t, w.heard(consulting), "dossier bewaart")
}
