package care

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// maxAnswer bounds a typed answer, in characters; names are never longer.
const maxAnswer = 100

// region is where a phone number without a country code is from.
const region = "NL"

// correctable are the answers that can be changed from the summary, in its order.
var correctable = []Question{AskFirstName, AskLastName, AskPhone, AskEmail, AskBirthDate, AskPractice}

func acceptPersonal(c *Case, h Heard, _ Env) bool {
	return consent(c, h, PersonalData, func() { c.ask(AskHealth) })
}

func acceptHealth(c *Case, h Heard, env Env) bool {
	return consent(c, h, HealthData, func() {
		c.move(GiveConsent, env)
		c.ask(AskTerms)
	})
}

// consent records the answer to one purpose. A no ends it with the phone number: the
// service cannot be used without, and nobody is pressed (requirement A3).
func consent(c *Case, h Heard, purpose Purpose, yes func()) bool {
	switch h.Choice {
	case 1:
		c.do(record(purpose, true))
		yes()
	case 2:
		c.do(record(purpose, false), say("consent.refused"))
		c.ask(AskAgain)
	default:
		return false
	}
	return true
}

func acceptTerms(c *Case, h Heard, env Env) bool {
	switch h.Choice {
	case 1:
		c.move(AgreeTerms, env)
		c.do(record(TermsOfUse, true))
		if c.Person.Answers.Complete() { // they were here before
			c.ask(AskSummary)
		} else {
			c.do(say("register.start"))
			c.ask(AskFirstName)
		}
	case 2:
		c.do(record(TermsOfUse, false))
		refuseRequired(c, env)
	default:
		return false
	}
	return true
}

// refuseRequired ends the dialogue: the account stays incomplete and nothing is passed on.
func refuseRequired(c *Case, env Env) {
	c.move(RefuseAsked, env)
	c.do(say("register.incomplete"))
	c.ask(AskAgain)
}

// typed makes the rule of a question with a typed answer: take it, echo it, go on.
func typed(take func(a *Answers, text string) bool, next Question) func(*Case, Heard, Env) bool {
	return func(c *Case, h Heard, _ Env) bool {
		if !take(&c.Person.Answers, h.Text) {
			return false
		}
		proceed(c, next)
		return true
	}
}

// proceed echoes the answer just taken and asks what comes next: the following
// question, or the summary again when one answer was being corrected.
func proceed(c *Case, next Question) {
	c.do(say("echo." + string(c.Person.Question)))
	if c.Person.Correcting {
		c.Person.Correcting, next = false, AskSummary
	}
	c.ask(next)
}

func takeFirstName(a *Answers, text string) bool { return takeName(&a.FirstName, text) }
func takeLastName(a *Answers, text string) bool  { return takeName(&a.LastName, text) }

// takeName accepts what can be a name in any script: a letter at least, no digits, no
// control characters.
func takeName(into *string, text string) bool {
	text = strings.Join(strings.Fields(text), " ")
	letters := 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
		} else if !unicode.IsMark(r) && !strings.ContainsRune(" '’‘`´-‐.()\u200c\u200d", r) {
			return false
		}
	}
	if letters == 0 || utf8.RuneCountInString(text) > maxAnswer {
		return false
	}
	*into = text
	return true
}

// takePhone reads a number in digits. Letters within it stand for digits to the library
// (0800-KERMIT); a BSN could hide beside them.
func takePhone(a *Answers, text string) bool {
	from := strings.IndexFunc(text, unicode.IsDigit)
	if utf8.RuneCountInString(text) > maxAnswer || from >= 0 && strings.ContainsFunc(text[from:], unicode.IsLetter) {
		return false
	}
	number, err := phonenumbers.Parse(text, region)
	if err != nil || !phonenumbers.IsValidNumber(number) || number.GetExtension() != "" {
		return false // behind "ext" anything can hide, such as a BSN
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE, phonenumbers.FIXED_LINE_OR_MOBILE:
		a.Phone = phonenumbers.Format(number, phonenumbers.E164)
		return true
	}
	return false
}

func takeEmail(a *Answers, text string) bool {
	text = strings.TrimSpace(text)
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || len(text) > 2*maxAnswer {
		return false
	}
	_, domain, _ := strings.Cut(text, "@")
	if !strings.Contains(domain, ".") || strings.HasSuffix(domain, ".") {
		return false
	}
	a.Email = text
	return true
}

func acceptBirthDate(c *Case, h Heard, env Env) bool {
	born, err := ParseDate(h.Text)
	if err != nil || !born.plausible(env.today()) {
		return false
	}
	if born.Age(env.today()) < AdultForCare {
		c.move(TooYoung, env)
		c.Person.Answers = Answers{Practice: c.Person.Answers.Practice}
		c.Person.Question, c.Person.Correcting = NoQuestion, false
		c.do(Effect{Do: Forget, Text: "account.too_young"})
		return true
	}
	c.Person.Answers.BirthDate = born
	proceed(c, AskPractice)
	return true
}

func acceptPractice(c *Case, h Heard, env Env) bool {
	id := ""
	if h.Choice >= 1 && h.Choice <= len(env.Practices) {
		id = env.Practices[h.Choice-1].ID
	} else if found, ok := practiceAt(env.Practices, h.Text); ok {
		id = found.ID
	} else {
		return false
	}
	c.Person.Answers.Practice = id
	proceed(c, AskOptIn)
	return true
}

// practiceAt finds the practice whose area a postcode is in; six characters win over four.
func practiceAt(practices []Practice, text string) (Practice, bool) {
	code := strings.ToUpper(strings.Join(strings.Fields(text), ""))
	if len(code) != 4 && len(code) != 6 {
		return Practice{}, false
	}
	for _, length := range []int{len(code), 4} {
		for _, p := range practices {
			for _, area := range p.Postcodes {
				if strings.ReplaceAll(strings.ToUpper(area), " ", "") == code[:length] {
					return p, true
				}
			}
		}
	}
	return Practice{}, false
}

func acceptOptIn(c *Case, h Heard, env Env) bool {
	switch h.Choice {
	case 1:
		c.Person.Answers.OptIn = true
		c.do(record(OptIn, true))
		c.ask(AskSummary)
	case 2:
		c.Person.Answers.OptIn = false
		c.do(record(OptIn, false))
		refuseRequired(c, env)
	default:
		return false
	}
	return true
}

func acceptSummary(c *Case, h Heard, env Env) bool {
	switch h.Choice {
	case 1:
		if !c.Person.Answers.Complete() {
			return false
		}
		c.move(Complete, env)
		c.Person.Question = NoQuestion
		c.do(say("account.awaiting"), tell("beheer.new_account"))
	case 2:
		c.ask(AskCorrect)
	default:
		return false
	}
	return true
}

func acceptCorrect(c *Case, h Heard, _ Env) bool {
	if h.Choice < 1 || h.Choice > len(correctable) {
		return false
	}
	c.Person.Correcting = true
	c.ask(correctable[h.Choice-1])
	return true
}

// acceptAgain starts over after a no, a withdrawal or a refusal by staff.
func acceptAgain(c *Case, h Heard, env Env) bool {
	if h.Choice != 1 || !c.Person.State.can(BeginAgain) {
		return false
	}
	c.move(BeginAgain, env)
	c.do(say("statement"))
	c.ask(AskPersonal)
	return true
}
