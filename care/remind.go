package care

import (
	"slices"
	"time"
)

// Nobody at the practice sees what is held until a question is answered, and its sender may think
// that it was sent. So an open question is put again after a while, and once more a day later;
// never more often, and never at night.

const (
	remindAgain = 24 * time.Hour // after the reminder before; of a registration: after the question
	nightFrom   = 22             // o'clock, in the practice's zone
	nightUntil  = 8
)

// A Reminder is what was done, and is planned, about the question that is open for a person.
type Reminder struct {
	Person       string // id
	Question     Question
	Conversation string    // about which it was asked; "" = it is about the person
	Since        time.Time // when it was put first
	Sent         int       // how often the person was reminded of it
	DueAt        time.Time // when the next one is due; zero = none is planned
}

// A reminding is how people are reminded of a kind of question.
type reminding struct {
	states   []AccountState // in which the question is waited for
	patience time.Duration  // before the first reminder; 0 = as the settings say
	texts    []string       // of each reminder
	tell     string         // to Beheer, with the last one; "" = nothing
	held     bool           // only while a message waits for the answer
}

var (
	remindHeld = reminding{
		states: []AccountState{Active}, texts: []string{"remind.held", "remind.held_last"}, tell: "beheer.unanswered", held: true,
	}
	remindIdentity = reminding{
		states: []AccountState{Unconfirmed}, texts: []string{"remind.identity", "remind.identity_last"}, tell: "beheer.unanswered",
	}
	remindRegister = reminding{
		states: []AccountState{Informed, Consented, Registering}, patience: remindAgain, texts: []string{"remind.register"},
	}
)

// reminding is how a person is reminded of the open question now; false = not, or not any more.
func (p Person) reminding(r Reminder) (how reminding, again bool) {
	of := questions[p.Question].remind
	if of == nil || r.Sent >= len(of.texts) || !slices.Contains(of.states, p.State) {
		return how, false
	}
	return *of, true
}

// IsOf says that a reminder is of the question that is open now.
func (r Reminder) IsOf(p Person) bool {
	return r.Person == p.ID && r.Question == p.Question && r.Conversation == p.asksAbout()
}

// asksAbout is the conversation that the open question is about; "" = it is about the person.
func (p Person) asksAbout() string {
	if p.Question.aboutDerde() {
		return p.Current
	}
	return ""
}

// PlanReminder says when a person is reminded next, after a turn in which the question was put or
// something was held for it. r is what was planned before; first is how long the first reminder
// waits, 0 = nobody is reminded.
func PlanReminder(r Reminder, p Person, first time.Duration, now time.Time) Reminder {
	if !r.IsOf(p) {
		r = Reminder{Person: p.ID, Question: p.Question, Conversation: p.asksAbout(), Since: now}
	}
	r.DueAt = time.Time{}
	of, again := p.reminding(r)
	if first == 0 || !again {
		return r
	}
	wait := remindAgain
	if r.Sent == 0 && of.patience == 0 {
		wait = first
	}
	r.DueAt = Awake(now.Add(wait))
	return r
}

// Remind is what it leads to that a reminder is due: the question once more, unless it was
// answered or what waited for it is gone. By night it waits for the morning. held is how many
// messages wait for the answer.
func Remind(c Case, r Reminder, held int, env Env) (Case, Reminder) {
	of, again := c.Person.reminding(r)
	if !again || !r.IsOf(c.Person) || of.held && held == 0 {
		return c, r
	}
	if morning := Awake(env.Now); morning.After(env.Now) {
		r.DueAt = morning
		return c, r
	}
	c.do(Effect{Do: Say, Text: of.texts[r.Sent], Question: r.Question, ByDay: true}, Effect{Do: Ask, Question: r.Question, ByDay: true})
	r.Sent++
	if r.Sent == len(of.texts) && of.tell != "" {
		c.do(tell(of.tell))
	}
	return c, r
}

// PutOff plans a reminder that is due again, after a while; 0 = nobody is reminded.
func PutOff(r Reminder, wait time.Duration, now time.Time) Reminder {
	if wait > 0 {
		r.DueAt = Awake(now.Add(wait))
	}
	return r
}

// Awake is a time, or when it is night the morning after it. It is in the
// zone of t.
func Awake(t time.Time) time.Time {
	switch {
	case t.Hour() < nightUntil:
		return time.Date(t.Year(), t.Month(), t.Day(), nightUntil, 0, 0, 0, t.Location())
	case t.Hour() >= nightFrom:
		return time.Date(t.Year(), t.Month(), t.Day()+1, nightUntil, 0, 0, 0, t.Location())
	}
	return t
}
