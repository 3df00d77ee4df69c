package care

import (
	"strings"
	"time"
)

// A Word is something a patient can always type.
type Word string

// The words that always work (TEXTS.md); their spellings are in package texts.
const (
	NoWord       Word = ""
	WordWithdraw Word = "withdraw"
	WordHelp     Word = "help"
	WordBack     Word = "back"
	WordRepeat   Word = "repeat"
	WordStop     Word = "stop"
	WordDutch    Word = "dutch"
	WordEnglish  Word = "english"
	WordRecord   Word = "record"
)

// Heard is what a patient did in the consulting room, as the bridge understood it.
type Heard struct {
	Text   string // what was typed, trimmed; "" for media and taps
	Also   string // what the same message says elsewhere, where that differs, in lines: formatted, as a file's name
	Media  bool   // a photo, file, voice message, location …
	Tap    bool   // a reaction on the open question
	Word   Word   // one of the words that always work
	Choice int    // the option of the open question that was meant; 0 = none

	Waited bool      // it, or its key, or that of a message before it, had to be waited for
	Missed bool      // for so long that both sides had been told that it is missing
	SentAt time.Time // when Waited
}

// manyMisses is after how many misunderstandings a person takes over.
const manyMisses = 2

// Arrive is what happens when the person joins the consulting room: a new one is
// informed and asked, one who comes back is asked again what was open, and who is inside hears nothing.
func Arrive(c Case, env Env) Case {
	if c.Person.Inside() {
		return c
	}
	c.Person.Left = false
	switch {
	case c.Person.State == New:
		c.move(Inform, env)
		c.do(say("statement"))
		c.ask(AskPersonal)
	case c.Person.Question != NoQuestion:
		c.do(ask(c.Person.Question))
	}
	return c
}

// Leave is what happens when the person leaves the consulting room: staff must not go on writing
// to someone who does not read it, and nobody is reminded who is not there.
func Leave(c Case, _ Env) Case {
	c.Person.Left = true
	if c.Conversation.State == Open {
		c.do(tellDesk("desk.left"))
	}
	return c
}

// OldTap is a tap on a question that is not open any more.
func OldTap(c Case, _ Env) Case {
	c.do(say("question.old"))
	c.repeat()
	return c
}

// Hear is the one place where something a patient does in the consulting room leads to
// something: same input, same answer.
func Hear(c Case, h Heard, env Env) Case {
	if !h.Waited { // who speaks is there
		c.Person.Left = false
	}
	switch {
	case hasBSN(c, h):
		c.do(Effect{Do: Remove}, say("bsn.removed"))
		c.repeat()
	case c.Person.State == New: // spoke before the statement came
		c.do(Effect{Do: Remove})
		return Arrive(c, env)
	case h.Waited && hearLate(&c, h, env):
	case h.Word != NoWord:
		words[h.Word](&c, env)
	case c.Person.State == Active:
		converse(&c, h, env)
	case c.Person.Question == NoQuestion, c.Person.Question.aboutDerde(): // asked while still active
		if !c.Person.State.consents() {
			c.do(Effect{Do: Remove})
		}
		c.do(say(silent(c.Person.State)))
	case h.Media:
		c.do(Effect{Do: Remove}, say("not_yet.media"))
		c.repeat()
	default:
		answer(&c, h, env)
	}
	return c
}

// hasBSN applies the 11-test to what was typed. The digits of a phone number may pass it
// by chance; only what is written as one, with a 0 or a + in front, is taken for one.
func hasBSN(c Case, h Heard) bool {
	var a Answers
	if ContainsBSN(h.Also) {
		return true
	}
	if c.Person.Question == AskPhone && !h.Media && startsAsPhone(h.Text) && takePhone(&a, h.Text) {
		return false
	}
	return ContainsBSN(h.Text)
}

func startsAsPhone(text string) bool {
	text = strings.TrimLeft(text, " (")
	return strings.HasPrefix(text, "0") || strings.HasPrefix(text, "+")
}

