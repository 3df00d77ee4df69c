package care

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A walkStep is one thing that can happen to a patient in a walk.
type walkStep struct {
	name string
	take func(w *world)
}

// everything is every kind of thing that can happen: each word, each choice, taps, media,
// answers that fit some question, nonsense, a BSN, and what staff decide.
var everything = func() (all []walkStep) {
	add := func(name string, take func(w *world)) { all = append(all, walkStep{name, take}) }
	hear := func(name string, h Heard) { add(name, func(w *world) { w.hears(h) }) }
	for _, word := range allWords {
		hear("word "+string(word), Heard{Text: string(word), Word: word})
	}
	for _, n := range []int{0, 1, 2, 3, 6, 9} {
		hear(fmt.Sprintf("tap %d", n), Heard{Tap: true, Choice: n})
	}
	for n := 1; n <= 8; n++ {
		hear(fmt.Sprintf("choice %d", n), Heard{Text: fmt.Sprint(n), Choice: n})
	}
	for _, text := range []string{
		"Jan", "06 12345678", "jan@example.org", "31-5-1980", "1-2-2015", "10-3-2010", "11-3-2010", "1011 AB", "9999", "???",
		testBSNs[0], "mijn bsn is " + testBSNs[1], "0111222333",
	} {
		hear("text "+text, Heard{Text: text})
	}
	hear("photo", Heard{Media: true})
	hear("photo with a caption", Heard{Media: true, Text: "mijn knie"})
	hear("photo with a BSN", Heard{Media: true, Text: testBSNs[0]})
	add("comes in again", func(w *world) { w.arrives() })
	add("staff approve", func(w *world) { _ = w.approve() })
	add("staff decline", func(w *world) { _ = w.decline() })
	add("staff see another identity", func(w *world) { w.losesIdentity("key") })
	add("staff confirm", func(w *world) { _ = w.confirm() })
	add("staff close", func(w *world) { _ = w.closes() })
	return all
}()

// copied is a world of its own in the same place.
func (w *world) copied(t require.TestingT) *world {
	next := *w
	next.t, next.consents, next.derden = t, maps.Clone(w.consents), slices.Clone(w.derden)
	return &next
}

// place says where a walk is: two worlds in the same place have the same future.
func (w *world) place() string {
	p, a := w.c.Person, w.c.Person.Answers
	return fmt.Sprint(p.State, "|", p.Question, "|", min(p.Misses, manyMisses+1), p.Correcting, a.FirstName != "", a.LastName != "",
		a.Phone != "", a.Email != "", a.BirthDate.IsZero(), a.Practice != "", a.OptIn, p.Draft.Name != "", p.Draft.BirthDate.IsZero(), p.Draft.BirthDate.Age(DateOf(noon)) < AdultForCare, p.Draft.Relation != "",
		w.c.Conversation.State, min(w.held, 2), min(len(w.derden), 1), w.consents[PersonalData], w.consents[HealthData])
}

// An edge is where an event leads from one question to another.
type edge struct{ from, step, to string }

// A walked is the outcome of a walk.
type walked struct {
	edges []edge
	seen  map[string]*world
}

// done is the walk of an earlier test.
var done *walked

// walk visits every place that can be reached, and returns every edge between them. The
// invariants are checked at each.
func walk(t *testing.T) (edges []edge, seen map[string]*world) {
	if done != nil {
		return done.edges, done.seen
	}
	seen = map[string]*world{}
	queue := []*world{newWorld(t)}
	seen[queue[0].place()] = queue[0]
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		from := w.place()
		for _, step := range everything {
			next := w.copied(t)
			step.take(next)
			to := next.place()
			edges = append(edges, edge{from, step.name, to})
			if _, known := seen[to]; !known {
				seen[to] = next
				queue = append(queue, next)
			}
		}
	}
	done = &walked{edges, seen}
	return edges, seen
}

// position is the part of a place that people would name.
func position(w *world) string { return in(w.c.Person.State, w.c.Person.Question) }

func TestEverythingThatCanHappenKeepsTheRules(t *testing.T) {
	edges, seen := walk(t)
	t.Logf("%d places, %d edges", len(seen), len(edges))

	reached := map[string]bool{}
	for _, w := range seen {
		reached[position(w)] = true
	}
	for state, questions := range asks {
		for _, q := range questions {
			assert.Contains(t, reached, in(state, q), "cannot be reached")
		}
	}
	everyoneCanLeave(t, edges, seen)
	everyPathIsTaken(t, edges, seen)
}

