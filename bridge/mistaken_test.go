package bridge

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
)

// replies is a text in answer to a message, as today's clients send it.
func (w *world) replies(sender id.UserID, room id.RoomID, to id.EventID, text string) id.EventID {
	w.Helper()
	return w.happens(sender, room, event.EventMessage, map[string]any{
		"msgtype": "m.text", "body": text, "m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": string(to)}},
	})
}

func withKeeping(t *testing.T, change ...func(*Settings)) (w *world, h *keepingHIS) {
	t.Helper()
	h = &keepingHIS{files: map[string][]byte{}}
	connected := func(s *Settings) { s.Practices[0].Connector = h }
	return newWorld(t, append([]func(*Settings){connected}, change...)...), h
}

func TestOneMessageThatDoesNotBelongThereIsMarkedInTheRecord(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	wrong := w.writes(anna, consulting, "De buurvrouw heeft koorts")
	w.edits(anna, consulting, wrong, "De buurvrouw heeft hoge koorts")
	require.Equal(t, []string{"message 0", "message 0", "edit 0"}, kindsOf(h.filed))
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing gaat over een ander")

	require.Equal(t, []string{"message 0", "message 0", "edit 0", "mistake 0"}, kindsOf(h.filed))
	mistake := h.filed[3]
	assert.Equal(t, []uuid.UUID{h.filed[1].ID, h.filed[2].ID}, mistake.Mistaken, "each wording of it")
	assert.Equal(t, "Dit bericht hoort hier niet, zegt Fatima. Reden: gaat over een ander", mistake.Text)
	assert.Equal(t, "Fatima", mistake.Author.Name)
	assert.Contains(t, w.heard(talk), "wordt in het HIS als vergissing aangemerkt")
	assert.Contains(t, w.heard(talk), "In het HIS staat het bericht nu als vergissing.")
	assert.NotContains(t, w.heard(consulting), "ergissing")

	w.edits(anna, consulting, wrong, "De buurvrouw heeft 40 graden")
	assert.Len(t, w.left(talk, "40 graden"), 1, "the chat goes on")
	w.removes(anna, consulting, wrong)
	assert.NotContains(t, w.heard(consulting), "dossier", "the record does not keep it")
	w.writes(fatima, talk, "!dossier P-9")
	assert.Equal(t, []string{"mistake 0", "message 1"}, kindsOf(h.filed[4:]), "what was taken out is filed nowhere again")
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, []string{"Anneke de Berg: Ik hoest"}, h.texts(t))
}

func TestWhatIsTakenOutStaysOutInEveryWording(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	wrong := w.writes(anna, consulting, "De buurvrouw heeft koorts")
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	before := len(h.filed)
	w.edits(anna, consulting, wrong, "De buurvrouw heeft 40 graden")
	w.writes(fatima, talk, "!dossier P-9")
	w.edits(anna, consulting, wrong, "De buurvrouw heeft 41 graden")
	w.writes(fatima, talk, "!sluiten")
	for _, item := range h.filed[before:] {
		assert.NotContains(t, item.Text, "buurvrouw")
		assert.NotEqual(t, his.KindEdit, item.Kind)
	}
	assert.Equal(t, []string{"Anneke de Berg: Ik hoest"}, h.texts(t))
}

func TestStaffTakeOutWhatTheyWroteThemselves(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	mine := w.writes(fatima, talk, "De uitslag van mevrouw Jansen is goed")
	w.replies(fatima, talk, mine, "> <@fatima:praktijk.example> De uitslag\n\n!vergissing")
	require.Equal(t, []string{"message 0", "message 0", "mistake 0"}, kindsOf(h.filed))
	assert.Equal(t, []uuid.UUID{h.filed[1].ID}, h.filed[2].Mistaken)
	assert.Equal(t, "Dit bericht hoort hier niet, zegt Fatima.", h.filed[2].Text)
	assert.NotContains(t, w.heard(consulting), "!vergissing", "nor when an older client repeats what it replies to")
}

func TestWhatTheSystemNeverHadIsOnlyCalledOff(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	h.err = his.FlawNoAuthor
	w.writes(anna, consulting, "De buurvrouw heeft koorts")
	require.Len(t, w.refusedNow(), 1)
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	assert.Contains(t, w.heard(talk), "Dit bericht wordt niet in het HIS vastgelegd.")
	assert.Empty(t, w.refusedNow())
	h.err = nil
	w.filesAgain()
	assert.Equal(t, []string{"message 0"}, kindsOf(h.filed))
}

