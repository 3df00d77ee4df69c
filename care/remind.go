package care

import (
	"slices"
	"time"
)

// Nobody at the practice sees what is held until a question is answered, and its sender may think
// that it was sent. So an open question is put again after a while, and once more a day later;
// never more often, and never at night. Who writes on without answering sees the question each
// time, and is reminded later. What Beheer hears does not move on with that: once, and not later
// than of someone who keeps silent. Who has left hears nothing in an empty room; then Beheer hears
// it at once.

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
	RemindAt     time.Time // when the next one is due; zero = none is planned
	Waits        time.Time // since when something waits of which Beheer did not hear, whatever was asked since; zero = nothing
	TellAt       time.Time // when Beheer hears of it at the latest; zero = not
	DueAt        time.Time // when there is something to do: remind, or tell; zero = nothing
}

// Waiting is what waits for the answer to a question after a turn.
type Waiting struct {
	Held  int           // messages
	Begun bool          // the first of them came in this turn
	First time.Duration // how long the first reminder waits; 0 = nobody is reminded
}

// A reminding is how people are reminded of a kind of question.
type reminding struct {
	states   []AccountState // in which the question is waited for
	patience time.Duration  // before the first reminder; 0 = as the settings say
	texts    []string       // of each reminder
	tell     string         // to Beheer, with the last one or when that would have been due; "" = nothing
	left     string         // to Beheer, in its place, of someone who has left the room
	held     bool           // only while a message waits for the answer
}

var (
	remindHeld = reminding{
		states: []AccountState{Active}, texts: []string{"remind.held", "remind.held_last"}, tell: "beheer.unanswered", left: "beheer.unanswered_left", held: true,
	}
	remindIdentity = reminding{
		states: []AccountState{Unconfirmed}, texts: []string{"remind.identity", "remind.identity_last"}, tell: "beheer.unanswered", left: "beheer.unanswered_left",
	}
	remindRegister = reminding{
		states: []AccountState{Informed, Consented, Registering}, patience: remindAgain, texts: []string{"remind.register"},
	}
)

// reminding is how a person is reminded of the open question; false = nobody waits for the answer.
func (p Person) reminding() (how reminding, waitedFor bool) {
	of := questions[p.Question].remind
	if of == nil || !slices.Contains(of.states, p.State) {
		return how, false
	}
	return *of, true
}

// wait is how long the next reminder waits after so many.
func (of reminding) wait(sent int, first time.Duration) time.Duration {
	if sent == 0 && of.patience == 0 {
		return first
	}
	return remindAgain
}

// latest is when Beheer hears of what waits since a time: when the last reminder is due of someone
// who keeps silent.
func (of reminding) latest(since time.Time, first time.Duration) time.Time {
	for sent := range of.texts {
		since = Awake(since.Add(of.wait(sent, first)))
	}
	return since
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

// isOfSame says that a reminder is of a question about the same as the one that is open now.
func (r Reminder) isOfSame(p Person) bool {
	of := questions[p.Question].remind
	return of != nil && of == questions[r.Question].remind && r.Person == p.ID && r.Conversation == p.asksAbout()
}

// PlanReminder says when a person is reminded next, and when Beheer hears of it, after a turn in
// which the question was put or something was held for it, or the person left. r is what was
// planned before.
func PlanReminder(r Reminder, p Person, w Waiting, now time.Time) Reminder {
	of, waitedFor := p.reminding()
	since := r.Waits
	if waits := of.tell != "" && (!of.held || w.Held > 0); waits && (w.Begun || !r.isOfSame(p)) {
		since = now
	} else if !r.isOfSame(p) {
		since = time.Time{}
	}
	if !r.IsOf(p) {
		r = Reminder{Person: p.ID, Question: p.Question, Conversation: p.asksAbout(), Since: now}
	}
	r.Waits, r.RemindAt, r.TellAt = since, time.Time{}, time.Time{}
	if waitedFor && w.First > 0 {
		r.plan(of, p.Left, w.First, now)
	}
	r.DueAt = earlier(r.RemindAt, r.TellAt)
	return r
}

func (r *Reminder) plan(of reminding, left bool, first time.Duration, now time.Time) {
	if r.Sent < len(of.texts) && !left {
		r.RemindAt = Awake(now.Add(of.wait(r.Sent, first)))
	}
	switch {
	case r.Waits.IsZero():
	case left:
		r.TellAt = Awake(now)
	default:
		r.TellAt = of.latest(r.Waits.In(now.Location()), first)
	}
}

// Remind is what it leads to that a reminder is due: the question once more, word to Beheer, or
// both; nothing when it was answered or what waited for it is gone. By night it waits for the
// morning. held is how many messages wait for the answer.
func Remind(c Case, r Reminder, held int, env Env) (Case, Reminder) {
	of, waitedFor := c.Person.reminding()
	if !waitedFor || !r.IsOf(c.Person) || of.held && held == 0 {
		r.RemindAt, r.TellAt, r.DueAt = time.Time{}, time.Time{}, time.Time{}
		return c, r
	}
	if morning := Awake(env.Now); morning.After(env.Now) {
		r.DueAt = morning
		return c, r
	}
	last, text := false, of.tell
	if c.Person.Left {
		r.RemindAt, text = time.Time{}, of.left
	}
	if isDue(r.RemindAt, env.Now) && r.Sent < len(of.texts) {
		c.do(Effect{Do: Say, Text: of.texts[r.Sent], Question: r.Question, ByDay: true}, Effect{Do: Ask, Question: r.Question, ByDay: true})
		r.Sent, r.RemindAt = r.Sent+1, time.Time{}
		last = r.Sent == len(of.texts)
	}
	if !r.Waits.IsZero() && (last || isDue(r.TellAt, env.Now)) {
		c.do(tell(text))
		r.Waits, r.TellAt = time.Time{}, time.Time{}
	}
	r.DueAt = earlier(r.RemindAt, r.TellAt)
	return c, r
}

func isDue(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// earlier is the first of two times; a zero time never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
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
