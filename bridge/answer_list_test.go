package bridge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
)

// A listing is a HIS whose answers are outputs of one Task. Each is its words, or the id of its element, a
// colon and its words.
type listing struct {
	*world
	his        *talkingHIS
	consulting id.RoomID
}

func newListing(t *testing.T) listing {
	t.Helper()
	w, h, consulting, _ := asking(t)
	return listing{w, h, consulting}
}

func (l listing) outputs(said ...string) (all []his.Answer) {
	for n, words := range said {
		a := l.gp(words)
		a.List, a.Place = "Task/12", fmt.Sprintf("Task/12#%d", n)
		a.Reference = a.Place
		if element, after, is := strings.Cut(words, ":"); is {
			a.Text, a.Reference = after, "Task/12#id-"+element
		}
		a.ID = uuid.NewSHA1(uuid.Nil, []byte(a.Reference))
		all = append(all, a)
	}
	if len(all) == 0 {
		all = []his.Answer{{List: "Task/12", Conversation: l.current(), Withdrawn: true}}
	}
	return all
}

// reads is what the HIS gives, read twice.
func (l listing) reads(page []his.Answer) {
	l.Helper()
	lane := systemLane(hisName, linde)
	for range 2 {
		require.NoError(l, l.Store.SetCursor(l.Context(), inAnswers+lane, ""))
		require.NoError(l, l.askAnswers(l.Context(), lane, &pageHIS{talkingHIS: l.his, page: page}))
		l.settles()
	}
}

// got is how often the patient got some words.
func (l listing) got(words string) int {
	return strings.Count(l.heard(l.consulting), "P. Bakker, huisarts: "+words)
}

func (l listing) staffHeard(what string) int {
	return strings.Count(l.heard(l.balie()), "bij gesprek 1 is daar "+what)
}

func TestAnOutputIsKnownWhereverItStands(t *testing.T) {
	for name, tt := range map[string]struct {
		steps            [][]string
		want             map[string]int
		changed, retaken int
	}{
		"one more after it":           {[][]string{{"een"}, {"een", "twee"}}, map[string]int{"een": 1, "twee": 1}, 0, 0},
		"another before it":           {[][]string{{"een"}, {"twee", "een"}}, map[string]int{"een": 1, "twee": 1}, 0, 0},
		"two before it, in turn":      {[][]string{{"een"}, {"twee", "een"}, {"drie", "twee", "een"}}, map[string]int{"een": 1, "twee": 1, "drie": 1}, 0, 0},
		"turned round":                {[][]string{{"een", "twee"}, {"twee", "een"}}, map[string]int{"een": 1, "twee": 1}, 0, 0},
		"the same words again":        {[][]string{{"een"}, {"een", "een"}}, map[string]int{"een": 2}, 0, 0},
		"other words":                 {[][]string{{"een"}, {"anders"}}, map[string]int{"een": 1, "anders": 0}, 1, 0},
		"other words, and one more":   {[][]string{{"een"}, {"anders", "twee"}}, map[string]int{"een": 1, "anders": 0, "twee": 1}, 1, 0},
		"other words after a move":    {[][]string{{"een"}, {"twee", "een"}, {"anders", "een"}}, map[string]int{"een": 1, "twee": 1, "anders": 0}, 1, 0},
		"the first is taken out":      {[][]string{{"een", "twee"}, {"twee"}}, map[string]int{"een": 1, "twee": 1}, 0, 1},
		"the only one is taken out":   {[][]string{{"een"}, {}}, map[string]int{"een": 1}, 0, 1},
		"taken out, and then another": {[][]string{{"een"}, {}, {"twee"}}, map[string]int{"een": 1, "twee": 1}, 0, 1},
		"taken out and put back":      {[][]string{{"een", "twee"}, {"twee"}, {"een", "twee"}}, map[string]int{"een": 1, "twee": 1}, 0, 1},
		"taken out, and another":      {[][]string{{"een", "twee"}, {"twee", "drie"}}, map[string]int{"een": 1, "twee": 1, "drie": 1}, 0, 1},
		"with an id, another before":  {[][]string{{"a:een"}, {"b:twee", "a:een"}}, map[string]int{"een": 1, "twee": 1}, 0, 0},
		"with an id, other words":     {[][]string{{"a:een"}, {"b:twee", "a:anders"}}, map[string]int{"een": 1, "twee": 1, "anders": 0}, 1, 0},
		"with an id, the same words":  {[][]string{{"a:een"}, {"b:een", "a:een"}}, map[string]int{"een": 2}, 0, 0},
		"replaced by another":         {[][]string{{"a:een"}, {"b:twee"}}, map[string]int{"een": 1, "twee": 1}, 0, 1},
		"ids counted anew":            {[][]string{{"0:een"}, {"0:twee", "1:een"}}, map[string]int{"een": 1, "twee": 1}, 0, 0},
		"ids from now on":             {[][]string{{"een"}, {"b:twee", "a:een"}}, map[string]int{"een": 1, "twee": 1}, 0, 0},
		"ids no longer":               {[][]string{{"a:een"}, {"twee", "een"}}, map[string]int{"een": 1, "twee": 1}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListing(t)
			for _, said := range tt.steps {
				l.reads(l.outputs(said...))
			}
			for words, times := range tt.want {
				assert.Equal(t, times, l.got(words), words)
			}
			assert.Equal(t, tt.changed, l.staffHeard("gewijzigd"))
			assert.Equal(t, tt.retaken, l.staffHeard("ingetrokken"))
		})
	}
}

