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
// and nobody else's. The states go on too.
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
	assert.Equal(t, 1, page.asked, "for states")

	page.page[0].Attachments = nil
	require.NoError(t, w.askSystem(t.Context(), lane, page))
	w.settles()
	assert.Equal(t, []string{"met een foto", "daarna"}, order(w.heard(w.roomFor(store.RoomConsulting, w.person(anna).ID)), "daarna", "met een foto"))
	assert.Equal(t, 1, strings.Count(w.heard(bobs), "voor een ander"))
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
