package care

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSomeoneRegisters(t *testing.T) {
	w := newWorld(t)
	w.arrives().stands(Informed, AskPersonal)
	assert.Equal(t, []Effect{say("statement"), ask(AskPersonal)}, w.last, "the statement comes before anything else")
	w.types("ja").stands(Informed, AskHealth)
	assert.Equal(t, []Effect{record(PersonalData, true), ask(AskHealth)}, w.last)
	w.types("1").stands(Consented, AskTerms)
	assert.Equal(t, []Effect{record(HealthData, true), ask(AskTerms)}, w.last)
	w.taps(1).stands(Registering, AskFirstName)
	assert.Equal(t, []Effect{record(TermsOfUse, true), say("register.start"), ask(AskFirstName)}, w.last)
	w.types("Jan-Willem").stands(Registering, AskLastName)
	assert.Equal(t, []Effect{say("echo.first_name"), ask(AskLastName)}, w.last)
	w.types("van der  Berg").stands(Registering, AskPhone)
	w.types("06 12345678").stands(Registering, AskEmail)
	w.types("jan@example.org").stands(Registering, AskBirthDate)
	w.types("31 mei 1980").stands(Registering, AskPractice)
	w.types("1011 ab").stands(Registering, AskOptIn)
	w.types("ja graag").stands(Registering, AskSummary)
	assert.Equal(t, []Effect{record(OptIn, true), ask(AskSummary)}, w.last)
	w.types("Ja, dit klopt.").stands(Awaiting, NoQuestion)
	assert.Equal(t, []Effect{say("account.awaiting"), tell("beheer.new_account")}, w.last)
	assert.Equal(t, Answers{
		FirstName: "Jan-Willem", LastName: "van der Berg", Phone: "+31612345678", Email: "jan@example.org",
		BirthDate: Date{1980, 5, 31}, Practice: "noord", OptIn: true,
	}, w.c.Person.Answers)
	assert.Equal(t, noon, w.c.Person.ChangedAt)
	require.NoError(t, w.approve())
	w.stands(Active, NoQuestion)
	assert.True(t, w.c.Person.MaySpeak())
}

func TestEveryNoEndsWithAWayToPhone(t *testing.T) {
	for _, tt := range []struct {
		question Question
		state    AccountState
		says     string
		purpose  Purpose
	}{
		{AskPersonal, Informed, "consent.refused", PersonalData},
		{AskHealth, Informed, "consent.refused", HealthData},
		{AskTerms, Incomplete, "register.incomplete", TermsOfUse},
		{AskOptIn, Incomplete, "register.incomplete", OptIn},
	} {
		t.Run(string(tt.question), func(t *testing.T) {
			w := at(t, tt.question).types("nee").stands(tt.state, AskAgain)
			assert.Equal(t, []Effect{record(tt.purpose, false), say(tt.says), ask(AskAgain)}, w.last)
			assert.False(t, w.c.Person.MaySpeak(), "a tap is enough to begin again")
			w.types("ik heb hoofdpijn").stands(tt.state, AskAgain)
			assert.Equal(t, tt.state == Informed, w.did(Remove))
			w.taps(1).stands(Informed, AskPersonal)
			assert.Equal(t, []Effect{say("statement"), ask(AskPersonal)}, w.last, "everything is asked anew")
		})
	}
}

func TestEveryTextThatEndsSomethingHasThePhoneNumber(t *testing.T) {
	for key, has := range withPhone() {
		assert.True(t, has, key)
	}
}

func TestWhatCanBeAName(t *testing.T) {
	for typed, want := range map[string]string{
		"Jan": "Jan", "jan": "jan", "Jan-Willem": "Jan-Willem", "O’Neil": "O’Neil", "O'Neil": "O'Neil", "van der Berg": "van der Berg",
		"  van   der\tBerg ": "van der Berg", "'t Hart": "'t Hart", "Müller": "Müller", "İpek": "İpek", "Şahin": "Şahin", "Nuñez": "Nuñez",
		"李": "李", "李小龍": "李小龍", "العربية": "العربية", "Ελένη": "Ελένη", "Наталья": "Наталья", "नरेंद्र": "नरेंद्र", "אברהם": "אברהם",
		"J.": "J.", "J. P.": "J. P.", "Jansen (de Vries)": "Jansen (de Vries)", "X": "X", "A\u0308nne": "A\u0308nne",
		strings.Repeat("n", maxAnswer): strings.Repeat("n", maxAnswer),
	} {
		var got string
		assert.True(t, takeName(&got, typed), "%q", typed)
		assert.Equal(t, want, got)
	}
}

