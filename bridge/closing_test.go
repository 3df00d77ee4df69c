package bridge

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
	"github.com/spreekkamer/spreekkamer/store"
)

// A keepingHIS remembers what it took, with the bytes of every file.
type keepingHIS struct {
	brokenHIS
	files map[string][]byte
}

func (h *keepingHIS) File(ctx context.Context, item his.Item) (his.Receipt, error) {
	for _, a := range item.Attachments {
		r, err := a.Open()
		if err != nil {
			return his.Receipt{}, err
		}
		data, err := io.ReadAll(r)
		if err != nil || int64(len(data)) != a.Size {
			return his.Receipt{}, assert.AnError
		}
		if h.err == nil {
			h.files[a.Name] = data
		}
	}
	return h.brokenHIS.File(ctx, item)
}

// onClosing files one document with an e-consult's code.
func onClosing(h *keepingHIS) func(*Settings) {
	return func(s *Settings) {
		s.Practices[0].System = System{Connector: h, OnClosing: true, Consult: &his.Code{System: "urn:oid:1.2", Code: "12", Display: "E-consult"}}
	}
}

// texts are what a document says, in order.
func (h *keepingHIS) texts(t *testing.T) (all []string) {
	t.Helper()
	require.NotEmpty(t, h.filed)
	last := h.filed[len(h.filed)-1]
	require.NotNil(t, last.Closing)
	for _, s := range last.Closing.Said {
		all = append(all, s.Author.Name+": "+s.Text)
	}
	return all
}

func TestOnClosingOneDocumentIsFiledWithQuestionAnswerAndSummary(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	consulting, talk := w.talking(anna, "Ik heb een plek")
	said := w.writes(anna, consulting, "Op mijn arm")
	w.edits(anna, consulting, said, "Op mijn been")
	back := w.writes(anna, consulting, "Dit had ik niet willen zeggen")
	w.removes(anna, consulting, back)
	w.writes(fatima, talk, "Dat ziet er onschuldig uit")
	w.writes(fatima, talk, "!samenvatting te vroeg")
	w.writes(fatima, talk, "!samenvatting Plek op been.\nGeen actie.")
	assert.Empty(t, h.filed, "nothing before the end")
	assert.NotContains(t, w.heard(consulting), "Geen actie", "a summary is for the record")
	assert.Contains(t, w.heard(talk), "Uw samenvatting komt bij het gesprek in het HIS")

	w.writes(fatima, talk, "!sluiten")
	require.Len(t, h.filed, 1)
	item := h.filed[0]
	assert.Equal(t, his.KindClosing, item.Kind)
	assert.Equal(t, his.StatusClosed, item.Conversation.Status)
	assert.Equal(t, []string{
		"Anneke de Berg: Ik heb een plek", "Anneke de Berg: Op mijn been", "Fatima: Dat ziet er onschuldig uit",
	}, h.texts(t))
	assert.Equal(t, "Plek op been.\nGeen actie.", item.Closing.Summary)
	assert.Equal(t, "Fatima", item.Closing.By.Name)
	assert.Equal(t, "12", item.Closing.Consult.Code)
	assert.Equal(t, []int{1, 2, 3, 5, 6, 7}, item.Closing.Only, "all but what was taken back")
	assert.Equal(t, []int{4}, item.Closing.Gone, "of that there is nothing")
	assert.Equal(t, 8, item.Seq)
	w.noneKept(talk)
}

// noneKept is that nothing waits for a document any more.
func (w *world) noneKept(talk id.RoomID) {
	w.Helper()
	room, _, err := w.Store.Room(w.Context(), string(talk))
	require.NoError(w, err)
	filings, err := w.Store.Filings(w.Context(), room.Conversation)
	require.NoError(w, err)
	for _, e := range filings {
		assert.NotEqual(w, store.EffectQueued, e.State, "%s in lane %s", e.Kind, e.Lane)
	}
}

func TestTheDocumentIsWholeWhenItsChatHasGoneBefore(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	consulting, talk := w.talking(anna, "Een vraag van lang geleden")
	photo := mediatest.JPEG(40, 30)
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.image", "body": "plek.jpg", "file": w.stored(photo), "info": map[string]any{"mimetype": "image/jpeg"},
	})
	w.writes(fatima, talk, "!samenvatting Oud zeer")
	w.passes(31 * 24 * time.Hour)
	w.sweeps()
	assert.Empty(t, w.left(consulting, "Een vraag"))
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, []string{"Anneke de Berg: Een vraag van lang geleden", "Anneke de Berg: "}, h.texts(t))
	assert.Equal(t, "Oud zeer", h.filed[0].Closing.Summary)
	assert.Nil(t, h.filed[0].Closing.Consult, "nobody has answered: no consult")
	assert.Equal(t, "Fatima", h.filed[0].Closing.ClosedBy.Name)
	assert.True(t, h.filed[0].Closing.Unanswered)
	assert.Len(t, h.files, 1)
	w.noneKept(talk)
	_, sealed, err := w.Store.OpenSealed(t.Context(), 1)
	require.NoError(t, err)
	assert.False(t, sealed)
}

