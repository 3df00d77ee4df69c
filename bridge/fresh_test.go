package bridge

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// An answer whose file the system fails to give holds up what comes after it in the same conversation,
// and nobody else's. That a conversation is done comes after its answers.
func TestAnAnswerThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	w, h, _, _ := asking(t)
	bobs, _ := w.talking(bob, "Een vraag")
	broken, after, others := w.gp("met een foto"), w.gp("daarna"), w.gp("voor een ander")
	broken.Attachments = []his.Attachment{{Name: "x.png", Size: 1, Open: func() (io.ReadCloser, error) { return nil, assert.AnError }}}
	others.Conversation = uuid.MustParse(w.person(bob).Current)
	page := &pageHIS{talkingHIS: h, page: []his.Answer{broken, after, others}}
	lane := systemLane(hisName, linde)
	require.ErrorIs(t, w.askSystem(t.Context(), lane, page), assert.AnError)
	w.settles()
	assert.Contains(t, w.heard(bobs), "voor een ander")
	assert.NotContains(t, w.heard(w.roomFor(store.RoomConsulting, w.person(anna).ID)), "daarna")
	assert.Zero(t, page.asked, "for states")
	w.clock = w.clock.Add(askAlarm)
	assert.Empty(t, w.alarmed("Wij kunnen geen antwoorden ophalen"), "it is not so that nothing comes")
	assert.Len(t, w.alarmed("Sommige antwoorden uit het HIS kunnen wij niet lezen, sinds 02-03-2026"), 1)

	page.page[0].Attachments = nil
	require.NoError(t, w.askSystem(t.Context(), lane, page))
	w.settles()
	assert.Equal(t, []string{"met een foto", "daarna"}, order(w.heard(w.roomFor(store.RoomConsulting, w.person(anna).ID)), "daarna", "met een foto"))
	assert.Equal(t, 1, strings.Count(w.heard(bobs), "voor een ander"))
}

// What was answered in the HIS alone, and closed there at once, was answered.
func TestAConversationThatTheHISAnsweredAndClosedIsNotUnanswered(t *testing.T) {
	w, h, _, _ := asking(t)
	a := w.gp("")
	a.Attachments = []his.Attachment{{Name: "x.txt", ContentType: "text/plain", Size: 3, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("hoi")), nil }}}
	h.answers = append(h.answers, a)
	h.states = append(h.states, his.StatusChange{Conversation: w.current(), Status: his.StatusClosed, At: w.clock})
	w.asks()
	last := h.filed[len(h.filed)-1]
	require.Equal(t, his.KindClosing, last.Kind)
	assert.False(t, last.Closing.Unanswered)
}

// The system can be answered in, and the work be done there, just after we asked for answers.
func TestWhatWasAnsweredBeforeAConversationWasClosedComesBeforeThat(t *testing.T) {
	w, h, consulting, _ := asking(t)
	h.states = append(h.states, his.StatusChange{Conversation: w.current(), Status: his.StatusClosed, At: w.clock})
	late := &lateHIS{talkingHIS: h, answer: w.gp("kanarie")}
	require.NoError(t, w.askSystem(t.Context(), systemLane(hisName, linde), late))
	w.settles()
	assert.Equal(t, []string{"kanarie", "De praktijk heeft dit gesprek afgesloten"}, order(w.heard(consulting), "De praktijk heeft dit gesprek afgesloten", "kanarie"))
	assert.False(t, h.filed[len(h.filed)-1].Closing.Unanswered)
}

// A lateHIS has an answer from its second asking on.
type lateHIS struct {
	*talkingHIS
	answer his.Answer
	asked  int
}

func (h *lateHIS) Answers(ctx context.Context, since string) ([]his.Answer, string, error) {
	if h.asked++; h.asked == 2 {
		h.answers = append(h.answers, h.answer)
	}
	return h.talkingHIS.Answers(ctx, since)
}

// A pageHIS gives the same page of answers until it could be read.
type pageHIS struct {
	*talkingHIS
	page  []his.Answer
	asked int
}

func (h *pageHIS) Answers(_ context.Context, since string) ([]his.Answer, string, error) {
	if since != "" {
		return nil, since, nil
	}
	return h.page, "1", nil
}

func (h *pageHIS) Tracked(ctx context.Context, since string) ([]his.StatusChange, string, error) {
	h.asked++
	return h.talkingHIS.Tracked(ctx, since)
}
