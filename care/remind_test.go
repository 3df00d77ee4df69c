package care

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const anHour = time.Hour

// What waits for an answer: the first message, and then the same one.
var (
	begun = Waiting{Held: 1, Begun: true, First: anHour}
	waits = Waiting{Held: 1, First: anHour}
)

// onDay is a time of the practice's clock, on the day of the tests and those after it.
func onDay(day, hour, minute int) time.Time {
	return time.Date(2026, 3, 10+day, hour, minute, 0, 0, amsterdam)
}

func TestEveryQuestionIsRemindedOfInItsOwnWay(t *testing.T) {
	held := map[AccountState][]string{Active: {"remind.held", "remind.held_last"}}
	identity := map[AccountState][]string{Unconfirmed: {"remind.identity", "remind.identity_last"}}
	one := []string{"remind.register"}
	register := map[AccountState][]string{Informed: one, Consented: one, Registering: one}
	want := map[Question]map[AccountState][]string{
		AskWhom: held, AskDerdeName: held, AskDerdeBirth: held, AskRelation: held, AskGround: held,
		AskIdentityName: identity, AskIdentityBirth: identity,
		AskPersonal: register, AskHealth: register, AskTerms: register, AskFirstName: register, AskLastName: register, AskPhone: register,
		AskEmail: register, AskBirthDate: register, AskPractice: register, AskOptIn: register, AskSummary: register, AskCorrect: register,
		AskAgain: nil, NoQuestion: nil,
	}
	for _, q := range append(AllQuestions(), NoQuestion) {
		texts, listed := want[q]
		require.True(t, listed, q)
		for _, state := range allStates {
			c := Case{Person: Person{ID: "p", State: state, Question: q, Current: "c"}}
			var got []string
			r := PlanReminder(Reminder{}, c.Person, begun, noon)
			for now := noon; !r.DueAt.IsZero(); {
				require.Less(t, len(got), 3, "%s: no end to it", q)
				wait := r.DueAt.Sub(now)
				now = r.DueAt
				if len(got) == 0 && len(texts[state]) == 2 {
					assert.Equal(t, anHour, wait, q)
				} else {
					assert.Equal(t, 24*time.Hour, wait, q)
				}
				taken := r
				taken.DueAt = time.Time{}
				after, done := Remind(c, taken, 1, Env{Now: now})
				require.NotEmpty(t, after.Effects)
				got = append(got, after.Effects[0].Text)
				assert.Equal(t, q, after.Effects[0].Question, "it is said only while it is open")
				assert.Equal(t, Effect{Do: Ask, Question: q, ByDay: true}, after.Effects[1])
				assert.Equal(t, len(got) == 2, slices.Contains(after.Effects, tell("beheer.unanswered")), "someone calls")
				r = PlanReminder(done, after.Person, waits, now)
			}
			assert.Equal(t, texts[state], got, "%s in %s", q, state)
		}
	}
}