func TestAHISThatIsAwayOnClosingGetsTheDocumentLater(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	consulting, talk := w.talking(anna, "Een vraag")
	h.err = assert.AnError
	w.writes(fatima, talk, "!sluiten")
	w.writes(anna, consulting, "Nog een vraag") // another conversation
	w.passes(31 * 24 * time.Hour)
	w.sweeps()
	h.err = nil
	w.passes(maxBackoff)
	assert.Equal(t, []string{"Anneke de Berg: Een vraag"}, h.texts(t))
}

func TestWithEveryMessageFiledTheDocumentStillSaysItAll(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	_, talk := w.talking(anna, "Een oude vraag")
	w.passes(31 * 24 * time.Hour)
	w.sweeps()
	w.writes(fatima, talk, "Een antwoord")
	w.writes(fatima, talk, "!sluiten")
	kinds := []his.Kind{}
	for _, item := range h.filed {
		kinds = append(kinds, item.Kind)
	}
	assert.Equal(t, []his.Kind{his.KindMessage, his.KindMessage, his.KindClosing}, kinds)
	mark := strings.ReplaceAll(h.filed[0].ID.String(), "-", "")[:12]
	pointer := "Anneke de Berg: (Dit bericht staat niet meer in de chat. Het staat apart in dit dossier, met kenmerk " + mark + ".)"
	assert.Equal(t, []string{pointer, "Fatima: Een antwoord"}, h.texts(t))
	assert.Equal(t, his.StatusRequested, h.filed[0].Conversation.Status)
	assert.Equal(t, his.StatusOpen, h.filed[1].Conversation.Status, "the practice has taken it up")
}

func TestTheDocumentSaysWhoWroteWhatHasLeftTheChat(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	_, talk := w.talking(anna, "Een vraag")
	gone := w.writes(fatima, talk, "Een antwoord")
	w.removes(fatima, talk, gone)
	w.writes(fatima, talk, "!sluiten")
	said := h.texts(t)
	require.Len(t, said, 2)
	assert.Regexp(t, `^Fatima: \(Dit bericht staat niet meer in de chat`, said[1])
	assert.Equal(t, h.filed[1].Sent, h.filed[len(h.filed)-1].Closing.Said[1].Sent, "when it was sent, not when it was read")
}

// Whoever reads the report finds the letters by their numbers; an edit is no second message, also when both have
// left the chat.
func TestTheDocumentCallsMessagesByTheirNumbers(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, asItComes(h))
	consulting, talk := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "Nog een vraag")
	edit := w.edits(anna, consulting, said, "Beter gezegd")
	w.writes(fatima, talk, "Een antwoord")
	w.removes(anna, consulting, edit)
	w.removes(anna, consulting, said)
	w.writes(fatima, talk, "!sluiten")
	var numbers [][]int
	for _, s := range h.filed[len(h.filed)-1].Closing.Said {
		numbers = append(numbers, s.Seq)
	}
	assert.Equal(t, [][]int{{1}, {2, 3, 5, 6}, {4}}, numbers, "also those that say that it was removed")
	assert.Contains(t, h.texts(t)[1], his.Mark(h.filed[2].ID), "as it read last")
	assert.Equal(t, 2, h.filed[2].ReplacesSeq)
}

// What an edit answers is in what it edits. The words are worth more than that.
func TestAnEditIsFiledAlsoWhenWhatItEditsCannotBeRead(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, asItComes(h))
	consulting, talk := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "eerst")
	w.matrix.unread = map[id.EventID]error{said: assert.AnError}
	w.edits(anna, consulting, said, "daarna")
	assert.NotContains(t, h.all(), "daarna", "it may be there in a moment")
	w.writes(fatima, talk, "Een antwoord")
	for range referenceAttempts {
		w.passes(maxBackoff)
	}
	require.Len(t, h.filed, 4)
	assert.Equal(t, "daarna", h.filed[2].Text)
	assert.Equal(t, his.MessageID(string(said)), h.filed[2].Replaces)
	assert.Equal(t, "Een antwoord", h.filed[3].Text, "what comes after it is not held up for good")
}

func TestWhatAnEditAnswersIsWaitedForWhileThereIsTime(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "eerst")
	w.matrix.unread = map[id.EventID]error{said: assert.AnError}
	for _, tt := range []struct {
		name    string
		attempt int
		u       urgency
		want    error
	}{
		{"at first", 1, calm, assert.AnError},
		{"at last", referenceAttempts, calm, assert.AnError},
		{"not for ever", referenceAttempts + 1, calm, nil},
		{"not when the chat has to go", 1, pressed, nil},
	} {
		e := store.Effect{SourceRoom: string(consulting), Attempt: tt.attempt}
		to, err := w.repliedTo(t.Context(), e, letter{Replaces: string(said)}, tt.u)
		assert.ErrorIs(t, err, tt.want, tt.name)
		assert.Empty(t, to, tt.name)
	}
}

