package care

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everywhere is a patient in each place that can be named, by its name.
func everywhere(t *testing.T) map[string]*world {
	all := map[string]*world{
		"awaiting": awaiting(t), "active": active(t), "talking": talking(t),
		"withdrawn":  active(t).types("intrekken"),
		"incomplete": at(t, AskTerms).types("nee"),
		"declined":   awaiting(t),
		"refused":    at(t, AskBirthDate).types("1-1-2015"),
	}
	require.NoError(t, all["declined"].decline())
	for _, q := range AllQuestions() {
		all["asked "+string(q)] = at(t, q)
	}
	return all
}

func TestHelpAndRepeatAskTheSameQuestionAgain(t *testing.T) {
	for name, w := range everywhere(t) {
		state, q := w.c.Person.State, w.c.Person.Question
		var asked []Effect
		if q != NoQuestion {
			asked = []Effect{ask(q)}
		}
		w.types("Help!").stands(state, q)
		assert.Equal(t, append([]Effect{say("help")}, asked...), w.last, name)
		if w.types("opnieuw").stands(state, q); q == NoQuestion {
			asked = []Effect{say("nothing_asked")}
		}
		assert.Equal(t, asked, w.last, name)
	}
}

func TestALanguageCanBeChosenAtAnyTime(t *testing.T) {
	for name, w := range everywhere(t) {
		state, q := w.c.Person.State, w.c.Person.Question
		w.types("english").stands(state, q)
		assert.Equal(t, "en", w.c.Person.Language, name)
		assert.True(t, w.said("language"), name)
		w.types("nederlands").stands(state, q)
		assert.Equal(t, "nl", w.c.Person.Language, name)
	}
}

func TestAnAnswerInTheOtherLanguageIsUnderstood(t *testing.T) {
	w := newWorld(t).arrives().types("english", "yes").stands(Informed, AskHealth)
	w.types("nederlands", "yes").stands(Consented, AskTerms)
}

// before is the question that "back" leads to.
var before = map[Question]Question{
	AskPersonal: AskPersonal, AskHealth: AskPersonal, AskTerms: AskTerms, AskFirstName: AskFirstName, AskLastName: AskFirstName,
	AskPhone: AskLastName, AskEmail: AskPhone, AskBirthDate: AskEmail, AskPractice: AskBirthDate, AskOptIn: AskPractice,
	AskSummary: AskOptIn, AskCorrect: AskSummary, AskAgain: AskAgain, AskWhom: AskWhom, AskDerdeName: AskWhom,
	AskDerdeBirth: AskDerdeName, AskRelation: AskDerdeBirth, AskGround: AskRelation, AskIdentityName: AskIdentityName, AskIdentityBirth: AskIdentityName,
}

func TestBackLeadsToTheQuestionBefore(t *testing.T) {
	require.Len(t, before, len(AllQuestions()))
	for q, want := range before {
		w := at(t, q)
		state := w.c.Person.State
		w.types("terug").stands(state, want)
		assert.Equal(t, []Effect{ask(want)}, w.last, q)
	}
	assert.True(t, active(t).types("back").said("nothing_asked"))
}

func TestGoingBackAndForthKeepsTheAnswers(t *testing.T) {
	w := registering(t, AskSummary)
	want := w.c.Person.Answers
	for range 8 {
		w.types("terug")
	}
	w.stands(Registering, AskFirstName)
	w.types("Jan-Willem", "van der Berg", "0612345678", "jan@example.org", "31-5-1980", "1", "ja").stands(Registering, AskSummary)
	assert.Equal(t, want, w.c.Person.Answers)
}

