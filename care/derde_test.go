package care

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAParentAsksAboutAChild(t *testing.T) {
	w := active(t).types("mijn dochter heeft koorts").stands(Active, AskWhom)
	assert.Equal(t, []Effect{{Do: Hold}, ask(AskWhom)}, w.last)
	w.types("iemand anders").stands(Active, AskDerdeName)
	w.types("Sofie Jansen").stands(Active, AskDerdeBirth)
	w.types("1 februari 2015").stands(Active, AskRelation)
	w.types("mijn dochter").stands(Active, AskGround)
	assert.Equal(t, 1, w.held, "what was asked is not held with the message")
	w.types("1").stands(Active, NoQuestion)
	assert.Equal(t, []Effect{record(DerdeData, true), {Do: Release}, say("conversation.received")}, w.last)
	require.Len(t, w.derden, 1)
	d := w.derden[0]
	assert.NotEmpty(t, d.ID)
	assert.Equal(t, Derde{
		ID: d.ID, Person: "p", Name: "Sofie Jansen", BirthDate: Date{2015, 2, 1}, Relation: "child", Ground: Parent, AttestedAt: noon,
	}, d)
	assert.Equal(t, d.ID, w.c.Conversation.Derde)
	assert.Equal(t, Open, w.c.Conversation.State)
	assert.Equal(t, Derde{}, w.c.Person.Draft, "nothing is kept twice")
	w.types("39 graden")
	assert.Equal(t, []Effect{{Do: Pass}}, w.last)
}

func TestWhoWasNamedBeforeIsNotAskedAboutAgain(t *testing.T) {
	w := asking(t, AskGround).types("2").stands(Active, NoQuestion)
	named := w.derden[0]
	require.NoError(t, w.closes())
	w.types("nog iets over Sofie").stands(Active, AskWhom)
	w.types("Sofie Jansen").stands(Active, NoQuestion)
	assert.Equal(t, named.ID, w.c.Conversation.Derde)
	assert.Equal(t, []Effect{{Do: Release}, say("conversation.received")}, w.last)
	assert.Len(t, w.derden, 1, "the attestation of before counts")

	require.NoError(t, w.closes())
	w.types("en nu over mij", "1").stands(Active, NoQuestion)
	assert.Empty(t, w.c.Conversation.Derde)

	require.NoError(t, w.closes())
	w.types("en over mijn moeder", "3").stands(Active, AskDerdeName)
	w.types("Truus Jansen", "1-1-1950", "mijn moeder", "2").stands(Active, NoQuestion)
	assert.Len(t, w.derden, 2)
}

func TestAParentOfSomeoneOfSixteenIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, born string
		refused    bool
	}{
		{"the day before the 16th birthday", "11-3-2010", false},
		{"on the 16th birthday", "10-3-2010", true},
		{"a grown-up", "1-1-1980", true},
		{"a newborn", "10-3-2026", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := asking(t, AskDerdeBirth).types(tt.born, "1", "1")
			if !tt.refused {
				w.stands(Active, NoQuestion)
				return
			}
			w.stands(Active, AskGround)
			assert.Equal(t, []Effect{say("derde.not_a_child"), ask(AskGround)}, w.last)
			assert.Empty(t, w.derden)
			w.copied(t).types("2").stands(Active, NoQuestion) // permission is another ground
			w.types("terug", "terug").stands(Active, AskDerdeBirth)
			w.types("1-2-2015", "1", "1").stands(Active, NoQuestion)
		})
	}
}

func TestWithoutAGroundNothingIsKept(t *testing.T) {
	w := asking(t, AskGround).sendsPhoto()
	require.Equal(t, 2, w.held)
	w.types("geen van beide").stands(Active, NoQuestion)
	assert.Equal(t, []Effect{record(DerdeData, false), say("derde.no_ground"), {Do: Drop}}, w.last)
	assert.Zero(t, w.held)
	assert.Equal(t, Derde{}, w.c.Person.Draft)
	assert.Empty(t, w.derden)
	w.types("dan iets over mij").stands(Active, AskWhom)
}

