package care

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// lines is what people type in a random dialogue, each with its share.
var lines = []string{
	"ja", "ja", "ja", "nee", "1", "1", "2", "3", "4", "5", "6", "Jan", "van der Berg", "06 12345678", "+31 612345678", "jan@example.org",
	"31-5-1980", "1-2-2015", "10-3-2010", "1011 AB", "9999", "ik heb hoofdpijn", "hallo", "stop", "terug", "terug", "help", "opnieuw",
	"english", "nederlands", "intrekken", "withdraw", "?!?", "", "👍", "\u200b", "\u202enaJ", testBSNs[0], "bsn " + testBSNs[1],
	"1234.56.782", strings.Repeat("a", 64<<10), "iemand anders", "mijzelf", "Sofie Jansen", "mijn kind", "geen van beide", "toestemming",
}

// TestNoDialogueBreaksTheRules lets people do anything in any order, with time passing; the
// invariants are checked after every turn.
func TestNoDialogueBreaksTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 60).Draw(t, "turns") {
			randomTurn(t, w)
		}
	})
}

func randomTurn(t *rapid.T, w *world) {
	switch rapid.IntRange(0, 15).Draw(t, "what") {
	case 0:
		w.sendsPhoto()
	case 1:
		w.hears(Heard{Media: true, Text: rapid.SampledFrom(lines).Draw(t, "caption")})
	case 2, 3:
		w.taps(rapid.IntRange(-1, 9).Draw(t, "button"))
	case 4:
		w.arrives()
	case 5:
		_ = w.approve()
	case 6:
		_ = w.decline()
	case 7:
		_ = w.closes()
	case 8:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 400*24).Draw(t, "hours")) * time.Hour)
	case 9:
		if text := rapid.String().Draw(t, "anything"); strings.TrimSpace(text) != "" {
			w.types(text)
		}
	case 10, 11, 12: // whoever answers sensibly gets somewhere
		w.types(sensible[w.c.Person.Question])
	default:
		w.types(rapid.SampledFrom(lines).Draw(t, "line"))
	}
}

// sensible is an answer to each question.
var sensible = map[Question]string{
	NoQuestion: "ik heb een vraag", AskPersonal: "ja", AskHealth: "ja", AskTerms: "ja", AskFirstName: "Jan", AskLastName: "Jansen",
	AskPhone: "0612345678", AskEmail: "jan@example.org", AskBirthDate: "31-5-1980", AskPractice: "1", AskOptIn: "ja", AskSummary: "ja",
	AskCorrect: "1", AskAgain: "ja", AskWhom: "2", AskDerdeName: "Sofie", AskDerdeBirth: "1-2-2015", AskRelation: "1", AskGround: "2",
}

// TestSensibleAnswersAlwaysLeadToStaff starts anywhere a random dialogue ends: who answers
// what is asked, reaches a conversation that staff see.
func TestSensibleAnswersAlwaysLeadToStaff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t).arrives()
		for range rapid.IntRange(0, 30).Draw(t, "turns") {
			randomTurn(t, w)
		}
		for turn := 0; w.c.Conversation.State != Open; turn++ {
			switch {
			case w.c.Person.State == Refused:
				return
			case turn > 40:
				t.Fatalf("still %s", position(w))
			case w.c.Person.State == Awaiting:
				if err := w.approve(); err != nil {
					t.Fatal(err)
				}
			default:
				w.types(sensible[w.c.Person.Question])
			}
		}
		if w.types("en nog iets"); !w.did(Pass) {
			t.Fatalf("not passed: %+v", w.last)
		}
	})
}
