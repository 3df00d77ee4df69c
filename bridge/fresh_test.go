package bridge

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

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
	_, failing := w.asking.of(lane)
	assert.False(t, failing, "staff are not told that nothing comes")

	page.page[0].Attachments = nil
	require.NoError(t, w.askSystem(t.Context(), lane, page))
	w.settles()
	assert.Equal(t, []string{"met een foto", "daarna"}, order(w.heard(w.roomFor(store.RoomConsulting, w.person(anna).ID)), "daarna", "met een foto"))
	assert.Equal(t, 1, strings.Count(w.heard(bobs), "voor een ander"))
}

func TestOfAnAnswerWhoseFileStaysUnreadableStaffHearAfterADay(t *testing.T) {
	w, h, consulting, talk := asking(t)
	broken := w.gp("met een foto")
	broken.Written = w.clock
	broken.Attachments = []his.Attachment{{Name: "x.png", Size: 1, Open: func() (io.ReadCloser, error) { return nil, assert.AnError }}}
	page, lane := &pageHIS{talkingHIS: h, page: []his.Answer{broken, w.gp("daarna")}}, systemLane(hisName, linde)
	require.ErrorIs(t, w.askSystem(t.Context(), lane, page), his.ErrPartly)
	w.passes(oldAnswer + time.Minute)
	require.NoError(t, w.askSystem(t.Context(), lane, page))
	w.settles()
	assert.Contains(t, w.heard(w.balie())+w.heard(talk), "is niet doorgegeven. Een bestand kan niet in de chat worden doorgegeven.")
	assert.Contains(t, w.heard(consulting), "daarna")
	assert.NotContains(t, w.heard(consulting), "met een foto")
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
