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

// A conversation that staff answered on Friday, and did not close, goes on in the weekend.
func TestAnOpenConversationHearsOncePerClosureThatNobodyReads(t *testing.T) {
	w := active(t)
	w.hours = hours(t, []string{"mon-fri 08:00-12:00", "mon-fri 13:00-17:00"}, nil, []string{"good_friday"})
	closed, none := []string{ClosedNow}, []string(nil)
	w.now = local(t, "2026-03-27 10:00")
	w.types("Ik heb pijn", "over mijzelf")
	for _, tt := range []struct {
		at   string
		says []string
	}{
		{"2026-03-27 11:59", none},
		{"2026-03-27 12:30", closed}, // lunch
		{"2026-03-27 12:59", none},
		{"2026-03-27 13:00", none},
		{"2026-03-28 23:00", closed}, // Saturday; the clock is moved in this night
		{"2026-03-28 23:01", none},
		{"2026-03-29 14:00", none},
		{"2026-03-30 07:59", none},
		{"2026-03-30 08:00", none},
		{"2026-03-31 05:00", closed}, // after a day on which nothing was written out of hours
		{"2026-04-03 10:00", closed}, // Good Friday
		{"2026-04-06 20:00", none},   // and Easter
		{"2026-04-07 17:00", closed},
	} {
		w.now = local(t, tt.at)
		assert.Equal(t, tt.says, w.types("nu ook druk op mijn borst").texts(), tt.at)
		assert.True(t, w.did(Pass), tt.at)
	}
	w.now = local(t, "2026-04-08 22:00")
	assert.Equal(t, closed, w.sendsPhoto().texts(), "a photo is a message too")
}

func TestWhatIsSaidAtTheBeginningCountsAsSaid(t *testing.T) {
	for name, began := range map[string]string{"begun in hours": "2026-03-10 16:50", "begun out of hours": "2026-03-10 18:00"} {
		w := active(t)
		w.hours = hours(t, []string{"mon-fri 08:00-17:00"}, nil, nil)
		w.now = local(t, began)
		w.types("Ik heb pijn")
		w.now = local(t, "2026-03-10 20:00")
		assert.Equal(t, []string{"conversation.received"}, w.types("over mijzelf").texts(), name)
		assert.Empty(t, w.types("Erge pijn").texts(), "%s: the first answer said it", name)
		w.now = local(t, "2026-03-11 20:00")
		assert.Equal(t, []string{ClosedNow}, w.types("Het gaat niet over").texts(), name)
	}
}

func TestWhoeverWasAskedInHoursHearsItToo(t *testing.T) {
	w := active(t)
	w.hours = hours(t, []string{"mon-fri 08:00-17:00"}, nil, nil)
	w.now = local(t, "2026-03-10 16:50")
	assert.Empty(t, w.types("Ik heb pijn").texts())
	w.now = local(t, "2026-03-10 23:00")
	assert.Equal(t, []string{ClosedNow}, w.types("nu ook druk op mijn borst").texts())
	assert.True(t, w.did(Hold) && w.did(Ask))
	assert.Empty(t, w.types("Hallo?").texts()[1:], "only that a person helps")

	w.hears(Heard{Text: "en dit", Waited: true, SentAt: local(t, "2026-03-10 16:55")})
	assert.Empty(t, w.texts())
}

func TestWhoeverAnswersOutOfHoursWhatWasAskedInHoursHearsItOnce(t *testing.T) {
	w := active(t)
	w.hours = hours(t, []string{"mon-fri 08:00-17:00"}, nil, nil)
	w.now = local(t, "2026-03-10 16:55")
	assert.Empty(t, w.types("Mijn kind heeft koorts").texts())
	w.now = local(t, "2026-03-10 23:00")
	assert.Equal(t, []string{ClosedNow}, w.types("iemand anders").texts())
	assert.Equal(t, []Effect{say(ClosedNow), ask(AskDerdeName)}, w.last, "before the next question")
	assert.Empty(t, w.types("Bep Buur", "1-1-1950", "iemand anders").texts())
	assert.Equal(t, []string{"conversation.received"}, w.types("2").texts())

	assert.NoError(t, w.closes())
	w.now = local(t, "2026-03-11 16:55")
	w.types("Nog iets", "iemand anders", "Bep Buur", "1-1-1950", "iemand anders")
	w.now = local(t, "2026-03-11 23:00")
	assert.Equal(t, []string{"derde.no_ground"}, w.types("3").texts(), "nothing is left to read")
}

func TestWhatComesLateOutOfHoursIsReadWhenTheyOpen(t *testing.T) {
	w := active(t)
	w.hours = hours(t, []string{"mon-fri 08:00-17:00"}, nil, nil)
	w.now = local(t, "2026-03-10 16:00")
	w.types("Ik heb pijn", "over mijzelf")
	w.now = local(t, "2026-03-10 23:00")
	w.hears(Heard{Text: "en dit", Waited: true, Missed: true, SentAt: local(t, "2026-03-10 16:55")})
	assert.Equal(t, []string{ClosedNow, "late.passed"}, w.texts())
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
