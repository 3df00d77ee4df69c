package texts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestADayIsSaidInWords(t *testing.T) {
	c := load(t)
	for _, tt := range []struct{ day, nl, en string }{
		{"2026-01-05", "maandag 5 januari", "Monday 5 January"},
		{"2026-03-03", "dinsdag 3 maart", "Tuesday 3 March"},
		{"2026-08-12", "woensdag 12 augustus", "Wednesday 12 August"},
		{"2026-12-31", "donderdag 31 december", "Thursday 31 December"},
	} {
		day, err := time.Parse(time.DateOnly, tt.day)
		assert.NoError(t, err)
		assert.Equal(t, tt.nl, c.Day("nl", day))
		assert.Equal(t, tt.en, c.Day("en", day))
	}
	for n := range 366 {
		day := time.Date(2028, 1, 1+n, 0, 0, 0, 0, time.UTC)
		assert.NotContains(t, c.Day("nl", day), "iets mis", day)
		assert.NotContains(t, c.Day("en", day), "wrong", day)
	}
}

// first are the forms of the first answer: what must be in it, and what must not.
func TestTheCardSaysWhatKindOfQuestionItIs(t *testing.T) {
	c := load(t)
	for _, tt := range []struct {
		a      Args
		nl, en string
	}{
		{Args{}, "Zorgvraag. Gaat over de patiënt zelf", "Care question. About the patient"},
		{Args{Whom: "Sem"}, "Zorgvraag. Gaat over Sem", "Care question. About Sem"},
		{Args{Practical: true}, "Praktische vraag. Over wie het gaat, is niet gevraagd", "Practical question. Whom it concerns has not been asked"},
		{Args{Practical: true, Whom: "Sem"}, "Praktische vraag. Gaat over Sem", "Practical question. About Sem"},
	} {
		assert.Contains(t, c.Text("nl", "card", tt.a), tt.nl)
		assert.Contains(t, c.Text("en", "card", tt.a), tt.en)
	}
	assert.Contains(t, c.Text("nl", "card.balie", Args{Practical: true}), "(praktische vraag)")
	assert.NotContains(t, c.Text("nl", "card.balie", Args{}), "praktische")
}

func TestTheFirstAnswerSaysWhenAndWhatToDoInAnEmergency(t *testing.T) {
	c := load(t)
	open := Args{Phone: "020 1", Emergency: "020 2", OutOfHours: "020 3", Date: "10-03-2026", Time: "09:30", AnswerBy: "donderdag 12 maart"}
	shut := open
	shut.OpensDay, shut.OpensTime = "woensdag 11 maart", "08:00"
	poor := Args{Phone: "020 1"}
	for _, tt := range []struct {
		name      string
		a         Args
		has, lack []string
	}{
		{"open", open, []string{"10-03-2026", "09:30", "donderdag 12 maart", "020 2", "112", "020 3"}, []string{"nu dicht", "closed now"}},
		{"closed", shut, []string{"woensdag 11 maart", "08:00", "donderdag 12 maart", "112", "020 3"}, []string{"020 2"}},
		{"nothing is known", poor, []string{"020 1", "112"}, []string{"uiterlijk", "at the latest", "nu dicht", "closed now"}},
	} {
		for _, lang := range bothLanguages {
			text := c.Text(lang, "conversation.received", tt.a)
			for _, part := range tt.has {
				assert.Contains(t, text, part, tt.name)
			}
			for _, part := range tt.lack {
				assert.NotContains(t, text, part, tt.name)
			}
		}
	}
	for _, lang := range bothLanguages {
		text := c.Text(lang, "hours.closed", shut)
		for _, part := range []string{"woensdag 11 maart", "08:00", "020 3", "112"} {
			assert.Contains(t, text, part)
		}
		assert.Contains(t, c.Text(lang, "hours.closed", poor), "020 1")
	}
}
