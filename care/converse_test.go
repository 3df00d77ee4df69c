package care

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// texts are what the last turn told the patient, in order.
func (w *world) texts() (all []string) {
	for _, e := range w.last {
		if e.Do == Say {
			all = append(all, e.Text)
		}
	}
	return all
}

func TestOutOfHoursWhomToCallComesFirstAndOnce(t *testing.T) {
	w := active(t)
	w.hours = hours(t, []string{"mon-fri 08:00-17:00"}, nil, nil)

	w.now = local(t, "2026-03-10 20:00")
	assert.Equal(t, []string{"hours.closed"}, w.types("Ik heb pijn").texts())
	closed := slices.IndexFunc(w.last, func(e Effect) bool { return e.Text == "hours.closed" })
	asked := slices.IndexFunc(w.last, func(e Effect) bool { return e.Do == Ask })
	assert.Less(t, closed, asked, "before the question")
	assert.Empty(t, w.types("Erge pijn").texts(), "not after every message")
	assert.Equal(t, []string{"conversation.received"}, w.types("over mijzelf").texts())
	assert.Empty(t, w.types("nog iets").texts())

	assert.NoError(t, w.closes())
	assert.Equal(t, []string{"hours.closed"}, w.types("Een andere vraag").texts(), "once in each conversation")
	w.types("stop")
	w.now = local(t, "2026-03-11 09:00")
	assert.Empty(t, w.types("Goedemorgen").texts(), "open")
}

func TestAPracticeThatNobodyKnowsIsNotClosed(t *testing.T) {
	assert.True(t, Env{Now: noon}.open("gone"))
	assert.True(t, Env{Now: noon, Practices: testPractices}.open(testPractices[0].ID))
}
