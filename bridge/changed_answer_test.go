package bridge

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
)

// A GP who corrects a dose in the HIS has to know that the patient has the old one.
func TestStaffHearThatAnAnswerWasChangedAfterItWasPassedOn(t *testing.T) {
	w, h, consulting, _ := asking(t)
	lane := systemLane(hisName, linde)
	a := w.gp("Neem twee keer per dag een tablet")
	asks := func(now ...his.Answer) {
		w.Helper()
		page := &pageHIS{talkingHIS: h, page: now}
		require.NoError(t, w.askAnswers(t.Context(), lane, page))
		require.NoError(t, w.Store.SetCursor(t.Context(), inAnswers+lane, "")) // it is read again
		w.settles()
	}
	changed := func() int {
		return strings.Count(w.heard(w.balie()), "bij gesprek 1 is daar gewijzigd nadat wij het hadden doorgegeven")
	}
	asks(a)
	asks(a)
	assert.Zero(t, changed(), "it is the same")
	a.Text = "Neem een keer per dag een tablet"
	asks(a)
	asks(a)
	assert.Equal(t, 1, changed(), "once")
	assert.NotContains(t, w.heard(consulting), "een keer per dag")
	a.Attachments = []his.Attachment{{Name: "folder.pdf", Size: 7}}
	asks(a)
	assert.Equal(t, 2, changed())
	a.Problem, a.Text = his.ProblemWithdrawn, ""
	asks(a)
	assert.Equal(t, 2, changed(), "there are no words to compare")

	refused := w.gp("kanarie")
	refused.Problem = his.ProblemUnreadable
	asks(refused)
	refused.Problem = ""
	asks(refused)
	refused.Text = "anders"
	asks(refused)
	assert.Equal(t, 2, changed(), "the patient has no text of it")

	w.passes(trafficLog + time.Hour)
	a.Problem, a.Text = "", "Neem niets meer"
	asks(a)
	assert.Equal(t, 2, changed(), "it has left the chat")
}

func TestAnAnswerOfBeforeWordingsWereNotedIsOnlyNoted(t *testing.T) {
	w, h, _, _ := asking(t)
	lane := systemLane(hisName, linde)
	a := w.gp("kanarie")
	page := &pageHIS{talkingHIS: h, page: []his.Answer{a}}
	require.NoError(t, w.askAnswers(t.Context(), lane, page))
	w.loses("UPDATE answer SET print = NULL")
	for _, text := range []string{"kanarie", "anders"} {
		page.page[0].Text = text
		require.NoError(t, w.Store.SetCursor(t.Context(), inAnswers+lane, ""))
		require.NoError(t, w.askAnswers(t.Context(), lane, page))
		w.settles()
		assert.Equal(t, text == "anders", strings.Contains(w.heard(w.balie()), "is daar gewijzigd"), text)
	}
}

// A pageHIS gives the same page of answers until it is taken.
type pageHIS struct {
	*talkingHIS
	page []his.Answer
}

func (h *pageHIS) Answers(_ context.Context, since string) ([]his.Answer, string, error) {
	if since != "" {
		return nil, since, nil
	}
	return h.page, "1", nil
}
