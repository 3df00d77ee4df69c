package bridge

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
)

// closesInVain has the report refused for good, and called off.
func (w *world) closesInVain(h *keepingHIS, talk id.RoomID, button string) {
	w.Helper()
	h.err = certainRefusal(nil)
	w.writes(fatima, talk, "!sluiten")
	w.callOff(button)
	h.err = nil
}

// asksAgain begins another conversation.
func (w *world) asksAgain(consulting id.RoomID) (talk id.RoomID) {
	w.Helper()
	w.writes(anna, consulting, "Een andere vraag")
	w.writes(anna, consulting, "1")
	w.passes(time.Second)
	return w.talk(anna)
}

func TestAReportThatWasCalledOffIsFiledWhereItDoesBelong(t *testing.T) {
	for _, button := range []string{"✗", "✓"} {
		t.Run(button, func(t *testing.T) {
			w, h, _, talk, _ := reporting(t)
			w.closesInVain(h, talk, button)
			w.writes(fatima, talk, "!dossier P-9 123456782")
			w.passes(2 * stillComing)
			require.NotEmpty(t, h.filed)
			last := h.filed[len(h.filed)-1]
			assert.Equal(t, his.KindClosing, last.Kind)
			assert.Equal(t, "P-9", last.Conversation.Patient.Number)
			assert.Equal(t, []string{"Anneke de Berg: Een vraag", "Anneke de Berg: kanarie"}, h.texts(t))
			w.noneKept(talk)
		})
	}
}

func TestAReportThatWasCalledOffStaysOutWhenTheAccountMoves(t *testing.T) {
	w, h, consulting, talk, _ := reporting(t)
	w.closesInVain(h, talk, "✗")
	talk = w.asksAgain(consulting)
	w.writes(fatima, talk, "!dossier P-9 123456782")
	w.writes(fatima, talk, "!sluiten")
	w.passes(2 * stillComing)
	assert.NotContains(t, h.all(), "kanarie")
	assert.Contains(t, h.all(), "Een andere vraag")
	assert.NotContains(t, w.heard(talk), "staat de tekst niet meer in de chat")
}

func TestWhatItsSenderRemovedAfterTheReportWasCalledOffIsNobodysToCopy(t *testing.T) {
	w, h, consulting, talk, second := reporting(t)
	w.closesInVain(h, talk, "✗")
	w.removes(anna, consulting, second)
	w.writes(fatima, talk, "!dossier P-9 123456782")
	w.passes(2 * stillComing)
	assert.Equal(t, []string{"Anneke de Berg: Een vraag"}, h.texts(t))
	assert.NotContains(t, w.heard(talk), "staat de tekst niet meer in de chat")
}

func TestAReportThatMayBeThereMovesThoughItWasCalledOff(t *testing.T) {
	w, h, consulting, talk, _ := reporting(t)
	w.closesPerhaps(h, talk)
	w.writes(fatima, w.asksAgain(consulting), "!dossier P-9 123456782")
	w.passes(2 * stillComing)
	last := h.filed[len(h.filed)-1]
	assert.Equal(t, his.KindClosing, last.Kind)
	assert.Equal(t, "P-9", last.Conversation.Patient.Number)
	assert.Equal(t, []string{"Anneke de Berg: Een vraag", "Anneke de Berg: kanarie"}, h.texts(t))
}

func TestNothingIsSaidOfMovingWhatWasNeverThere(t *testing.T) {
	w, h, consulting, talk, _ := reporting(t)
	w.closesInVain(h, talk, "✗")
	w.writes(fatima, w.asksAgain(consulting), "!dossier P-9 123456782")
	assert.NotContains(t, w.heard(talk), "opnieuw vastgelegd waar het hoort")
}

func TestAnAdviceMovesAlongWithItsHour(t *testing.T) {
	w, h := withKeeping(t)
	_, talk := w.talking(anna, "Een vraag")
	typed := w.clock
	command := w.arrives(fatima, talk, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "!langskomen"})
	w.clock = w.clock.Add(2 * time.Minute) // before it has its turn
	w.settles()
	w.removes(fatima, talk, command)
	given := h.filed[len(h.filed)-1]
	require.Contains(t, given.Text, "Uw klacht moeten wij zien")
	require.WithinDuration(t, typed, given.Sent, time.Second)
	for _, days := range []time.Duration{2, 40} { // then it is forgotten when the command was typed
		w.passes(days * day)
		w.sweeps()
		require.NoError(t, w.tidy(t.Context()))
		w.writes(fatima, talk, fmt.Sprintf("!dossier P-%d", days))
		moved := h.filed[len(h.filed)-1]
		assert.Equal(t, fmt.Sprintf("P-%d", days), moved.Conversation.Patient.Number)
		assert.Equal(t, given.Text, moved.Text)
		assert.WithinDuration(t, given.Sent, moved.Sent, time.Second)
	}
}

func TestWhatStaffPutInByHandIsTheirsToMoveAlsoWhenItsSenderRemovedIt(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	message := w.refuse(h, anna, consulting, nil, certainRefusal)
	w.callOff("✓")
	w.removes(anna, consulting, message)
	w.writes(fatima, talk, "!dossier P-9 123456782")
	assert.Contains(t, w.heard(talk), "van 1 berichten staat de tekst niet meer in de chat. Zet die zelf over.")
}

func TestAMessageThatWasPutInTheWrongRecordByHandIsFiledInTheRightOne(t *testing.T) {
	for button, again := range map[string]bool{"✓": true, "✗": false} {
		t.Run(button, func(t *testing.T) {
			w, h := withKeeping(t)
			consulting, talk := w.talking(anna, "Een vraag")
			w.refuse(h, anna, consulting, nil, certainRefusal)
			w.callOff(button)
			w.writes(fatima, talk, "!dossier P-9 123456782")
			assert.Equal(t, again, h.filed[len(h.filed)-1].Text == "kanarie")
		})
	}
}