func TestAnAttestationEndsByItself(t *testing.T) {
	child := Derde{Ground: Parent, BirthDate: Date{2010, 3, 11}}
	for _, tt := range []struct {
		name string
		now  time.Time
		d    Derde
		want bool
	}{
		{"the day before the 16th birthday", noon, child, true},
		{"just before midnight", time.Date(2026, 3, 10, 23, 59, 59, 0, amsterdam), child, true},
		{"at midnight in Amsterdam", time.Date(2026, 3, 11, 0, 0, 0, 0, amsterdam), child, false},
		{"years later", noon.AddDate(9, 0, 0), child, false},
		{"permission does not end", noon.AddDate(9, 0, 0), Derde{Ground: Permission, BirthDate: Date{2010, 3, 11}}, true},
		{"permission that was ended", noon, Derde{Ground: Permission, EndedAt: noon.Add(-time.Hour)}, false},
		{"a parent whose attestation was ended", noon, Derde{Ground: Parent, BirthDate: Date{2015, 1, 1}, EndedAt: noon}, false},
		{"no ground", noon, Derde{BirthDate: Date{2015, 1, 1}}, false},
		{
			"born on 29 February, on 28 February", time.Date(2027, 2, 28, 12, 0, 0, 0, amsterdam),
			Derde{Ground: Parent, BirthDate: Date{2012, 2, 29}}, true,
		},
		{
			"born on 29 February, sixteen on 29 February", time.Date(2028, 2, 29, 0, 0, 0, 0, amsterdam),
			Derde{Ground: Parent, BirthDate: Date{2012, 2, 29}}, false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, tt.d.Valid(tt.now)) })
	}
}

func TestAnEndedAttestationCannotBeChosen(t *testing.T) {
	w := asking(t, AskGround).types("1")
	require.NoError(t, w.closes())
	w.now = time.Date(2031, 2, 1, 0, 0, 0, 0, amsterdam) // Sofie's 16th birthday
	w.types("over Sofie", "2").stands(Active, AskDerdeName)
	assert.Empty(t, w.env().Derden)

	w = asking(t, AskWhom)
	ended := Derde{ID: "d", Name: "Sofie", Ground: Permission, EndedAt: noon}
	after := Hear(w.c, Heard{Text: "2", Choice: 2}, Env{Now: noon, Derden: []Derde{ended}})
	assert.Equal(t, AskWhom, after.Person.Question, "also when it is still on the list")
	assert.False(t, did(after.Effects, Release))
}

func TestEveryRelationCanBeChosen(t *testing.T) {
	for i, relation := range Relations {
		w := asking(t, AskRelation).taps(i+1).stands(Active, AskGround)
		assert.Equal(t, relation, w.c.Person.Draft.Relation)
	}
	for _, n := range []int{0, -1, len(Relations) + 1} {
		w := asking(t, AskRelation).taps(n).stands(Active, AskRelation)
		assert.Empty(t, w.c.Person.Draft.Relation)
	}
}

func TestWhatIsWrittenMeanwhileWaits(t *testing.T) {
	w := active(t).types("hallo").sendsPhoto()
	assert.Equal(t, []Effect{{Do: Hold}}, w.last, "a photo after its text needs no answer from us")
	w.types("nog iets").stands(Active, AskWhom)
	assert.Equal(t, []Effect{{Do: Hold}, ask(AskWhom)}, w.last)
	assert.Equal(t, 3, w.held)
	w.types("1").stands(Active, NoQuestion)
	assert.Zero(t, w.held)

	for _, q := range []Question{AskDerdeName, AskDerdeBirth, AskRelation, AskGround} {
		w := asking(t, q).sendsPhoto().stands(Active, q)
		assert.Equal(t, []Effect{{Do: Hold}}, w.last, q)
		w.types("?!?").stands(Active, q)
		assert.Equal(t, []Effect{say("invalid." + string(q)), ask(q)}, w.last, q)
		w.taps(0).stands(Active, q)
		assert.Equal(t, []Effect{ask(q)}, w.last, q)
	}
}

func TestAConversationBelongsToItsPersonAndPractice(t *testing.T) {
	w := active(t).types("hallo")
	c := w.c.Conversation
	assert.Equal(t, Conversation{ID: w.c.Person.Current, Person: "p", Practice: "noord", Category: CareCategory, State: Asking, OpenedAt: noon}, c)
	w.now = noon.Add(time.Hour)
	w.types("1")
	assert.Equal(t, w.now, w.c.Conversation.OpenedAt, "it opens when staff can see it")
	require.NoError(t, w.closes())
	assert.Equal(t, Conversation{}, w.c.Conversation)
	assert.Empty(t, w.c.Person.Current)
	w.types("nog een vraag")
	assert.NotEqual(t, c.ID, w.c.Person.Current, "the next one is another")
}

func TestEverythingInAnOpenConversationPasses(t *testing.T) {
	for _, h := range []Heard{{Text: "hallo"}, {Text: "1", Choice: 1}, {Media: true}, {Media: true, Text: "knie"}, {Text: "?!?"}} {
		w := talking(t).hears(h).stands(Active, NoQuestion)
		assert.Equal(t, []Effect{{Do: Pass}}, w.last)
	}
}