func TestStopLeavesWhatWasAsked(t *testing.T) {
	for _, q := range AllQuestions() {
		w := at(t, q)
		state := w.c.Person.State
		w.types("stop")
		switch {
		case q.aboutDerde():
			w.stands(Active, NoQuestion)
			assert.Equal(t, []Effect{{Do: Drop}, say("conversation.stopped")}, w.last, q)
			assert.Equal(t, Derde{}, w.c.Person.Draft, q)
			assert.Empty(t, w.c.Person.Current, q)
		case state == Unconfirmed:
			assert.Equal(t, []Effect{say("identity.changed"), ask(q)}, w.stands(state, q).last, q)
		case q == AskAgain:
			assert.Equal(t, []Effect{say("help.stop")}, w.stands(state, q).last)
		default:
			assert.Equal(t, []Effect{say("register.stopped"), ask(q)}, w.stands(state, q).last, q)
		}
	}
	for _, w := range []*world{awaiting(t), active(t), talking(t)} {
		talk := w.c.Conversation.State
		assert.Equal(t, []Effect{say("help.stop")}, w.types("stoppen").last)
		assert.Equal(t, talk, w.c.Conversation.State, "an open conversation goes on")
	}
}

func TestWithdrawingIsOneWordFromEveryState(t *testing.T) {
	for name, w := range everywhere(t) {
		from, talk := w.c.Person.State, w.c.Conversation.State
		w.types("intrekken")
		if !from.can(WithdrawStep) {
			assert.Equal(t, []Effect{say("account.closed")}, w.last, name)
			assert.Equal(t, from, w.c.Person.State, name)
			continue
		}
		w.stands(Withdrawn, AskAgain)
		assert.Subset(t, w.last, []Effect{record(PersonalData, false), record(HealthData, false), say("account.withdrawn")}, name)
		assert.Equal(t, talk == Asking, w.did(Drop), name)
		assert.Equal(t, talk == Open, w.did(TellDesk) && w.did(Shut), name)
		assert.Empty(t, w.c.Person.Current, name)
		w.types("ik heb hoofdpijn").stands(Withdrawn, AskAgain)
		assert.True(t, w.did(Remove), "%s: nothing new is kept", name)
		w.sendsPhoto().stands(Withdrawn, AskAgain)
		assert.True(t, w.did(Remove), name)
	}
}

func TestWithdrawingIsListedWhereConsentWasAsked(t *testing.T) {
	for _, s := range allStates {
		c := Case{Person: Person{State: s}}
		after := Hear(c, Heard{Text: "intrekken", Word: WordWithdraw}, Env{Now: noon})
		switch {
		case s == New:
			assert.Equal(t, Informed, after.Person.State, "who has not been asked is asked first")
		case s.can(WithdrawStep):
			assert.Equal(t, Withdrawn, after.Person.State, s)
			assert.Equal(t, noon, after.Person.ChangedAt, s)
		default:
			assert.Equal(t, s, after.Person.State)
			assert.True(t, said(after.Effects, "account.closed"), s)
		}
	}
}

func TestBeforeConsentWhatIsNoAnswerIsRemoved(t *testing.T) {
	for _, q := range []Question{AskPersonal, AskHealth, AskAgain} {
		w := at(t, q)
		for _, line := range []string{"ik heb buikpijn", "misschien", "ja maar", "3", "ja?", strings.Repeat("au ", 20000)} {
			w.types(line).stands(Informed, q)
			require.Equal(t, []Effect{{Do: Remove}, say("not_yet.consent")}, w.last[:2], "%.20q", line)
		}
		w.sendsPhoto().stands(Informed, q)
		assert.Equal(t, []Effect{{Do: Remove}, say("not_yet.media"), ask(q)}, w.last)
		w.taps(3).stands(Informed, q)
		assert.True(t, w.did(Remove))
	}
}

func TestWhoWritesBeforeTheStatementGetsIt(t *testing.T) {
	for _, h := range []Heard{{Text: "hallo"}, {Media: true}, {Text: "help", Word: WordHelp}, {Text: "1", Choice: 1}} {
		w := newWorld(t).hears(h).stands(Informed, AskPersonal)
		assert.Equal(t, []Effect{{Do: Remove}, say("statement"), ask(AskPersonal)}, w.last)
	}
}

func TestMediaIsNoAnswer(t *testing.T) {
	for _, q := range AllQuestions() {
		if q.aboutDerde() {
			continue
		}
		w := at(t, q)
		was := w.c.Person
		w.hears(Heard{Media: true, Text: "1", Choice: 1})
		assert.Equal(t, was, w.c.Person, q)
		assert.Equal(t, []Effect{{Do: Remove}, say("not_yet.media"), ask(q)}, w.last, q)
	}
}

