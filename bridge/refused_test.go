package bridge

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/rest"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// refusing is a world in which the HIS has refused a message, and taken the next.
func refusing(t *testing.T, change ...func(*Settings)) (w *world, h *brokenHIS, card id.EventID) {
	t.Helper()
	h = &brokenHIS{}
	w = newWorld(t, append([]func(*Settings){func(s *Settings) { s.Practices[0].Connector = h }}, change...)...)
	consulting, _ := w.talking(anna, "Een vraag")
	h.err = fmt.Errorf("item 7: %w", his.FlawNoAuthor)
	w.writes(anna, consulting, "kanarie")
	h.err = nil
	w.writes(anna, consulting, "Wat erna komt")
	return w, h, w.cards()[0]
}

func (w *world) balie() id.RoomID { return w.roomFor(store.RoomBalie, linde) }

// cards are the messages in the Balie about what was refused.
func (w *world) cards() []id.EventID {
	return w.left(w.balie(), ": een bericht van gesprek")
}

// refusedNow are the numbers of what is refused and not decided about.
func (w *world) refusedNow() (numbers []int64) {
	w.Helper()
	all, err := w.unfiledOf(w.Context(), linde)
	require.NoError(w, err)
	for _, e := range all {
		numbers = append(numbers, e.ID)
	}
	return numbers
}

func TestWhatTheHISRefusesIsShownInTheBalieAndHoldsBackNothing(t *testing.T) {
	w, h, _ := refusing(t)
	said := w.heard(w.balie())
	assert.Contains(t, said, "een bericht van gesprek 1, 02-03-2026 11:00.\nReden: er staat niet bij wie dit schreef. Kijk of de naam van deze medewerker of patiënt klopt\nKies: ↻")
	assert.NotContains(t, said, "kanarie")
	assert.Contains(t, w.heard(w.talk(anna)), "is niet goed vastgelegd in het HIS. In de Balie staat waarom")
	require.Len(t, h.filed, 2)
	assert.Equal(t, "Wat erna komt", h.filed[1].Text)
	marks := []string{}
	for _, e := range w.matrix.room(w.balie()).events {
		if relation := e.Content.AsReaction().RelatesTo; relation.Key != "" {
			marks = append(marks, relation.Key)
		}
	}
	assert.Equal(t, []string{"↻", "✓", "✗"}, marks)
}

func TestANamedPersonHasItTriedAgain(t *testing.T) {
	for name, decide := range map[string]func(w *world, card id.EventID){
		"reaction": func(w *world, card id.EventID) { w.reacts(fatima, w.balie(), card, "🔄\ufe0f") },
		"button":   func(w *world, card id.EventID) { w.reacts(chef, w.balie(), card, "↻") },
		"command": func(w *world, _ id.EventID) {
			w.writes(fatima, w.balie(), fmt.Sprintf("!opnieuw %d", w.refusedNow()[0]))
		},
		"command for all": func(w *world, _ id.EventID) { w.writes(fatima, w.balie(), "!opnieuw alles") },
	} {
		t.Run(name, func(t *testing.T) {
			w, h, card := refusing(t)
			decide(w, card)
			require.Len(t, h.filed, 3)
			assert.Equal(t, "kanarie", h.filed[2].Text)
			assert.Equal(t, 2, h.filed[2].Seq, "its place in the conversation")
			assert.Contains(t, w.heard(w.balie()), "dit proberen wij opnieuw vast te leggen")
			assert.Contains(t, w.heard(w.balie()), "Dit is nu vastgelegd.")
			assert.Empty(t, w.refusedNow())
			lines, err := w.Store.AuditOf(t.Context(), w.person(anna).ID)
			require.NoError(t, err)
			assert.Equal(t, "unfiled.again", lines[len(lines)-1].Action)
			assert.Contains(t, []string{string(fatima), string(chef)}, lines[len(lines)-1].Actor)

			w.reacts(fatima, w.balie(), card, "✗")
			assert.Contains(t, w.heard(w.balie()), "Hierover is niets te beslissen")
			assert.Len(t, h.filed, 3)
		})
	}
}

