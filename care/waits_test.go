package care

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	never time.Time
	past  = onDay(0, 11, 0)
	now   = onDay(0, 12, 0)
	later = onDay(0, 13, 0)
	night = onDay(0, 23, 0)
)

func TestWhatIsDueIsDoneAndNothingElse(t *testing.T) {
	reminded := func(text string) []Effect {
		return []Effect{{Do: Say, Text: text, Question: AskWhom, ByDay: true}, {Do: Ask, Question: AskWhom, ByDay: true}}
	}
	told := []Effect{tell("beheer.unanswered")}
	for _, tt := range []struct {
		name           string
		at             time.Time
		held, sent     int
		remind, tellAt time.Time
		does           []Effect
		next           time.Time // when there is something to do again
		left           bool
	}{
		{"both in time", now, 1, 0, later, night, nil, later, false},
		{"the first reminder", now, 1, 0, past, later, reminded("remind.held"), later, false},
		{"the last reminder", now, 1, 1, past, later, append(reminded("remind.held_last"), told...), never, false},
		{"the last reminder, and Beheer knows", now, 1, 1, past, never, reminded("remind.held_last"), never, false},
		{"who has just seen the question", now, 1, 0, later, past, told, later, false},
		{"who was reminded, and has just seen the question", now, 1, 1, later, now, told, later, false},
		{"reminded twice, of what waited before", now, 1, 2, never, past, told, never, false},
		{"both at once", now, 1, 0, past, past, append(reminded("remind.held"), told...), never, false},
		{"nothing waits", now, 0, 0, past, past, nil, never, false},
		{"nothing is due", now, 1, 2, never, never, nil, never, false},
		{"who has left", now, 1, 0, past, past, []Effect{tell("beheer.unanswered_left")}, never, true},
		{"who has left, and Beheer knows", now, 1, 1, past, never, nil, never, true},
		{"who has left with nothing", now, 0, 0, past, past, nil, never, true},
		{"who has left by night", night, 1, 0, never, night, nil, onDay(1, 8, 0), true},
		{"by night: a reminder", night, 1, 0, now, never, nil, onDay(1, 8, 0), false},
		{"by night: word to Beheer", night, 1, 0, onDay(1, 9, 0), now, nil, onDay(1, 8, 0), false},
		{"by night: nothing waits", night, 0, 0, now, now, nil, never, false},
		{"early in the morning", onDay(1, 7, 59), 1, 1, now, now, nil, onDay(1, 8, 0), false},
		{"in the morning", onDay(1, 8, 0), 1, 1, now, now, append(reminded("remind.held_last"), told...), never, false},
	} {
		c := Case{Person: Person{ID: "p", State: Active, Question: AskWhom, Current: "c", Left: tt.left}}
		r := Reminder{Person: "p", Question: AskWhom, Conversation: "c", Sent: tt.sent, RemindAt: tt.remind, TellAt: tt.tellAt}
		if !tt.tellAt.IsZero() {
			r.Waits = past
		}
		after, done := Remind(c, r, tt.held, Env{Now: tt.at})
		assert.Equal(t, tt.does, after.Effects, tt.name)
		assert.Equal(t, tt.next, done.DueAt, tt.name)
		again, _ := Remind(c, done, tt.held, Env{Now: tt.at})
		assert.Empty(t, again.Effects, "%s: once", tt.name)
	}
}

// onThem is a patient who lets everything wait for a question, in time that passes.
type onThem struct {
	*testing.T
	c     Case
	r     Reminder
	now   time.Time
	first time.Duration
	asked time.Time   // when the question was put last
	told  []time.Time // when Beheer was
}

// writes is another message that is no answer.
func (o *onThem) writes(q Question, begun bool) {
	o.asked, o.c.Person.Question = o.now, q
	o.r = PlanReminder(o.r, o.c.Person, Waiting{Held: 1, Begun: begun, First: o.first}, o.now)
}

// until lets time pass, and what is due be done.
func (o *onThem) until(end time.Time) {
	for n := 0; !o.r.DueAt.IsZero() && !o.r.DueAt.After(end); n++ {
		require.Less(o, n, 9, "no end to it")
		o.now = o.r.DueAt
		require.Equal(o, Awake(o.now), o.now, "nobody hears anything at night")
		o.r.DueAt = time.Time{}
		after, r := Remind(o.c, o.r, 1, Env{Now: o.now})
		o.r = r
		for _, e := range after.Effects {
			switch e.Do {
			case Ask:
				require.GreaterOrEqual(o, o.now.Sub(o.asked), o.first, "they have just seen it")
				o.writes(o.c.Person.Question, false)
			case Tell:
				o.told = append(o.told, o.now)
			}
		}
	}
	o.now = end
}