func TestAnAnswerThatWasLostMayHaveFiledIt(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	h.err = assert.AnError
	w.writes(anna, consulting, "De buurvrouw heeft koorts")
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	h.err = nil
	w.passes(time.Hour)
	assert.Equal(t, []string{"message 0", "mistake 0"}, kindsOf(h.filed))
}

func TestOnlyAMessageOfThisConversationIsTakenOutAndOnlyOnce(t *testing.T) {
	w, h := withKeeping(t)
	_, talk := w.talking(anna, "Ik hoest")
	w.talking(bob, "Ik heb koorts")
	w.writes(fatima, talk, "!vergissing")
	assert.Contains(t, w.heard(talk), "Antwoord op het bericht dat niet in dit dossier hoort")
	w.replies(fatima, talk, w.left(w.talk(bob), "koorts")[0], "!vergissing")
	assert.Contains(t, w.heard(talk), "Van dit bericht is in dit gesprek niets vastgelegd.")
	require.Len(t, h.filed, 2)
	hoest := w.left(talk, "Ik hoest")[0]
	w.replies(fatima, talk, hoest, "!vergissing")
	w.replies(fatima, talk, hoest, "!vergissing")
	assert.Equal(t, []string{"message 0", "message 0", "mistake 0"}, kindsOf(h.filed))
}

func TestWhatIsTakenOutIsNotInTheDocument(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	consulting, talk := w.talking(anna, "Ik hoest")
	wrong := w.writes(anna, consulting, "De buurvrouw heeft koorts")
	w.edits(anna, consulting, wrong, "De buurvrouw heeft hoge koorts")
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	assert.Contains(t, w.heard(talk), "Dit bericht wordt niet in het HIS vastgelegd.")
	w.edits(anna, consulting, wrong, "De buurvrouw heeft 40 graden")
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, []string{"Anneke de Berg: Ik hoest"}, h.texts(t))
	w.replies(fatima, talk, w.left(talk, "Ik hoest")[0], "!vergissing")
	assert.Contains(t, w.heard(talk), "in het verslag van het gesloten gesprek")
	require.Len(t, h.filed, 1)
}

// The report of a closed conversation has the words too, and is not made anew.
func TestWhatIsInTheReportIsNotTakenOutBehindItsBack(t *testing.T) {
	w, h := withKeeping(t)
	_, talk := w.talking(anna, "Ik hoest")
	w.writes(fatima, talk, "!sluiten")
	before := len(h.filed)
	w.replies(fatima, talk, w.left(talk, "Ik hoest")[0], "!vergissing")
	assert.Contains(t, w.heard(talk), "in het verslag van het gesloten gesprek")
	assert.Len(t, h.filed, before)
}

func TestAWrongRecordIsMarkedAlsoWhenItsOnlyMessageWasTakenOutJustBefore(t *testing.T) {
	w, h := withKeeping(t)
	_, talk := w.talking(anna, "De buurvrouw heeft koorts")
	h.err = assert.AnError // it is not there to hear of it
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vergissing")
	w.writes(fatima, talk, "!dossier P-9")
	h.err = nil
	w.passes(time.Hour)
	assert.Equal(t, []string{"message 0", "mistake 0"}, kindsOf(h.filed))
	assert.Empty(t, h.filed[1].Mistaken, "all of it")
}

func TestAReplyToAnEditTakesOutTheWholeMessage(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	wrong := w.writes(anna, consulting, "De buurvrouw heeft koorts")
	edit := w.edits(anna, consulting, wrong, "De buurvrouw heeft hoge koorts")
	w.edits(anna, consulting, wrong, "De buurvrouw heeft 40 graden")
	w.replies(fatima, talk, edit, "!vergissing")
	require.Equal(t, his.KindMistake, h.filed[4].Kind)
	assert.Equal(t, []uuid.UUID{h.filed[1].ID, h.filed[2].ID, h.filed[3].ID}, h.filed[4].Mistaken)
}

// What a thread repeats for clients that know no threads is not what somebody replies to.
func TestACommandInAThreadIsAboutNoMessageOfIt(t *testing.T) {
	w, h := withKeeping(t)
	_, talk := w.talking(anna, "Ik hoest")
	about := string(w.left(talk, "Ik hoest")[0])
	w.happens(fatima, talk, event.EventMessage, map[string]any{
		"msgtype": "m.text", "body": "!vergissing", "m.relates_to": map[string]any{
			"rel_type": "m.thread", "event_id": about, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": about},
		},
	})
	assert.Contains(t, w.heard(talk), "Antwoord op het bericht dat niet in dit dossier hoort")
	require.Len(t, h.filed, 1)
}