// The record would show the older wording as what is meant.
func TestAnEditThatIsTriedAgainDoesNotUndoALaterOne(t *testing.T) {
	h := &brokenHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, _ := w.talking(anna, "Een vraag")
	mine := w.writes(anna, consulting, "Neem ik er een of twee?")
	h.err = fmt.Errorf("item 7: %w", his.FlawNoAuthor)
	w.edits(anna, consulting, mine, "Neem ik er twee?")
	h.err = nil
	w.edits(anna, consulting, mine, "Neem ik er een?")
	w.writes(fatima, w.balie(), "!opnieuw alles")
	require.Len(t, h.filed, 4)
	assert.Equal(t, his.KindEdit, h.filed[2].Kind)
	assert.Equal(t, "Neem ik er een?", h.filed[2].Text)
	assert.Equal(t, his.KindMessage, h.filed[3].Kind, "it stands by itself")
	assert.Equal(t, "Neem ik er twee?", h.filed[3].Text)
	assert.Empty(t, w.refusedNow())
}

func TestAnEditThatIsTriedAgainWithoutALaterOneIsAnEdit(t *testing.T) {
	h := &brokenHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, _ := w.talking(anna, "Een vraag")
	mine := w.writes(anna, consulting, "Neem ik er een of twee?")
	other := w.writes(anna, consulting, "Na het eten?")
	h.err = his.ErrRefused
	w.edits(anna, consulting, mine, "Neem ik er twee?")
	h.err = nil
	w.edits(anna, consulting, other, "Voor het eten?")
	w.writes(fatima, w.balie(), "!opnieuw alles")
	require.Len(t, h.filed, 5)
	assert.Equal(t, his.KindEdit, h.filed[4].Kind)
	assert.Equal(t, his.MessageID(string(mine)), h.filed[4].Replaces)
}

func TestRefusedAgainItIsShownAgain(t *testing.T) {
	w, h, card := refusing(t)
	h.err = his.ErrRefused
	w.reacts(fatima, w.balie(), card, "↻")
	assert.Len(t, w.cards(), 2)
	assert.Len(t, w.refusedNow(), 1)
	assert.NotContains(t, w.heard(w.balie()), "Dit is nu vastgelegd.")
}

func TestANamedPersonCallsItOffWithAReason(t *testing.T) {
	for name, tt := range map[string]struct {
		decide func(w *world, card id.EventID)
		told   string
		detail string
	}{
		"entered by hand": {func(w *world, card id.EventID) { w.reacts(fatima, w.balie(), card, "✅") }, "Fatima: dit leggen wij niet meer vast. Het is zelf vastgelegd.", "unfiled.by_hand"},
		"not needed":      {func(w *world, card id.EventID) { w.reacts(fatima, w.balie(), card, "❌") }, "Het hoort er niet in.", "unfiled.not_needed"},
		"in words": {func(w *world, _ id.EventID) {
			w.writes(fatima, w.balie(), fmt.Sprintf("!overslaan %d dubbel verstuurd", w.refusedNow()[0]))
		}, "De reden is bewaard. Typ !overgeslagen om die terug te zien.", "unfiled.as_said"},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, card := refusing(t)
			tt.decide(w, card)
			assert.Contains(t, w.heard(w.balie()), tt.told)
			assert.Empty(t, w.refusedNow())
			lines, err := w.Store.AuditOf(t.Context(), w.person(anna).ID)
			require.NoError(t, err)
			assert.Contains(t, lines[len(lines)-1].Detail, tt.detail)
			assert.NotContains(t, lines[len(lines)-1].Detail, "dubbel", "words are not for the log")
			w.passes(maxBackoff)
			assert.Len(t, h.filed, 2)
		})
	}
}

