package care

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/texts"
)

// asks is which questions may be open in which state.
var asks = map[AccountState][]Question{
	New:       {NoQuestion},
	Informed:  {AskPersonal, AskHealth, AskAgain},
	Consented: {AskTerms},
	Registering: {
		AskFirstName, AskLastName, AskPhone, AskEmail, AskBirthDate, AskPractice, AskOptIn, AskSummary, AskCorrect,
	},
	Incomplete: {AskAgain},
	Awaiting:   {NoQuestion},
	Active:     {NoQuestion, AskWhom, AskDerdeName, AskDerdeBirth, AskRelation, AskGround},
	Withdrawn:  {AskAgain},
	Refused:    {NoQuestion},
	Declined:   {AskAgain},
}

// invariants checks what must hold after every turn, whatever came before.
func (w *world) invariants(before Case, h Heard, after Case) {
	w.checkConsent(before, h, after)
	w.checkHeld(before, after)
	w.checkSpeech(before, h, after)
	p := after.Person
	require.Contains(w.t, asks[p.State], p.Question, "%s asks %q", p.State, p.Question)
	require.Equal(w.t, p.Current != "", after.Conversation.State == Asking || after.Conversation.State == Open)
	require.Equal(w.t, p.Question.aboutDerde(), after.Conversation.State == Asking, "asked about nothing, or nothing asked")
	require.False(w.t, p.Correcting && !slices.Contains(correctable, p.Question), "correcting %q", p.Question)
	if p.State != Active { // the gate
		require.Equal(w.t, p.Question != NoQuestion && p.Question != AskAgain, p.MaySpeak())
	}
	if p.State == Awaiting || p.State == Active || p.State == Declined {
		require.True(w.t, p.Answers.Complete())
	}
	if p.State == Refused {
		require.Equal(w.t, Answers{Practice: p.Answers.Practice}, p.Answers)
		require.True(w.t, did(after.Effects, Forget) || before.Person.State == Refused)
	}
}

// checkConsent: nothing goes to staff or the HIS unless the account is active and both
// consents stand, and never a BSN; what may not be read is removed.
func (w *world) checkConsent(before Case, h Heard, after Case) {
	for _, e := range after.Effects {
		if e.Do == Record {
			w.consents[e.Purpose] = e.Yes
		}
	}
	if did(after.Effects, Pass) || did(after.Effects, Release) || did(after.Effects, Hold) {
		require.Equal(w.t, Active, before.Person.State)
		require.Equal(w.t, Active, after.Person.State)
		require.True(w.t, w.consents[PersonalData] && w.consents[HealthData] && w.consents[TermsOfUse] && w.consents[OptIn])
	}
	if h.Text == "" && !h.Media && !h.Tap {
		return
	}
	if ContainsBSN(h.Text) && !did(after.Effects, Remove) {
		require.Equal(w.t, AskPhone, before.Person.Question)
		require.NotEqual(w.t, before.Person.Answers.Phone, after.Person.Answers.Phone, "only a phone number may look like a BSN")
	}
	understood := h.Word != NoWord || before.Person.Question != after.Person.Question
	if !before.Person.State.consents() && !understood {
		require.True(w.t, did(after.Effects, Remove), "%s: what is no answer is removed", before.Person.State)
	}
	require.False(w.t, did(after.Effects, Remove) && (did(after.Effects, Hold) || did(after.Effects, Pass)))
}

// checkHeld: what is held is always given to staff or removed, and nothing else is.
func (w *world) checkHeld(before, after Case) {
	for _, e := range after.Effects {
		switch e.Do {
		case Hold:
			w.held++
		case Release, Drop:
			require.Positive(w.t, w.held, "%s of nothing", e.Do)
			w.held = 0
		case Pass:
			require.Equal(w.t, Open, before.Conversation.State)
			require.Zero(w.t, w.held, "a message passes those that wait")
		}
	}
	if after.Conversation.State != Asking {
		require.Zero(w.t, w.held, "held for ever")
	}
}

// checkSpeech: no turn is silent, every no has the phone number, and what is asked last is
// what is open.
func (w *world) checkSpeech(before Case, h Heard, after Case) {
	open := NoQuestion
	for _, e := range after.Effects {
		switch e.Do {
		case Ask:
			open = e.Question
		case Say, Forget, Tell, TellDesk:
			require.True(w.t, w.catalog.Has(e.Text), e.Text)
		case Record:
			require.True(w.t, e.Yes || w.saysPhone(after), "a no to %s without a way out", e.Purpose)
		}
	}
	if open != NoQuestion {
		require.Equal(w.t, after.Person.Question, open, "asked one thing and waits for another")
	}
	if did(after.Effects, Remove) || did(after.Effects, Drop) || did(after.Effects, Forget) {
		require.True(w.t, w.saysPhone(after), "something is refused without a way out")
	}
	if h.Text != "" || h.Tap || h.Media {
		require.NotEmpty(w.t, after.Effects, "%s: silence", in(before.Person.State, before.Person.Question))
	}
}

// saysPhone says whether one of the texts of a turn has the phone number.
func (w *world) saysPhone(c Case) bool {
	return slices.ContainsFunc(c.Effects, func(e Effect) bool {
		return (e.Do == Say || e.Do == Forget) && hasPhone(w.catalog, e.Text)
	})
}

func hasPhone(c *texts.Catalog, key string) bool {
	return strings.Contains(c.Text("nl", key, texts.Args{Phone: phoneNumber}), phoneNumber)
}
