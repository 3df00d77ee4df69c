package care

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/texts"
)

// allStates is every state of an account.
var allStates = []AccountState{
	New, Informed, Consented, Registering, Incomplete, Awaiting, Active, Unconfirmed, Restricted, Suspended, Withdrawn,
	Refused, Declined, Deregistered, Purged,
}

var allSteps = []Step{
	Inform, GiveConsent, AgreeTerms, RefuseAsked, BeginAgain, Complete, TooYoung, Approve, Decline, LoseIdentity, Confirm, Restrict, Unrestrict,
	Suspend, Reinstate, WithdrawStep, Deregister, Purge,
}

var allWords = []Word{WordWithdraw, WordHelp, WordBack, WordRepeat, WordStop, WordDutch, WordEnglish, WordRecord}

// testBSNs are numbers that the government gives out for tests.
var testBSNs = []string{"999990019", "123456782", "111222333", "999911120"}

// amsterdam is the zone of the practices.
var amsterdam = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	return zone
}()

// noon is the day on which the tests happen.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, amsterdam)

var testPractices = []Practice{
	{ID: "noord", Name: "Praktijk Noord", Postcodes: []string{"1011", "1012 AB"}},
	{ID: "zuid", Name: "Praktijk Zuid", Postcodes: []string{"1012"}},
}

// A world is the one patient of a test with everything around them. Each turn checks what
// must hold whatever happens.
type world struct {
	t        require.TestingT
	c        Case
	now      time.Time
	hours    Hours // of every practice
	derden   []Derde
	consents map[Purpose]bool // the last answer per purpose
	held     int              // messages that wait
	last     []Effect         // of the last turn
	ids      int
}

func newWorld(t require.TestingT) *world {
	return &world{
		t: t, now: noon, consents: map[Purpose]bool{},
		c: Case{Person: Person{ID: "p", UserID: "@p:example.org", Language: "nl", State: New}},
	}
}

// catalog are the real texts: tests type what people type.
var catalog = sync.OnceValue(func() *texts.Catalog {
	all, err := texts.Load()
	if err != nil {
		panic(err)
	}
	return all
})

func (w *world) env() Env {
	w.ids++
	env := Env{Now: w.now, Practices: slices.Clone(testPractices), NewID: "c" + strconv.Itoa(w.ids), DerdeID: "d" + strconv.Itoa(w.ids)}
	for i := range env.Practices {
		env.Practices[i].Hours = w.hours
	}
	for _, d := range w.derden {
		if d.ID == w.c.Conversation.Derde {
			env.Whom = d
		}
		if d.Valid(w.now) {
			env.Derden = append(env.Derden, d)
		}
	}
	return env
}

// options are what the open question can be answered with, as the bridge makes them.
func (w *world) options() (all []texts.Option) {
	q := w.c.Person.Question
	fixed := catalog().Options(w.c.Person.Language, string(q))
	switch q {
	case AskPractice:
		for _, p := range testPractices {
			all = append(all, texts.Option{Label: p.Name})
		}
		return all
	case AskWhom:
		all = append(all, fixed[0])
		for _, d := range w.env().Derden {
			all = append(all, texts.Option{Label: d.Name})
		}
		return append(all, fixed[1:]...)
	}
	return fixed
}

// types lets the patient type lines one after the other.
func (w *world) types(lines ...string) *world {
	for _, line := range lines {
		line = strings.TrimSpace(line)
		w.hears(Heard{Text: line, Word: Word(catalog().Word(line)), Choice: texts.Choice(w.options(), line)})
	}
	return w
}

func (w *world) sendsPhoto() *world     { return w.hears(Heard{Media: true}) }
func (w *world) taps(button int) *world { return w.hears(Heard{Tap: true, Choice: button}) }

func (w *world) hears(h Heard) *world {
	before := w.c
	env := w.env()
	return w.settle(before, h, Hear(before, h, env))
}

func (w *world) arrives() *world {
	return w.settle(w.c, Heard{}, Arrive(w.c, w.env()))
}

// staff lets a member of staff decide.
func (w *world) staff(decide func(Case, Env) (Case, error)) error {
	before := w.c
	after, err := decide(before, w.env())
	if err != nil {
		w.must(reflect.DeepEqual(before, after), "a refused decision changes nothing")
		return err
	}
	w.settle(before, Heard{}, after)
	return nil
}