// The chat has to go after a month; why something is in no record is asked later.
func TestTheReasonOfWhatWasCalledOffOutlivesTheChat(t *testing.T) {
	w, h, card := refusing(t)
	w.writes(fatima, w.balie(), "!overgeslagen")
	assert.Contains(t, w.heard(w.balie()), "Er is niets overgeslagen.")
	number := w.refusedNow()[0]
	w.writes(fatima, w.balie(), fmt.Sprintf("!overslaan %d is per  post\nverstuurd", number))
	h.err = his.FlawNoAuthor
	w.writes(anna, w.consulting(anna), "Nog iets")
	h.err = nil
	w.passes(time.Hour)
	w.reacts(chef, w.balie(), w.cards()[1], "✓")
	w.passes(31 * day)
	w.sweeps()
	require.NotContains(t, w.left(w.balie(), ""), card)
	w.writes(fatima, w.balie(), "!overgeslagen")
	said := w.said(w.balie())
	assert.Equal(t, fmt.Sprintf("Wat wij niet meer vastleggen, het laatste eerst:\n%d: gesprek 1, 02-03-2026 12:00, Chef: Het is zelf vastgelegd.\n%d: gesprek 1, 02-03-2026 11:00, Fatima: is per post verstuurd", w.skippedNow()[0], number), said[len(said)-1])
	assert.NotContains(t, w.log.String(), "verstuurd")
	help := id.UserID("@help:praktijk.example")
	w.staff(help, "Helpdesk", care.Servicedesk)
	w.writes(help, w.balie(), "!overgeslagen")
	assert.Equal(t, 1, strings.Count(w.heard(w.balie()), "is per post verstuurd"))
}

// skippedNow are the numbers of what was called off, newest first.
func (w *world) skippedNow() (numbers []int64) {
	w.Helper()
	lines, err := w.Store.AuditIn(w.Context(), linde, skippedItem, 100)
	require.NoError(w, err)
	for _, line := range lines {
		number, _, _ := strings.Cut(line.Detail, " ")
		n, err := strconv.ParseInt(number, 10, 64)
		require.NoError(w, err)
		numbers = append(numbers, n)
	}
	return numbers
}

func TestALongReasonIsShownInPart(t *testing.T) {
	assert.Equal(t, strings.Repeat("ë", mostReason)+"…", shortened(strings.Repeat("ë", mostReason+1)))
	assert.Equal(t, "a b", shortened(" a\n\tb "))
}

func TestWhoMayNotDecideChangesNothing(t *testing.T) {
	w, h, card := refusing(t)
	help := id.UserID("@help:praktijk.example")
	w.staff(help, "Helpdesk", care.Servicedesk)
	w.reacts(help, w.balie(), card, "↻")
	w.reacts(fatima, w.balie(), card, "👍")
	w.reacts(fatima, w.balie(), w.matrix.room(w.balie()).events[0].ID, "↻")
	w.writes(help, w.balie(), "!opnieuw alles")
	assert.Len(t, h.filed, 2)
	assert.Len(t, w.refusedNow(), 1)
}

func TestTheListOfWhatWasRefused(t *testing.T) {
	w, _, _ := refusing(t)
	w.writes(fatima, w.balie(), "!openstaand")
	assert.Contains(t, w.heard(w.balie()), fmt.Sprintf("%d: gesprek 1, 02-03-2026 11:00: er staat niet bij wie dit schreef.", w.refusedNow()[0]))
	w.writes(fatima, w.balie(), "!overslaan 99999 bestaat niet")
	w.writes(fatima, w.balie(), "!overslaan")
	w.writes(fatima, w.balie(), "!opnieuw")
	said := w.heard(w.balie())
	assert.Contains(t, said, "Hierover is niets te beslissen")
	assert.Contains(t, said, "!overslaan NUMMER REDEN")
	assert.Contains(t, said, "!opnieuw NUMMER, of !opnieuw alles")
	w.writes(fatima, w.balie(), "!opnieuw alles")
	w.writes(fatima, w.balie(), "!openstaand")
	assert.Contains(t, w.heard(w.balie()), "Er is niets geweigerd.")
}

