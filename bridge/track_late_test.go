package bridge

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
)

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

// A list of work that takes no changes holds up nothing that is filed, and is told when it can be.
func TestWhatIsFiledDoesNotWaitForTheListOfWork(t *testing.T) {
	stubborn := &stubbornHIS{busy: true}
	w, h, consulting, talk := asking(t, func(s *Settings) {
		stubborn.talkingHIS = s.Practices[0].Connector.(*talkingHIS)
		s.Practices[0].Connector = stubborn
	})
	w.writes(fatima, talk, "een antwoord")
	w.writes(anna, consulting, "dank u")
	w.settles()
	assert.Len(t, h.filed, 3)
	assert.Empty(t, h.tracked)
	stubborn.busy = false
	w.passes(time.Minute)
	assert.Equal(t, []his.Status{his.StatusOpen}, h.tracked)
}

// A stubbornHIS takes messages, and no changes of its list of work.
type stubbornHIS struct {
	*talkingHIS
	busy bool
}

func (h *stubbornHIS) Track(ctx context.Context, c his.Conversation, at time.Time) error {
	if h.busy {
		return errors.New("it fails")
	}
	return h.talkingHIS.Track(ctx, c, at)
}
