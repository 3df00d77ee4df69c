package bridge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
)

// reporting is a practice that files one report on closing, with an open conversation of two messages.
func reporting(t *testing.T) (w *world, h *keepingHIS, consulting, talk id.RoomID, second id.EventID) {
	t.Helper()
	h = &keepingHIS{files: map[string][]byte{}}
	w = newWorld(t, onClosing(h))
	consulting, talk = w.talking(anna, "Een vraag")
	second = w.writes(anna, consulting, "kanarie")
	return w, h, consulting, talk, second
}

// callOff has staff call the report off that the system refused.
func (w *world) callOff(button string) {
	w.Helper()
	require.Len(w, w.cards(), 1)
	w.reacts(fatima, w.balie(), w.cards()[0], button)
	w.passes(time.Second)
	require.Empty(w, w.refusedNow())
}

// closesPerhaps has the answer of the system lost, and then has it refuse: it may have the report.
func (w *world) closesPerhaps(h *keepingHIS, talk id.RoomID) {
	w.Helper()
	h.err = assert.AnError
	w.writes(fatima, talk, "!sluiten")
	h.err = certainRefusal(nil)
	w.passes(fileBackoff)
	w.callOff("✗")
	h.err = nil
}

func TestAReportThatMayBeThereIsNotSaidToBeMissingWhenItIsCalledOff(t *testing.T) {
	w, h, consulting, talk, second := reporting(t)
	w.closesPerhaps(h, talk)
	w.writes(anna, consulting, "dossier")
	assert.Contains(t, w.heard(consulting), "Van 2 weten wij het niet zeker")
	w.writes(fatima, talk, "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Niet zeker: 2")
	w.replies(fatima, talk, w.left(talk, "kanarie")[0], "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Van dit bericht is niet zeker of het in het HIS staat")
	w.removes(anna, consulting, second)
	assert.Contains(t, w.heard(consulting), "Misschien staat het al in uw dossier")
	assert.Contains(t, w.heard(talk), "misschien staat het al in het dossier")
}

func TestOfAReportThatIsUnderWayTheRemovalIsSaidToBePerhapsTooLate(t *testing.T) {
	w, h, consulting, talk, second := reporting(t)
	h.err = assert.AnError
	w.writes(fatima, talk, "!sluiten")
	w.removes(anna, consulting, second)
	assert.Contains(t, w.heard(consulting), "Misschien staat het al in uw dossier")
	assert.Contains(t, w.heard(talk), "misschien staat het al in het dossier")
	h.err = nil
	w.passes(fileBackoff)
	require.Equal(t, []int{2}, h.filed[0].Closing.Gone)
	w.writes(fatima, talk, "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Van dit gesprek staat 1 bericht in het HIS. Niet zeker: 1", "the first try may have had the other")
	w.replies(fatima, talk, w.left(talk, "Een vraag")[0], "!vastgelegd")
	assert.Contains(t, w.heard(talk), "✓ Dit bericht staat in het HIS")
	w.writes(anna, consulting, "dossier")
	assert.Contains(t, w.heard(consulting), "Van 1 weten wij het niet zeker")
}

func TestWhatWasRemovedBeforeTheReportCountsNowhere(t *testing.T) {
	w, h, consulting, talk, second := reporting(t)
	w.edits(anna, consulting, second, "kanarie twee")
	w.removes(anna, consulting, second)
	w.writes(fatima, talk, "!sluiten")
	require.Len(t, h.filed, 1)
	assert.Equal(t, []string{"Anneke de Berg: Een vraag"}, h.texts(t))
	assert.Equal(t, []int{2, 3}, h.filed[0].Closing.Gone)
	w.writes(fatima, talk, "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Van dit gesprek staat 1 bericht in het HIS.")
	assert.NotContains(t, w.heard(consulting), "weggehaald", "the record has nothing of it")
	w.writes(fatima, talk, "!dossier P-9 123456782")
	assert.Contains(t, w.heard(talk), "opnieuw vastgelegd waar het hoort")
	assert.NotContains(t, w.heard(talk), "staat de tekst niet meer in de chat")
}

// The number was wrong, so the HIS did not know the patient.
// Of what they called off elsewhere, staff did not say anything now.
// The patient keeps what they were told, so the record has it.
func TestAnAdviceIsFiledThoughItsCommandIsRemoved(t *testing.T) {
	for name, settings := range map[string]func(*keepingHIS) func(*Settings){"as it comes": asItComes, "on closing": onClosing} {
		for _, away := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", away ", away), func(t *testing.T) {
				h := &keepingHIS{files: map[string][]byte{}}
				w := newWorld(t, settings(h))
				_, talk := w.talking(anna, "Een vraag")
				if away {
					h.err = assert.AnError
				}
				command := w.writes(fatima, talk, "!langskomen")
				w.removes(fatima, talk, command)
				h.err = nil
				w.passes(maxBackoff)
				w.writes(fatima, talk, "!sluiten")
				w.passes(time.Second)
				assert.Contains(t, h.all(), "Uw klacht moeten wij zien")
				last := h.filed[len(h.filed)-1]
				assert.Empty(t, last.Closing.Gone)
				for _, item := range h.filed {
					assert.NotEqual(t, his.KindRemoval, item.Kind, "it stands")
				}
			})
		}
	}
}