// noNames are refused, and nothing of them is kept.
var noNames = []string{
	"", " ", "\n", "Jan2", "1", "R2D2", "٣", "Jan 😀", "👍", "❤️", "Jan\x00", "Jan\x1b[31m", "Jan\u200bWillem", "\u200b", "\u202enaJ", "Jan\ufeff",
	"-", "...", "''", "()", "\u0301", "<b>Jan</b>", "Jan;", "Jan, Piet", "jan@example.org", "{{.Phone}}", "$HOME", "Jan/Piet", "Jan\\", "a=b",
	"\xff\xfe", strings.Repeat("n", maxAnswer+1), strings.Repeat("李", maxAnswer+1), strings.Repeat("a ", 32<<10), strings.Repeat("\u0301", 64<<10),
}

func TestWhatCannotBeAName(t *testing.T) {
	for _, typed := range noNames {
		got := "as it was"
		assert.False(t, takeName(&got, typed), "%.40q", typed)
		assert.Equal(t, "as it was", got)
	}
	for _, q := range []Question{AskFirstName, AskLastName, AskDerdeName} {
		w := at(t, q)
		state := w.c.Person.State
		for _, typed := range []string{"Jan2", "👍", "\u202enaJ", strings.Repeat("a ", 32<<10)} {
			w.types(typed).stands(state, q)
			assert.True(t, w.said("invalid."+string(q)))
		}
	}
}

func TestPhoneNumbersAreStoredInOneForm(t *testing.T) {
	for typed, want := range map[string]string{
		"0612345678": "+31612345678", "06-12345678": "+31612345678", "06 12 34 56 78": "+31612345678", "+31612345678": "+31612345678",
		"0031612345678": "+31612345678", "+31 (0)6 12345678": "+31612345678", "(020) 123 4567": "+31201234567", "020-1234567": "+31201234567",
		"010 4123456": "+31104123456", "+32 470 12 34 56": "+32470123456", "+49 151 23456789": "+4915123456789", "０６１２３４５６７８": "+31612345678",
		"mijn nummer is 0612345678": "+31612345678", "0612345678.": "+31612345678",
	} {
		var a Answers
		assert.True(t, takePhone(&a, typed), "%q", typed)
		assert.Equal(t, want, a.Phone, "%q", typed)
	}
	for _, typed := range []string{
		"", "112", "144", "0900-8844", "0800 1234", "06123", "061234567890123", "+", "+31", "nul zes", "Jan", "👍", "06\x0012345678x", "+999 12345678",
		"1011 AB", "31-5-1980", strings.Repeat("0", 64<<10), strings.Repeat("+", 64<<10), strings.Repeat(" ", 200) + "0612345678",
	} {
		a := Answers{Phone: "as it was"}
		assert.False(t, takePhone(&a, typed), "%.40q", typed)
		assert.Equal(t, "as it was", a.Phone)
	}
}

func TestWhatCanBeAnEmailAddress(t *testing.T) {
	for _, typed := range []string{
		"jan@example.org", "JAN@Example.ORG", "jan.de.vries+huisarts@mail.example.co.uk", "j@x.nl", "o'neil@example.org", "jürgen@bücher.example", " jan@example.org ",
	} {
		var a Answers
		assert.True(t, takeEmail(&a, typed), "%q", typed)
		assert.Equal(t, strings.TrimSpace(typed), a.Email)
	}
	for _, typed := range []string{
		"", "jan", "jan@", "@example.org", "jan@example", "jan@example.", "jan@example..org", "jan@@example.org", "jan example@org.nl",
		"Jan <jan@example.org>", "jan@example.org, piet@example.org", "jan@example.org\nBcc: piet@example.org", "jan(a)@example.org", "<jan@example.org>",
		"jan@example.org\x00", "mailto:jan@example.org", "👍", strings.Repeat("a", 300) + "@example.org", strings.Repeat("a@b.", 16<<10), "jan@exa mple.org",
	} {
		a := Answers{Email: "as it was"}
		assert.False(t, takeEmail(&a, typed), "%.40q", typed)
		assert.Equal(t, "as it was", a.Email)
	}
}