func TestAnEditOfAnAnswerStillAnswers(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "Een antwoord")
	shown := w.left(consulting, "Een antwoord")
	require.Len(t, shown, 1)
	w.edits(anna, consulting, w.happens(anna, consulting, event.EventMessage, replying("Nog iets", shown[0])), "Iets anders")
	require.Len(t, h.filed, 4)
	answer, reply, edit := h.filed[1], h.filed[2], h.filed[3]
	assert.Equal(t, his.KindEdit, edit.Kind)
	assert.Equal(t, answer.ID, reply.InReplyTo)
	assert.Equal(t, answer.ID, edit.InReplyTo)
}

func TestASummaryNeedsWordsAndAnOpenConversation(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!samenvatting")
	assert.Contains(t, w.heard(talk), "!samenvatting TEKST")
	w.writes(fatima, talk, "!sluiten")
	w.writes(fatima, talk, "!samenvatting Te laat")
	assert.Contains(t, w.heard(talk), "Dit gesprek is niet open.")
	assert.NotContains(t, slices.Concat(w.letters()), "Te laat")
}

func TestARemovalAfterFilingStaysInTheRecordAndBothAreTold(t *testing.T) {
	for name, who := range map[string]id.UserID{"patient": anna, "staff": fatima} {
		t.Run(name, func(t *testing.T) {
			h := &keepingHIS{files: map[string][]byte{}}
			w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
			consulting, talk := w.talking(anna, "Een vraag")
			room := map[id.UserID]id.RoomID{anna: consulting, fatima: talk}[who]
			said := w.writes(who, room, "Dit neem ik terug")
			w.removes(who, room, said)
			last := h.filed[len(h.filed)-1]
			assert.Equal(t, his.KindRemoval, last.Kind)
			assert.Equal(t, his.MessageID(string(said)), last.Replaces)
			assert.Equal(t, 2, last.ReplacesSeq, "who reads the letters looks for a number")
			assert.Equal(t, map[id.UserID]string{anna: "Anneke de Berg", fatima: "Fatima"}[who], last.Author.Name)
			assert.Contains(t, w.heard(talk), "Daar blijft het staan, met de opmerking dat het is verwijderd")
			told := assert.Contains
			if who == fatima {
				told = func(t assert.TestingT, s, contains any, _ ...any) bool { return assert.NotContains(t, s, contains) }
			}
			told(t, w.heard(consulting), "U heeft een bericht weggehaald. Het stond al in uw dossier")
		})
	}
}

func TestWhatIsRemovedBeforeItIsFiledNeverComesIntoTheRecord(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag")
	h.err = assert.AnError
	w.writes(anna, consulting, "Dit gaat voor")
	said := w.writes(anna, consulting, "Dit neem ik terug")
	w.removes(anna, consulting, said)
	h.err = nil
	w.passes(maxBackoff)
	require.Len(t, h.filed, 2)
	assert.Equal(t, "Dit gaat voor", h.filed[1].Text)
	assert.NotContains(t, w.heard(talk), "Daar blijft het staan")
	w.noneKept(talk)
}

// The outbox forgets what was done a month ago; a conversation may go on for longer.
func TestTheDocumentOfALongConversationPointsAtAllThatWasFiled(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag van toen")
	w.passes(2 * trafficLog)
	w.sweeps()
	require.NoError(t, w.tidy(t.Context()))
	w.writes(anna, consulting, "Een vraag van nu")
	w.writes(fatima, talk, "!sluiten")
	closing := h.filed[len(h.filed)-1].Closing
	require.NotNil(t, closing)
	require.Len(t, closing.Said, 2)
	assert.Contains(t, closing.Said[0].Text, his.Mark(h.filed[0].ID))
	assert.Equal(t, "Een vraag van nu", closing.Said[1].Text)
	w.passes(2 * trafficLog)
	w.sweeps()
	require.NoError(t, w.tidy(t.Context()))
	rows, err := w.Store.Filings(t.Context(), h.filed[0].Conversation.ID.String())
	require.NoError(t, err)
	assert.Empty(t, rows, "not for ever")
}

// The hour of closing is a statement in the record: it is the same wherever it is filed.
func TestARecordThatMovesKeepsTheHourOfClosing(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!sluiten")
	w.passes(2 * day)
	w.writes(fatima, talk, "!dossier P-9")
	letters := w.letters()
	last := letters[len(letters)-1]
	require.Contains(t, last, "P-9")
	assert.Contains(t, last, "Afgesloten: op 2 maart 2026 om 11:")
	assert.Contains(t, last, "Verzonden:   maandag 2 maart 2026 om 11:")
}