// Every pace of writing, begun at every hour, by what every practice may have chosen.
func TestBeheerHearsOnceAndInTimeWhateverThePatientWrites(t *testing.T) {
	for _, first := range []time.Duration{time.Minute, anHour, 24 * time.Hour} {
		for _, every := range []time.Duration{7 * time.Minute, 50 * time.Minute, 61 * time.Minute, 5 * anHour, 23 * anHour, 25 * anHour, 1000 * anHour} {
			for hour := range 24 {
				for name, questions := range map[string][]Question{
					"one question": {AskWhom}, "to and fro": {AskWhom, AskDerdeName, AskDerdeBirth, AskDerdeName},
				} {
					began := onDay(0, hour, 30)
					t.Run(fmt.Sprint(name, first, every, hour), func(t *testing.T) {
						o := &onThem{T: t, now: began, first: first}
						o.c.Person = Person{ID: "p", State: Active, Current: "c"}
						o.writes(AskWhom, true)
						for n := 1; began.Add(time.Duration(n) * every).Before(began.AddDate(0, 0, 5)); n++ {
							o.until(began.Add(time.Duration(n) * every))
							o.writes(questions[n%len(questions)], false)
						}
						o.until(began.AddDate(0, 0, 10))
						require.Len(t, o.told, 1)
						assert.False(t, o.told[0].After(Awake(Awake(began.Add(first)).Add(24*anHour))), "told %s", o.told[0])
					})
				}
			}
		}
	}
}

func TestWhatWaitsAnewIsToldAnew(t *testing.T) {
	p := Person{ID: "p", State: Active, Question: AskWhom, Current: "c"}
	told := PlanReminder(Reminder{}, p, begun, past)
	told.Waits, told.TellAt, told.Sent = never, never, 2
	for name, tt := range map[string]struct {
		p    Person
		w    Waiting
		want bool
	}{
		"the same goes on":         {p, waits, false},
		"another question of it":   {Person{ID: "p", State: Active, Question: AskGround, Current: "c"}, waits, false},
		"another conversation":     {Person{ID: "p", State: Active, Question: AskWhom, Current: "d"}, begun, true},
		"after they took all away": {p, begun, true},
		"nothing waits, staff ask": {Person{ID: "p", State: Active, Question: AskWhom, Current: "d"}, Waiting{First: anHour}, false},
		"who they are":             {Person{ID: "p", State: Unconfirmed, Question: AskIdentityName, Current: "c"}, Waiting{First: anHour}, true},
		"registration":             {Person{ID: "p", State: Registering, Question: AskPhone}, Waiting{First: anHour}, false},
		"answered":                 {Person{ID: "p", State: Active, Current: "c"}, Waiting{First: anHour}, false},
		"the practice wants none":  {p, Waiting{Held: 1, Begun: true}, false},
	} {
		assert.Equal(t, tt.want, !PlanReminder(told, tt.p, tt.w, now).TellAt.IsZero(), name)
	}
	after := PlanReminder(PlanReminder(Reminder{}, Person{ID: "p", State: Unconfirmed, Question: AskIdentityName}, Waiting{First: anHour}, past),
		Person{ID: "p", State: Unconfirmed, Question: AskIdentityBirth}, Waiting{First: anHour}, now)
	assert.Equal(t, past, after.Waits, "who they are is one thing, in two questions")
}

func TestWhoHasLeftIsNotRemindedAndBeheerHearsAtOnce(t *testing.T) {
	p := Person{ID: "p", State: Active, Question: AskWhom, Current: "c"}
	asked := PlanReminder(Reminder{}, p, begun, past)
	out := Leave(Case{Person: p}, Env{Now: now})
	require.Empty(t, out.Effects, "what is held stays, and so does the question")
	for left, due := range map[time.Time]time.Time{now: now, night: onDay(1, 8, 0), onDay(1, 3, 0): onDay(1, 8, 0)} {
		gone := PlanReminder(asked, out.Person, waits, left)
		assert.Equal(t, due, gone.DueAt)
		assert.Equal(t, never, gone.RemindAt)
		back := Arrive(out, Env{Now: left})
		assert.Equal(t, []Effect{ask(AskWhom)}, back.Effects)
		open := PlanReminder(gone, back.Person, waits, left)
		assert.Equal(t, Awake(left.Add(anHour)), open.RemindAt, "the question is open again")
		assert.Equal(t, asked.TellAt, open.TellAt, "it waits since it was held")
		_, told := Remind(out, gone, 1, Env{Now: due})
		assert.Equal(t, never, PlanReminder(told, back.Person, waits, due).TellAt, "once")
	}
	assert.Equal(t, never, PlanReminder(Reminder{}, out.Person, Waiting{First: anHour}, now).DueAt, "nothing waits")
	assert.False(t, Hear(out, Heard{Text: "?"}, Env{Now: now}).Person.Left, "who speaks is there")
	assert.True(t, Hear(out, Heard{Text: "?", Waited: true}, Env{Now: now}).Person.Left, "that was before they left")
}
