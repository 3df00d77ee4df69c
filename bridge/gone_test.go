package bridge

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
)

func TestTheReportSaysWhichNumbersNeverCameIntoTheRecord(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag") // number 1
	sure := certainly(t, h.filed[0])
	h.err = sure
	back := w.writes(anna, consulting, "kanarie") // 2
	w.writes(anna, consulting, "Dit blijft")      // 3
	w.removes(anna, consulting, back)
	h.err = nil
	w.passes(maxBackoff)
	h.err = assert.AnError
	perhaps := w.writes(anna, consulting, "kanarie") // 4: the system may have it
	w.removes(anna, consulting, perhaps)             // 5
	h.err = nil
	w.passes(maxBackoff)
	w.writes(fatima, talk, "!sluiten")
	last := h.filed[len(h.filed)-1]
	require.Equal(t, his.KindClosing, last.Kind)
	assert.Equal(t, []int{2}, last.Closing.Gone)
	assert.NotContains(t, h.all(), "kanarie")
}

func TestWhatEveryoneCanFindIsNotSaidToBeMissing(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	wrong := w.writes(anna, consulting, "De buurvrouw heeft koorts")
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	w.removes(anna, consulting, wrong)
	said := w.writes(anna, consulting, "Nog iets")
	w.edits(anna, consulting, said, "Nog iets anders")
	w.removes(anna, consulting, said)
	w.writes(fatima, talk, "!sluiten")
	assert.Empty(t, h.filed[len(h.filed)-1].Closing.Gone)
}

func TestWhatStaffPutInTheRecordThemselvesIsNotSaidToBeMissing(t *testing.T) {
	for mark, gone := range map[string][]int{"✓": nil, "✗": {2}} {
		t.Run(mark, func(t *testing.T) {
			w, h := withKeeping(t)
			consulting, talk := w.talking(anna, "Een vraag")
			h.err = his.FlawNoAuthor
			w.writes(anna, consulting, "kanarie") // 2
			h.err = nil
			w.reacts(fatima, w.balie(), w.cards()[0], mark)
			w.writes(fatima, talk, "!sluiten")
			assert.Equal(t, gone, h.filed[len(h.filed)-1].Closing.Gone)
		})
	}
}

// Staff took it out while its answer was lost; the system turned out to have nothing of it. What says so
// had a number of its own, with no words.
func TestWhatWasTakenOutBeforeItArrivedIsSaidToBeMissing(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	h.err = assert.AnError
	w.writes(anna, consulting, "De buurvrouw heeft koorts") // 2
	h.err = his.FlawNotThere
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	w.passes(maxBackoff)
	w.passes(stillComing)
	h.err = nil
	require.NotContains(t, h.all(), "koorts")
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, []int{2}, h.filed[len(h.filed)-1].Closing.Gone)
}

func TestWhatIsPerhapsMarkedAsAMistakeIsNotSaidToBeMissing(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(anna, consulting, "De buurvrouw heeft koorts") // 2
	h.err = his.ErrRefused
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	h.err = nil
	w.reacts(fatima, w.balie(), w.cards()[0], "✗")
	require.Empty(t, w.refusedNow())
	w.writes(fatima, talk, "!sluiten")
	assert.Empty(t, h.filed[len(h.filed)-1].Closing.Gone, "the record has it, unmarked")
}