func TestNobodyIsRemindedAtNight(t *testing.T) {
	p := Person{ID: "p", State: Active, Question: AskWhom}
	for asked, due := range map[time.Time]time.Time{
		onDay(0, 20, 59): onDay(0, 21, 59),
		onDay(0, 21, 0):  onDay(1, 8, 0),
		onDay(0, 23, 30): onDay(1, 8, 0),
		onDay(1, 3, 0):   onDay(1, 8, 0),
		onDay(1, 6, 59):  onDay(1, 8, 0),
		onDay(1, 7, 1):   onDay(1, 8, 1),
		time.Date(2026, 3, 28, 22, 10, 0, 0, amsterdam):  time.Date(2026, 3, 29, 8, 0, 0, 0, amsterdam), // summer time begins
		time.Date(2026, 10, 24, 21, 30, 0, 0, amsterdam): time.Date(2026, 10, 25, 8, 0, 0, 0, amsterdam),
		time.Date(2026, 12, 31, 23, 0, 0, 0, amsterdam):  time.Date(2027, 1, 1, 8, 0, 0, 0, amsterdam),
	} {
		assert.Equal(t, due, PlanReminder(Reminder{}, p, begun, asked).DueAt, "asked %s", asked)
	}
	planned := PlanReminder(Reminder{}, p, begun, onDay(0, 12, 0))
	planned.DueAt = time.Time{}
	after, waits := Remind(Case{Person: p}, planned, 1, Env{Now: onDay(0, 22, 5)}) // we were away at one o'clock
	assert.Empty(t, after.Effects)
	assert.Equal(t, onDay(1, 8, 0), waits.DueAt)
	assert.Equal(t, onDay(0, 13, 0), PutOff(planned, anHour, onDay(0, 12, 0)).DueAt)
	assert.Equal(t, onDay(1, 8, 0), PutOff(planned, anHour, onDay(0, 21, 30)).DueAt)
	assert.True(t, PutOff(planned, 0, noon).DueAt.IsZero(), "the practice wants none any more")
}

func TestOnlyWhoIsWaitedForIsReminded(t *testing.T) {
	asked := Person{ID: "p", State: Active, Question: AskWhom, Current: "c1"}
	r := PlanReminder(Reminder{}, asked, begun, noon)
	r.DueAt = time.Time{}
	for name, change := range map[string]func(p *Person, held *int){
		"answered":                 func(p *Person, _ *int) { p.Question = NoQuestion },
		"one question further":     func(p *Person, _ *int) { p.Question = AskDerdeName },
		"withdrawn":                func(p *Person, _ *int) { p.State, p.Question = Withdrawn, AskAgain },
		"suspended":                func(p *Person, _ *int) { p.State = Suspended },
		"another conversation":     func(p *Person, _ *int) { p.Current = "c2" },
		"took the message away":    func(_ *Person, held *int) { *held = 0 },
		"somebody else altogether": func(p *Person, _ *int) { p.ID = "q" },
	} {
		p, held := asked, 1
		change(&p, &held)
		after, done := Remind(Case{Person: p}, r, held, Env{Now: noon})
		assert.Empty(t, after.Effects, name)
		assert.True(t, done.DueAt.IsZero(), name)
	}
	assert.True(t, PlanReminder(Reminder{}, asked, Waiting{Held: 1, Begun: true}, noon).DueAt.IsZero(), "the practice wants none")
}

// Someone who writes on without answering hears the question each time. That counts as no
// reminder, and makes no more of them.
func TestEachQuestionHasItsOwnTwoReminders(t *testing.T) {
	p := Person{ID: "p", State: Active, Question: AskWhom, Current: "c1"}
	r := PlanReminder(Reminder{}, p, begun, noon)
	r = PlanReminder(r, p, waits, noon.Add(50*time.Minute))
	assert.Equal(t, noon.Add(110*time.Minute), r.DueAt)
	assert.Equal(t, noon, r.Since, "a late message may still answer it")
	r.Sent = 1
	assert.Equal(t, noon.Add(24*time.Hour), PlanReminder(r, p, waits, noon).DueAt)
	r.Sent = 2
	assert.True(t, PlanReminder(r, p, waits, noon).RemindAt.IsZero())
	p.Question = AskDerdeName
	assert.Equal(t, noon.Add(anHour), PlanReminder(r, p, waits, noon).DueAt, "another question")
	p.Question, p.Current = AskWhom, "c2"
	assert.Equal(t, 0, PlanReminder(r, p, waits, noon).Sent, "another message")
	p = Person{ID: "p", State: Unconfirmed, Question: AskIdentityName, Current: "c2"}
	r = Reminder{Person: "p", Question: AskIdentityName, Sent: 1}
	p.Current = ""
	assert.Equal(t, 1, PlanReminder(r, p, waits, noon).Sent, "who they are does not depend on a conversation")
}