// silent is what the bot says to someone whose account may not speak and who was not
// asked anything.
func silent(s AccountState) string {
	switch s {
	case Awaiting:
		return "account.still_awaiting"
	case Unconfirmed:
		return "identity.still_awaiting"
	}
	return "account.closed"
}

// repeat puts the open question once more, if there is one.
func (c *Case) repeat() {
	if c.Person.Question != NoQuestion {
		c.do(ask(c.Person.Question))
	}
}

// answer tries what was heard as an answer to the open question.
func answer(c *Case, h Heard, env Env) {
	if questions[c.Person.Question].accept(c, h, env) {
		return
	}
	misunderstood(c)
}

// misunderstood says so and asks again. While no consent stands what was typed is removed,
// since it may be about health (requirement A7). After two misses a person takes over.
func misunderstood(c *Case) {
	c.Person.Misses++
	if !c.Person.State.consents() {
		c.do(Effect{Do: Remove}, say("not_yet.consent"))
	} else {
		c.do(say("invalid." + string(c.Person.Question)))
	}
	if c.Person.Misses == manyMisses {
		c.do(say("help.person"), tell("beheer.needs_help"))
	}
	c.do(ask(c.Person.Question))
}

// words is what each word does.
var words = map[Word]func(c *Case, env Env){
	WordWithdraw: withdraw,
	WordHelp:     func(c *Case, _ Env) { c.do(say("help")); c.repeat() },
	WordBack:     back,
	WordRepeat:   func(c *Case, _ Env) { again(c) },
	WordStop:     stop,
	WordDutch:    func(c *Case, _ Env) { speak(c, "nl") },
	WordEnglish:  func(c *Case, _ Env) { speak(c, "en") },
	WordRecord:   func(c *Case, _ Env) { c.do(say("record.status")); c.repeat() },
}

func speak(c *Case, language string) {
	c.Person.Language = language
	c.do(say("language"))
	c.repeat()
}

// again repeats the open question, or says that there is none.
func again(c *Case) {
	if c.Person.Question == NoQuestion {
		c.do(say("nothing_asked"))
		return
	}
	c.repeat()
}

// back goes to the question before the open one; of a correction that is what to correct.
func back(c *Case, _ Env) {
	before := questions[c.Person.Question].back
	if c.Person.Correcting {
		c.Person.Correcting, before = false, AskCorrect
	}
	if before == NoQuestion {
		again(c)
		return
	}
	c.ask(before)
}

// stop leaves what was being asked: what was held goes, nothing is passed on.
func stop(c *Case, env Env) {
	q := c.Person.Question
	switch {
	case q.aboutDerde():
		dropConversation(c, env)
		c.do(say("conversation.stopped"))
	case q != NoQuestion && c.Person.State == Unconfirmed:
		c.do(say("identity.changed"), ask(q))
	case q != NoQuestion && q != AskAgain && c.Person.State != Active:
		c.do(say("register.stopped"), ask(q))
	default:
		c.do(say("help.stop"))
	}
}

// withdraw takes back every consent; from this turn on nothing new is processed
// (GDPR article 7 paragraph 3; requirement A11).
func withdraw(c *Case, env Env) {
	if !c.Person.State.can(WithdrawStep) {
		c.do(say("account.closed"))
		return
	}
	endConversation(c, "desk.withdrawn", "", env)
	c.move(WithdrawStep, env)
	c.Person.Correcting, c.Person.Draft = false, Derde{}
	c.do(record(PersonalData, false), record(HealthData, false), say("account.withdrawn"))
	c.ask(AskAgain)
}

// endConversation closes or drops what was going on, and tells staff who saw it why. by is who of staff
// did so; "" = nobody.
func endConversation(c *Case, why, by string, env Env) {
	switch c.Conversation.State {
	case Asking:
		dropConversation(c, env)
	case Open:
		c.do(tellDesk(why))
		closeConversation(c, why, by, env)
	}
}
