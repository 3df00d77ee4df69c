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

func TestWhenWhatWasHeldHadToGoTheNextMessageBeginsAnew(t *testing.T) {
	for _, q := range AllQuestions() {
		w := at(t, q)
		before := w.c
		after := HeldWent(before, Env{Now: noon})
		switch {
		case before.Conversation.State != Asking:
			assert.Equal(t, before, after, q)
		case q.aboutDerde():
			assert.Equal(t, NoQuestion, after.Person.Question, q)
			assert.Equal(t, Dropped, after.Conversation.State, q)
			assert.Empty(t, after.Person.Current, q)
			assert.Equal(t, Derde{}, after.Person.Draft, q)
		}
	}
	w := at(t, AskWhom)
	w.c = ChangeIdentity(w.c, "another key", Env{Now: noon})
	after := HeldWent(w.c, Env{Now: noon})
	assert.Equal(t, AskIdentityName, after.Person.Question, "who they are is asked still")
	assert.Empty(t, after.Person.Current)
}