func TestAfterTwoMisunderstandingsAPersonTakesOver(t *testing.T) {
	for _, q := range AllQuestions() {
		w := at(t, q)
		state := w.c.Person.State
		for miss := 1; miss <= 5; miss++ {
			w.hears(Heard{Text: "?!?"}).stands(state, q)
			assert.Equal(t, miss == manyMisses, w.said("help.person"), "%s, %d", q, miss)
			assert.Equal(t, miss == manyMisses, slices.Contains(w.last, tell("beheer.needs_help")), "%s, %d", q, miss)
			assert.Equal(t, ask(q), w.last[len(w.last)-1], "the question stays open")
		}
	}
	w := registering(t, AskPhone).types("nul", "020-1234567").stands(Registering, AskEmail)
	assert.Zero(t, w.c.Person.Misses, "who is understood begins anew")
}

func TestWhoComesBackIsAskedWhatWasOpen(t *testing.T) {
	for name, w := range everywhere(t) {
		was := w.c.Person
		w.arrives()
		assert.Empty(t, w.last, "%s: who is inside has a new name", name)
		w.settle(w.c, Heard{}, Leave(w.c, w.env()))
		w.arrives()
		assert.Equal(t, was, w.c.Person, name)
		if was.Question == NoQuestion {
			assert.Empty(t, w.last, name)
		} else {
			assert.Equal(t, []Effect{ask(was.Question)}, w.last, name)
		}
	}
}

func TestWhoseAccountIsNotActiveIsToldSo(t *testing.T) {
	for _, s := range allStates {
		for _, h := range []Heard{{Text: "hallo"}, {Media: true}, {Tap: true, Choice: 1}} {
			after := Hear(Case{Person: Person{State: s}}, h, Env{Now: noon, NewID: "c"})
			switch s {
			case New, Active:
			case Awaiting:
				assert.Equal(t, []Effect{say("account.still_awaiting")}, after.Effects)
			case Unconfirmed:
				assert.Equal(t, []Effect{say("identity.still_awaiting")}, after.Effects)
			default:
				assert.Contains(t, after.Effects, say("account.closed"), s)
				assert.Equal(t, !s.consents(), did(after.Effects, Remove), s)
			}
		}
	}
}

func TestTheGateOpensOnlyForWhoIsActiveOrIsAskedToType(t *testing.T) {
	for _, s := range allStates {
		for _, q := range append(AllQuestions(), NoQuestion) {
			p := Person{State: s, Question: q}
			want := s == Active || q != NoQuestion && q != AskAgain && !q.aboutDerde()
			assert.Equal(t, want, p.MaySpeak(), in(s, q))
		}
	}
}

func TestAQuestionAboutAConversationEndsWithTheAccount(t *testing.T) {
	for _, s := range []AccountState{Restricted, Suspended, Deregistered} {
		for _, q := range []Question{AskWhom, AskDerdeName, AskDerdeBirth, AskRelation, AskGround} {
			c := asking(t, q).c
			c.Person.State = s
			for _, h := range []Heard{{Text: "1", Choice: 1}, {Text: "Jan"}, {Tap: true, Choice: 2}, {Media: true}} {
				after := Hear(c, h, Env{Now: noon, DerdeID: "d"})
				assert.True(t, said(after.Effects, "account.closed"), in(s, q))
				assert.False(t, did(after.Effects, Release) || did(after.Effects, Hold), in(s, q))
			}
		}
	}
}

func TestABSNBesideAPhoneNumberIsFound(t *testing.T) {
	c := Case{Person: Person{State: Registering, Question: AskPhone}}
	heard := Heard{Text: "0612345678"}
	assert.NotContains(t, Hear(c, heard, Env{}).Effects, Effect{Do: Remove})
	heard.Also = "123456782"
	assert.Contains(t, Hear(c, heard, Env{}).Effects, Effect{Do: Remove})
}