// losesIdentity lets the person come back with another master key.
func (w *world) losesIdentity(key string) *world {
	return w.settle(w.c, Heard{}, ChangeIdentity(w.c, key, w.env()))
}

func (w *world) approve() error {
	return w.staff(func(c Case, env Env) (Case, error) {
		return ApproveAccount(c, Identity{PatientNumber: "100"}, "@fatima:example.org", env)
	})
}

func (w *world) decline() error {
	return w.staff(func(c Case, env Env) (Case, error) { return DeclineAccount(c, "@fatima:example.org", env) })
}

func (w *world) closes() error {
	return w.staff(func(c Case, env Env) (Case, error) { return CloseConversation(c, "@fatima:example.org", env) })
}

// settle takes over what a turn led to, as the bridge does, and checks it.
func (w *world) settle(before Case, h Heard, after Case) *world {
	w.last = after.Effects
	w.invariants(before, h, after)
	if after.Derde != nil {
		w.derden = append(w.derden, *after.Derde)
	}
	w.c = Case{Person: after.Person}
	if after.Person.Current != "" {
		w.c.Conversation = after.Conversation
	}
	return w
}

func did(effects []Effect, do Do) bool {
	return slices.ContainsFunc(effects, func(e Effect) bool { return e.Do == do })
}

func said(effects []Effect, text string) bool {
	return slices.ContainsFunc(effects, func(e Effect) bool { return e.Do == Say && e.Text == text })
}

// did says whether the last turn had an effect.
func (w *world) did(do Do) bool { return did(w.last, do) }

func (w *world) said(text string) bool { return said(w.last, text) }

// stands checks where the account stands and what is open.
func (w *world) stands(state AccountState, q Question) *world {
	require.Equal(w.t, state, w.c.Person.State)
	require.Equal(w.t, q, w.c.Person.Question)
	return w
}

// registering brings a patient to a question of the registration.
func registering(t require.TestingT, q Question) *world {
	w := newWorld(t).arrives()
	for _, line := range []string{
		"ja", "ja", "ja", "Jan-Willem", "van der Berg", "0612345678", "jan@example.org", "31-5-1980", "Praktijk Noord", "ja",
	} {
		if w.c.Person.Question == q {
			return w
		}
		w.types(line)
	}
	require.Equal(t, q, w.c.Person.Question)
	return w
}

func awaiting(t require.TestingT) *world {
	return registering(t, AskSummary).types("ja").stands(Awaiting, NoQuestion)
}

func active(t require.TestingT) *world {
	w := awaiting(t)
	require.NoError(t, w.approve())
	return w.stands(Active, NoQuestion)
}

// asking brings a patient to a question about a conversation.
func asking(t require.TestingT, q Question) *world {
	w := active(t).types("ik heb een vraag")
	for _, line := range []string{"2", "Sofie Jansen", "1-2-2015", "mijn kind"} {
		if w.c.Person.Question == q {
			return w
		}
		w.types(line)
	}
	require.Equal(t, q, w.c.Person.Question)
	return w
}

// in names a subtest after a state and a question.
func in(s AccountState, q Question) string { return string(s) + " " + string(q) }

var _ require.TestingT = (*testing.T)(nil)

// at brings a patient to any question.
func at(t require.TestingT, q Question) *world {
	w := newWorld(t).arrives()
	switch q {
	case AskPersonal:
		return w
	case AskAgain:
		return w.types("nee")
	case AskCorrect:
		return registering(t, AskSummary).types("2")
	}
	switch {
	case q.aboutDerde():
		return asking(t, q)
	case q == AskIdentityName:
		return active(t).losesIdentity("key")
	case q == AskIdentityBirth:
		return active(t).losesIdentity("key").types("Jan de Berg")
	}
	return registering(t, q)
}

// talking is a patient whose conversation staff see.
func talking(t require.TestingT) *world {
	w := active(t).types("ik heb een vraag", "1").stands(Active, NoQuestion)
	require.Equal(t, Open, w.c.Conversation.State)
	return w
}