// What was passed on by its place alone, before words were noted or so long ago that they are gone, is known
// by its place still.
func TestAnOutputOfWhichTheWordsAreGoneIsKnownByItsPlace(t *testing.T) {
	for name, element := range map[string]string{"without an id": "", "with an id since": "a:"} {
		t.Run(name, func(t *testing.T) {
			l := newListing(t)
			l.reads(l.outputs("een"))
			l.loses("UPDATE answer SET print = NULL")
			l.reads(l.outputs(element+"een", "twee"))
			assert.Equal(t, 1, l.got("een"))
			assert.Equal(t, 1, l.got("twee"))
			l.reads(l.outputs("drie", element+"een", "twee"))
			assert.Equal(t, 1, l.got("een"), "its words were noted")
			assert.Equal(t, 1, l.got("drie"))
			assert.Zero(t, l.staffHeard("gewijzigd")+l.staffHeard("ingetrokken"))
		})
	}
}

func TestAnOutputThatWasNotPassedOnIsToldOnce(t *testing.T) {
	l := newListing(t)
	l.reads(l.outputs("uw nummer is 123456782"))
	l.reads(l.outputs("uw nummer is 123456782", "twee"))
	l.reads(l.outputs("twee"))
	assert.Equal(t, 1, strings.Count(l.heard(l.balie()), "De patiënt heeft het niet gekregen"))
	assert.Equal(t, 1, l.got("twee"))
	assert.Zero(t, l.staffHeard("ingetrokken"), "the patient never had it")
}

// What could not be passed on is not sent again, and keeps nothing else from being sent.
func TestAnOutputBeforeOneThatWasNotPassedOnIsSent(t *testing.T) {
	for name, bad := range map[string]struct {
		words   string
		problem his.Problem
	}{
		"for its words":     {"uw nummer is 123456782", ""},
		"for what it lacks": {"", his.ProblemNoAuthor},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListing(t)
			page := l.outputs(bad.words)
			page[0].Problem = bad.problem
			l.reads(page)
			page = l.outputs("nieuw", bad.words)
			page[1].Problem = bad.problem
			l.reads(page)
			assert.Equal(t, 1, l.got("nieuw"))
			assert.Equal(t, 1, strings.Count(l.heard(l.balie()), "De patiënt heeft het niet gekregen"))
			l.reads(l.outputs("nieuw", "nu wel goed"))
			assert.Equal(t, 1, l.got("nu wel goed"), "it is another, which nobody has")
			assert.Zero(t, l.staffHeard("gewijzigd")+l.staffHeard("ingetrokken"))
		})
	}
}

func TestAnOutputOfAConversationThatIsNotKnownIsToldOnce(t *testing.T) {
	l := newListing(t)
	page := l.outputs("een")
	page[0].Conversation = uuid.New()
	l.reads(page)
	l.reads(page)
	assert.Equal(t, 1, strings.Count(l.heard(l.balie()), "Dit gesprek kennen wij niet"))
	assert.Zero(t, l.got("een"))
}

// Two servers number their Tasks alike.
func TestAListIsOfOneServer(t *testing.T) {
	other := &talkingHIS{keepingHIS: keepingHIS{files: map[string][]byte{}}}
	w, h, consulting, _ := asking(t, func(s *Settings) { s.Practices[0].CRM = &System{Connector: other} })
	l := listing{w, h, consulting}
	l.reads(l.outputs("een"))
	w.loses("UPDATE answer SET lane = 'crm:linde'")
	all := l.outputs("een")
	all[0].ID = uuid.New()
	l.reads(all)
	assert.Equal(t, 2, l.got("een"))
}

// A GP who takes an answer back in the HIS has to know that the patient has it.
func TestStaffHearOnceThatAnAnswerWasTakenBack(t *testing.T) {
	l := newListing(t)
	a := l.gp("Neem twee tabletten")
	l.reads([]his.Answer{a})
	gone := his.Answer{ID: a.ID, Reference: a.Reference, Withdrawn: true}
	l.reads([]his.Answer{gone, {ID: uuid.New(), Reference: "Communication/8", Withdrawn: true}})
	assert.Equal(t, 1, l.staffHeard("ingetrokken"), "and not of what nobody was given")
	l.reads([]his.Answer{a})
	assert.Equal(t, 1, l.got("Neem twee tabletten"), "it is there again")
	assert.Zero(t, l.staffHeard("gewijzigd"))
	l.reads([]his.Answer{gone})
	assert.Equal(t, 2, l.staffHeard("ingetrokken"), "again")
	assert.Equal(t, []his.Delivery{his.DeliveryReceived, his.DeliveryDelivered}, l.his.told())

	refused := l.gp("kanarie")
	refused.Problem = his.ProblemUnreadable
	l.reads([]his.Answer{refused})
	l.reads([]his.Answer{{ID: refused.ID, Reference: refused.Reference, Withdrawn: true}})
	late := l.gp("Neem er drie")
	l.reads([]his.Answer{late})
	l.passes(trafficLog + time.Second)
	l.reads([]his.Answer{{ID: late.ID, Reference: late.Reference, Withdrawn: true}})
	assert.Equal(t, 2, l.staffHeard("ingetrokken"), "the patient has none of these")
	_, known, err := l.Store.Answer(t.Context(), late.ID.String())
	require.NoError(t, err)
	assert.True(t, known)
}