func TestAPracticeIsFoundByNumberNameAndPostcode(t *testing.T) {
	for typed, want := range map[string]string{
		"1": "noord", "2.": "zuid", "optie 2": "zuid", "Praktijk Zuid": "zuid", "praktijk noord": "noord",
		"1011 AB": "noord", "1011ab": "noord", "1011": "noord", " 1 0 1 1 z z ": "noord", "1012 AB": "noord", "1012ab": "noord", "1012 AC": "zuid", "1012": "zuid",
	} {
		w := at(t, AskPractice).types(typed).stands(Registering, AskOptIn)
		assert.Equal(t, want, w.c.Person.Answers.Practice, typed)
		assert.True(t, w.said("echo.practice"))
	}
	for _, typed := range []string{
		"9999", "9999 ZZ", "3", "0", "10", "101", "10111", "1011 A", "1011 ABC", "Praktijk", "Noord", "weet ik niet", "１０１１", "éé", "1011\u200b",
		strings.Repeat("1011", 16<<10),
	} {
		w := at(t, AskPractice).types(typed)
		w.stands(Registering, AskPractice)
		assert.Empty(t, w.c.Person.Answers.Practice, "%.40q", typed)
	}
	w := at(t, AskPractice)
	for n := 3; n < 6; n++ {
		w.taps(n).stands(Registering, AskPractice)
	}
}

func TestEveryAnswerCanBeCorrectedFromTheSummary(t *testing.T) {
	for i, tt := range []struct {
		question Question
		wrong    string
		right    string
		want     func(*Answers)
	}{
		{AskFirstName, "4", "Piet", func(a *Answers) { a.FirstName = "Piet" }},
		{AskLastName, "??", "O’Neil", func(a *Answers) { a.LastName = "O’Neil" }},
		{AskPhone, "112", "020-1234567", func(a *Answers) { a.Phone = "+31201234567" }},
		{AskEmail, "piet", "piet@example.org", func(a *Answers) { a.Email = "piet@example.org" }},
		{AskBirthDate, "gisteren", "1-1-1990", func(a *Answers) { a.BirthDate = Date{1990, 1, 1} }},
		{AskPractice, "9999", "1012", func(a *Answers) { a.Practice = "zuid" }},
	} {
		t.Run(string(tt.question), func(t *testing.T) {
			w := registering(t, AskSummary)
			want := w.c.Person.Answers
			tt.want(&want)
			w.types("nee").stands(Registering, AskCorrect).taps(i+1).stands(Registering, tt.question)
			w.types(tt.wrong).stands(Registering, tt.question)
			w.types(tt.right).stands(Registering, AskSummary)
			assert.Equal(t, want, w.c.Person.Answers, "this answer changed and no other")
			assert.Equal(t, []Effect{say("echo." + string(tt.question)), ask(AskSummary)}, w.last)

			w.types("2").taps(i+1).types("terug").stands(Registering, AskCorrect)
			w.types("terug").stands(Registering, AskSummary)
			assert.Equal(t, want, w.c.Person.Answers, "going back changes nothing")
			w.types("ja").stands(Awaiting, NoQuestion)
		})
	}
	w := registering(t, AskSummary).types("2", "9").stands(Registering, AskCorrect)
	assert.True(t, w.said("invalid.correct"))
}

func TestWhoWasHereBeforeConfirmsTheSummaryOnly(t *testing.T) {
	w := active(t).types("intrekken").stands(Withdrawn, AskAgain).taps(1)
	w.types("ja", "ja").stands(Consented, AskTerms).types("ja").stands(Registering, AskSummary)
	w.types("ja").stands(Awaiting, NoQuestion)
	assert.True(t, w.did(Tell), "staff decide again")
}

func TestASummaryThatIsNotCompleteIsNotAccepted(t *testing.T) {
	full := registering(t, AskSummary).c
	for name, leave := range map[string]func(*Answers){
		"first name": func(a *Answers) { a.FirstName = "" }, "last name": func(a *Answers) { a.LastName = "" },
		"phone": func(a *Answers) { a.Phone = "" }, "e-mail": func(a *Answers) { a.Email = "" },
		"birth date": func(a *Answers) { a.BirthDate = Date{} }, "practice": func(a *Answers) { a.Practice = "" },
		"opt-in": func(a *Answers) { a.OptIn = false },
	} {
		c := full
		leave(&c.Person.Answers)
		assert.False(t, c.Person.Answers.Complete(), name)
		after := Hear(c, Heard{Text: "1", Choice: 1}, Env{Now: noon})
		assert.Equal(t, Registering, after.Person.State, name)
		assert.True(t, said(after.Effects, "invalid.summary"), name)
	}
}

func TestStaffSeeOneName(t *testing.T) {
	assert.Equal(t, "Jan de Vries", Answers{FirstName: "Jan", LastName: "de Vries"}.Name())
	assert.Equal(t, "Jan", Answers{FirstName: "Jan"}.Name())
	assert.Equal(t, "de Vries", Answers{LastName: "de Vries"}.Name())
	assert.Empty(t, Answers{}.Name())
}