func TestADocumentThatIsCalledOffTakesWhatWasKeptForItAlong(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	_, talk := w.talking(anna, "Een vraag")
	h.err = certainRefusal(nil)
	w.writes(fatima, talk, "!sluiten")
	require.Len(t, w.cards(), 1)
	w.reacts(fatima, w.balie(), w.cards()[0], "✗")
	w.noneKept(talk)
	assert.Empty(t, h.filed)
	room, _, err := w.Store.Room(t.Context(), string(talk))
	require.NoError(t, err)
	c, _, err := w.Store.Conversation(t.Context(), room.Conversation)
	require.NoError(t, err)
	var counted texts.Args
	require.NoError(t, w.addCounts(t.Context(), &counted, c))
	assert.Equal(t, texts.Args{}, counted, "the record has nothing of it")
}

func TestWhatWasRefusedIsShownInWords(t *testing.T) {
	w := newWorld(t)
	assert.Equal(t, "refused", w.refusal(fmt.Errorf("item 7: what a connector says: %w", his.ErrRefused)), "errors are for the log")
	assert.Equal(t, "refused", w.refusal(refused("room !secret:example")))
	assert.Equal(t, "refused", w.refusal(refused("@anna:example")))
	for want, said := range map[string]rest.Error{
		"het systeem neemt de inhoud niet aan (verplicht en leeg, Patient.name, HAPI-0123)": {Status: 422, Code: rest.CodeInvalid, Where: "required, Patient.name, HAPI-0123"},
		"het systeem neemt de inhoud niet aan":                                              {Status: 422, Code: rest.CodeInvalid},
		"het is te groot voor het systeem":                                                  {Status: 413, Code: rest.CodeTooLarge},
		"waar dit bij hoort, staat meer dan een keer in het systeem (Patient)":              {Status: 412, Code: rest.CodeDouble, Where: "Patient"},
	} {
		assert.Equal(t, want, w.refusal(fmt.Errorf("file item 7: %w: %w", &said, his.ErrRefused)))
	}
}

func TestEverythingThatAConnectorFindsWrongHasItsWords(t *testing.T) {
	w := newWorld(t)
	for _, code := range his.Refusals() {
		assert.True(t, w.Texts.Has("unfiled.why."+code), code)
	}
	for _, p := range his.Problems() {
		assert.True(t, w.Texts.Has(problemOf(his.Answer{Problem: p})), p)
	}
	for _, kind := range rest.IssueTypes() {
		said := w.issues(kind)
		assert.True(t, said != kind || passes[kind], "%s: staff would see FHIR's own word", kind)
	}
}

// passes are kinds of errors that do not come with a refusal for good: they are about who asks, or
// pass by themselves.
var passes = map[string]bool{
	"security": true, "login": true, "unknown": true, "expired": true, "forbidden": true, "suppressed": true, "transient": true,
	"lock-error": true, "no-store": true, "timeout": true, "throttled": true, "informational": true,
}

func TestTheCardOfAnotherPracticeIsNotDecidedAbout(t *testing.T) {
	w, _, card := refusing(t, func(s *Settings) {
		s.Practices = append(s.Practices, Practice{Practice: care.Practice{ID: "eik", Name: "De Eik"}, System: System{Connector: &brokenHIS{}}})
	})
	els := care.Member{UserID: "@els:praktijk.example", Name: "Els", Role: care.Beheer, Practice: "eik", Source: "config"}
	require.NoError(t, w.Store.SaveStaff(t.Context(), els))
	w.reacts(id.UserID(els.UserID), w.roomFor(store.RoomBalie, "eik"), card, "✗")
	assert.Len(t, w.refusedNow(), 1)
	w.reacts(chef, w.balie(), card, "✗")
	assert.Empty(t, w.refusedNow())
}