// everyoneCanLeave: from every place there is a way to an active account and to a
// withdrawn one, except for who is under 16.
func everyoneCanLeave(t *testing.T, edges []edge, seen map[string]*world) {
	into := map[string][]string{}
	for _, e := range edges {
		into[e.to] = append(into[e.to], e.from)
	}
	for _, goal := range []AccountState{Active, Withdrawn} {
		can := map[string]bool{}
		var queue []string
		for place, w := range seen {
			if w.c.Person.State == goal {
				can[place] = true
				queue = append(queue, place)
			}
		}
		for len(queue) > 0 {
			place := queue[0]
			queue = queue[1:]
			for _, from := range into[place] {
				if !can[from] {
					can[from] = true
					queue = append(queue, from)
				}
			}
		}
		for place, w := range seen {
			assert.Equal(t, w.c.Person.State != Refused, can[place], "%s: the way to %s", place, goal)
		}
	}
}

// paths is where each question can lead by an answer; words are tested by themselves.
var paths = map[Question]string{
	AskPersonal:      "informed again, informed consent.health",
	AskHealth:        "consented terms, informed again",
	AskTerms:         "incomplete again, registering first_name, registering summary",
	AskFirstName:     "registering last_name, registering summary",
	AskLastName:      "registering phone, registering summary",
	AskPhone:         "registering email, registering summary",
	AskEmail:         "registering birth_date, registering summary",
	AskBirthDate:     "refused , registering practice, registering summary",
	AskPractice:      "registering opt_in, registering summary",
	AskOptIn:         "incomplete again, registering summary",
	AskSummary:       "awaiting , registering correct",
	AskCorrect:       "registering birth_date, registering email, registering first_name, registering last_name, registering phone, registering practice",
	AskAgain:         "informed consent.personal",
	AskWhom:          "active , active derde.name",
	AskDerdeName:     "active derde.birth_date",
	AskDerdeBirth:    "active derde.relation",
	AskRelation:      "active derde.ground",
	AskGround:        "active ",
	AskIdentityName:  "unconfirmed identity.birth_date",
	AskIdentityBirth: "unconfirmed ",
}

func everyPathIsTaken(t *testing.T, edges []edge, seen map[string]*world) {
	taken := map[Question]map[string]bool{}
	for _, e := range edges {
		from, to := seen[e.from], seen[e.to]
		q := from.c.Person.Question
		answer := !strings.HasPrefix(e.step, "word") && !strings.HasPrefix(e.step, "staff") && position(from) != position(to)
		if q == NoQuestion || !answer {
			continue
		}
		if taken[q] == nil {
			taken[q] = map[string]bool{}
		}
		taken[q][position(to)] = true
	}
	require.Len(t, paths, len(AllQuestions()))
	for _, q := range AllQuestions() {
		assert.Equal(t, paths[q], strings.Join(slices.Sorted(maps.Keys(taken[q])), ", "), "question %s", q)
	}
}

func TestHearDependsOnNothingButWhatItIsGiven(t *testing.T) {
	_, seen := walk(t)
	for _, w := range seen {
		for _, h := range []Heard{{Text: "???"}, {Choice: 1, Text: "1"}, {Word: WordBack}, {Media: true}} {
			before, env := w.c, w.env()
			first, second := Hear(before, h, env), Hear(before, h, env)
			require.Equal(t, first, second)
			require.Empty(t, before.Effects, "the case that goes in is not changed")
		}
	}
}

// TestNothingPassesInAnyStateOnAnyQuestion goes over the whole table, also over what cannot
// be reached: a damaged row may stop with a panic, which the bridge catches, but it never
// lets anything through.
func TestNothingPassesInAnyStateOnAnyQuestion(t *testing.T) {
	for _, state := range allStates {
		for _, q := range append(AllQuestions(), NoQuestion) {
			for _, talk := range []ConversationState{"", Asking, Open, Closed, Dropped} {
				for _, h := range []Heard{
					{Text: "???"}, {Text: "1", Choice: 1}, {Text: "2", Choice: 2}, {Text: "3", Choice: 3}, {Text: "Jan"}, {Text: "1-1-1980"},
					{Text: "1-1-2020"}, {Media: true}, {Tap: true, Choice: 1}, {Tap: true}, {Text: testBSNs[0]}, {Text: "stop", Word: WordStop},
					{Text: "terug", Word: WordBack}, {Text: "intrekken", Word: WordWithdraw}, {Media: true, Text: testBSNs[0]},
				} {
					before := Case{Person: Person{State: state, Question: q}, Conversation: Conversation{State: talk}}
					after, ok := survive(before, h)
					if !ok {
						real := slices.Contains(asks[state], q) && q.aboutDerde() == (talk == Asking)
						require.False(t, real, "%s: a panic in a place that can be reached", in(state, q))
						continue
					}
					passes := did(after.Effects, Pass) || did(after.Effects, Release) || did(after.Effects, Hold)
					require.False(t, passes && (state != Active || after.Person.State != Active || ContainsBSN(h.Text)),
						"%s, %s, %+v: %+v", in(state, q), talk, h, after.Effects)
				}
			}
		}
	}
}

// survive hears something; false means that it panicked.
func survive(c Case, h Heard) (after Case, ok bool) {
	defer func() { ok = recover() == nil }()
	return Hear(c, h, Env{Now: noon, Practices: testPractices, NewID: "c", DerdeID: "d"}), true
}