// Only the edit was removed: the words before it stand in the chat, and in the report.
func TestTheReportKeepsTheWordsOfWhichOnlyAnEditWasRemoved(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "Dat blijft staan")
	for _, edit := range []id.EventID{w.edits(anna, consulting, said, "Beter gezegd"), w.edits(anna, consulting, said, "Nog beter")} {
		w.removes(anna, consulting, edit)
	}
	w.writes(fatima, talk, "!sluiten")
	report := h.texts(t)
	require.Len(t, report, 2)
	assert.Contains(t, report[1], "Anneke de Berg: Dat blijft staan\n(Dit bericht staat niet meer in de chat.")
	assert.Equal(t, []int{2, 3, 4, 5, 6}, h.filed[len(h.filed)-1].Closing.Said[1].Seq)
}

func TestACardSaysThatItMayBeThere(t *testing.T) {
	for name, tt := range triesEnd {
		t.Run(name, func(t *testing.T) {
			w, h := withKeeping(t)
			consulting, talk := w.talking(anna, "Een vraag")
			w.refuse(h, anna, consulting, tt.first, tt.last)
			assert.Equal(t, tt.perhaps, strings.Contains(w.heard(w.balie()), "Niet zeker vastgelegd in het HIS"))
			assert.Equal(t, tt.perhaps, strings.Contains(w.heard(w.balie()), "Kijk dat eerst na."))
			w.writes(fatima, talk, "!vastgelegd")
			assert.Equal(t, tt.perhaps, strings.Contains(w.heard(talk), "Niet zeker: 1"))
			assert.Equal(t, !tt.perhaps, strings.Contains(w.heard(talk), "Nog niet: 1"))
		})
	}
}

// It was being tried when its sender removed it, and nothing came of that.
func TestTheRemovalOfWhatCertainlyNeverCameIsNotFiled(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	h.err = assert.AnError // its answer is lost, as far as we know
	message := w.writes(anna, consulting, "kanarie")
	w.removes(anna, consulting, message)
	tried, known, err := w.Store.ClaimNext(t.Context(), "another try", fileIn(hisName, w.person(anna).Current), w.Now().Add(fileBackoff), lease)
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, string(message), tried.SourceEvent)
	tried.Vain = tried.Attempt // as if the first had been cut off before anything was sent
	require.NoError(t, w.Store.DropEffect(t.Context(), tried, "removed before it was filed", w.Now()))
	h.err = nil
	w.passes(maxBackoff)
	w.writes(fatima, talk, "!sluiten")
	for _, item := range h.filed {
		assert.NotEqual(t, his.KindRemoval, item.Kind)
	}
	assert.Equal(t, []int{2}, h.filed[len(h.filed)-1].Closing.Gone)
}

// It is withdrawn from the wrong record, where it may be; so it goes into the right one.
func TestStaffHearOnClosingOfWhatMayNotBeThere(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.refuse(h, anna, consulting, triesEnd["its answer lost, and then refused"].first, certainRefusal)
	w.writes(fatima, talk, "!sluiten")
	assert.Contains(t, w.heard(talk), "Let op, 1 losse berichten nog niet, of niet zeker. Kijk in de Balie.")
}

// What staff put by hand in the wrong record, they mean to be in the right one.
func TestAMessageIsSaidToBeInTheReportOnceThatIsThere(t *testing.T) {
	w, h, _, talk, _ := reporting(t)
	shown := w.left(talk, "kanarie")[0]
	asks := func() string {
		w.replies(fatima, talk, shown, "!vastgelegd")
		said := w.said(talk)
		return said[len(said)-1]
	}
	assert.Contains(t, asks(), "komt in het verslag als u het gesprek sluit")
	h.err = assert.AnError
	w.writes(fatima, talk, "!sluiten")
	assert.Contains(t, asks(), "staat nog niet in het HIS")
	h.err = certainRefusal(nil)
	w.passes(fileBackoff)
	assert.Contains(t, asks(), "In de Balie staat waarom")
	h.err = nil
	w.reacts(fatima, w.balie(), w.cards()[0], "↻")
	w.passes(time.Second)
	assert.Contains(t, asks(), "✓ Dit bericht staat in het HIS")
}

// The message is in the record; its edit is not, and never comes there.
func TestAnEditThatWaitsIsNotFiledOnceItsMessageIsRemoved(t *testing.T) {
	fromBothSides(t, asItComes, func(t *testing.T, w *world, kept *keepingHIS, who id.UserID, room, _ id.RoomID) {
		said := w.writes(who, room, "Dat is er al")
		kept.err = certainly(t, kept.filed[0])
		w.edits(who, room, said, "kanarie")
		w.removes(who, room, said)
		w.sweeps()
		kept.err = nil
		w.passes(maxBackoff)
		assert.NotContains(t, kept.all(), "kanarie")
		last := kept.filed[len(kept.filed)-1]
		assert.Equal(t, his.KindRemoval, last.Kind)
		assert.Contains(t, his.Readable(last, nil), "met alle wijzigingen ervan")
	})
}

func TestTheRemovalOfAnEditDoesNotSayThatAllIsGone(t *testing.T) {
	w, h := withKeeping(t)
	consulting, _ := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "Dat blijft staan")
	edit := w.edits(anna, consulting, said, "Beter gezegd")
	w.removes(anna, consulting, edit)
	last := h.filed[len(h.filed)-1]
	require.Equal(t, his.KindRemoval, last.Kind)
	assert.Contains(t, his.Readable(last, nil), "Wat er daarvoor stond, staat daar nog")
}

func TestARefusedMessageThatIsRemovedNeedsNobodyAnyMore(t *testing.T) {
	w, h := withKeeping(t)
	consulting, _ := w.talking(anna, "Een vraag")
	message := w.refuse(h, anna, consulting, nil, certainRefusal)
	w.removes(anna, consulting, message)
	assert.Empty(t, w.refusedNow())
	w.reacts(fatima, w.balie(), w.cards()[0], "↻")
	assert.Contains(t, w.heard(w.balie()), "Hierover is niets te beslissen")
}
