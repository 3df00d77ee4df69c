package care

import (
	"fmt"
	"slices"
	"strings"
	"sync"

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
	Incomplete:  {AskAgain},
	Awaiting:    {NoQuestion},
	Active:      {NoQuestion, AskWhom, AskDerdeName, AskDerdeBirth, AskRelation, AskGround},
	Unconfirmed: {AskIdentityName, AskIdentityBirth, NoQuestion},
	Withdrawn:   {AskAgain},
	Refused:     {NoQuestion},
	Declined:    {AskAgain},
}

// must is an assertion that costs nothing when it holds: walks make hundreds of thousands.
func (w *world) must(holds bool, format string, args ...any) {
	if !holds {
		require.FailNow(w.t, fmt.Sprintf(format, args...))
	}
}

// invariants checks what must hold after every turn, whatever came before.
func (w *world) invariants(before Case, h Heard, after Case) {
	w.checkConsent(before, h, after)
	w.checkHeld(before, after)
	w.checkSpeech(before, h, after)
	p := after.Person
	w.must(slices.Contains(asks[p.State], p.Question), "%s asks %q", p.State, p.Question)
	talking := after.Conversation.State == Asking || after.Conversation.State == Open
	w.must((p.Current != "") == talking, "current %q, conversation %s", p.Current, after.Conversation.State)
	w.must(p.State == Unconfirmed || p.Question.aboutDerde() == (after.Conversation.State == Asking), "asks %q, conversation %s", p.Question, after.Conversation.State)
	w.must(!p.Correcting || slices.Contains(correctable, p.Question), "correcting %q", p.Question)
	if p.State != Active {
		w.must(p.MaySpeak() == (p.Question != NoQuestion && p.Question != AskAgain), "%s: the gate on %q", p.State, p.Question)
	}
	if p.State == Awaiting || p.State == Active || p.State == Declined {
		w.must(p.Answers.Complete(), "%s and not complete", p.State)
	}
	if p.State == Refused {
		w.must(p.Answers == Answers{Practice: p.Answers.Practice}, "answers of a child are kept")
		w.must(did(after.Effects, Forget) || before.Person.State == Refused, "a child is not forgotten")
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
	removed := did(after.Effects, Remove)
	if did(after.Effects, Pass) || did(after.Effects, Release) || did(after.Effects, Hold) {
		w.must(before.Person.State == Active && after.Person.State == Active, "passed while %s", after.Person.State)
		w.must(w.consents[PersonalData] && w.consents[HealthData] && w.consents[TermsOfUse] && w.consents[OptIn], "passed without consent")
		w.must(!removed, "passed and removed")
	}
	if h == (Heard{}) {
		return
	}
	if ContainsBSN(h.Text) && !removed {
		w.must(before.Person.Question == AskPhone && before.Person.Answers.Phone != after.Person.Answers.Phone,
			"a BSN stays, and it is no phone number: %q", h.Text)
	}
	understood := h.Word != NoWord || before.Person.Question != after.Person.Question
	w.must(before.Person.State.consents() || understood || removed, "%s: what is no answer stays", before.Person.State)
}

// checkHeld: what is held is always given to staff or removed, and nothing else is.
func (w *world) checkHeld(before, after Case) {
	for _, e := range after.Effects {
		switch e.Do {
		case Hold:
			w.held++
		case Release, Drop:
			w.held = 0
		case Pass:
			w.must(before.Conversation.State == Open && w.held == 0, "a message passes those that wait")
		}
	}
	w.must(after.Conversation.State == Asking || w.held == 0, "held for ever")
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
			w.must(catalog().Has(e.Text), "no text %s", e.Text)
		case Record:
			w.must(e.Yes || saysPhone(after), "a no to %s without a way out", e.Purpose)
		}
	}
	w.must(open == NoQuestion || open == after.Person.Question, "asks %q and waits for %q", open, after.Person.Question)
	if did(after.Effects, Remove) || did(after.Effects, Drop) || did(after.Effects, Forget) {
		w.must(saysPhone(after), "something is refused without a way out: %+v", after.Effects)
	}
	w.must(h == Heard{} || len(after.Effects) > 0, "%s: silence", in(before.Person.State, before.Person.Question))
}

// saysPhone says whether one of the texts of a turn has the phone number.
func saysPhone(c Case) bool {
	return slices.ContainsFunc(c.Effects, func(e Effect) bool { return withPhone()[e.Text] })
}

// phoneNumber is how a text shows that it has a way out.
const phoneNumber = "010 1234567"

// withPhone are the texts that patients get and that have the phone number, in both languages.
var withPhone = sync.OnceValue(func() map[string]bool {
	found := map[string]bool{}
	for _, key := range patientTexts {
		found[key] = hasPhone(key)
	}
	return found
})

func hasPhone(key string) bool {
	for _, lang := range []string{"nl", "en"} {
		if !strings.Contains(catalog().Text(lang, key, texts.Args{Phone: phoneNumber}), phoneNumber) {
			return false
		}
	}
	return true
}

// patientTexts is what rules say when something ends or is refused.
var patientTexts = []string{
	"consent.refused", "register.incomplete", "register.stopped", "account.declined", "account.too_young", "account.withdrawn",
	"account.closed", "account.still_awaiting", "not_yet.consent", "not_yet.media", "bsn.removed", "statement",
	"derde.no_ground", "derde.not_a_child", "derde.ended", "derde.someone_else", "question.old", "late.removed", "conversation.stopped", "conversation.closed", "help", "help.person", "help.stop",
}
