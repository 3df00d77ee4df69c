package care

import "slices"

// converse is what something heard from an active account leads to: it starts a
// conversation, answers what was asked about it, waits with it, or goes to staff.
func converse(c *Case, h Heard, env Env) {
	switch c.Conversation.State {
	case Open:
		passOn(c, env)
	case Asking:
		answerAbout(c, h, env)
	default:
		startConversation(c, env)
	}
}

// passOn gives a message to staff, unless what it was told on has ended: a parent's attestation
// on the 16th birthday, a permission when it is withdrawn. Then it is asked again (requirement C4).
func passOn(c *Case, env Env) {
	if c.Conversation.Stands(env.Whom, env.Now) {
		c.do(Effect{Do: Pass})
		sayClosed(c, env)
		return
	}
	endForAnother(c, "desk.derde_ended", "", env)
	c.do(say("derde.ended"))
	startConversation(c, env)
}

// endForAnother ends what staff see because something else has to begin: a conversation never
// changes whom it concerns, since what was said in it may still have to be filed.
func endForAnother(c *Case, why, by string, env Env) {
	old := c.Conversation
	old.State, old.ClosedAt = Closed, env.Now
	c.Ended = &old
	c.do(Effect{Do: TellDesk, Text: why, By: by, Conversation: old.ID}, Effect{Do: Shut, Text: why, By: by, Conversation: old.ID})
}

// startConversation holds the first message and asks whom it concerns (requirement C1). When
// the practice is closed that comes first: whom to call cannot wait for an answer (B8).
func startConversation(c *Case, env Env) {
	beginConversation(c, env)
	c.do(Effect{Do: Hold})
	sayClosed(c, env)
	c.ask(AskWhom)
}

// ClosedNow is the text that says when a practice that is closed reads what was written, and whom to call.
const ClosedNow = "hours.closed"

// sayClosed says when the practice reads what was written, and whom to call until then: once from
// the moment at which it closed until it opens again, however much is written (requirement B8).
func sayClosed(c *Case, env Env) {
	if !env.open(c.Conversation.Practice) && !env.shutSince(c.Conversation.Practice, c.Conversation.HoursSaidAt) {
		c.Conversation.HoursSaidAt = env.Now
		c.do(say(ClosedNow))
	}
}

// closedBefore says so before the next question, which an answer led to from an effect on. What opens the
// conversation has the hours in it, and what drops it leaves nothing to read.
func closedBefore(c *Case, from int, env Env) {
	if c.Conversation.State != Asking {
		return
	}
	next := slices.Clone(c.Effects[from:])
	c.Effects = c.Effects[:from]
	sayClosed(c, env)
	c.do(next...)
}

func beginConversation(c *Case, env Env) {
	c.Conversation = Conversation{
		ID: env.NewID, Person: c.Person.ID, Practice: c.Person.Answers.Practice, State: Asking, OpenedAt: env.Now,
		Category: CareCategory,
	}
	c.Person.Current = c.Conversation.ID
}

// answerAbout takes the answer to an open question about the conversation. What is no
// answer is another message, and is held with the first.
func answerAbout(c *Case, h Heard, env Env) {
	q := c.Person.Question
	before := len(c.Effects)
	if !h.Media && questions[q].accept(c, h, env) {
		closedBefore(c, before, env)
		return
	}
	if h.Tap {
		c.repeat()
		return
	}
	if q == AskWhom || h.Media {
		c.do(Effect{Do: Hold})
	} else {
		c.do(say("invalid." + string(q)))
	}
	sayClosed(c, env)
	if h.Media { // a photo that follows its text needs no answer from us
		return
	}
	c.Person.Misses++
	if c.Person.Misses == manyMisses {
		c.do(say("help.person"), tell("beheer.needs_help"))
	}
	c.do(ask(q))
}

// openConversation gives staff what was held. What the patient is told then has the hours in it.
func openConversation(c *Case, env Env) {
	c.Conversation.State, c.Conversation.OpenedAt = Open, env.Now
	if !env.open(c.Conversation.Practice) {
		c.Conversation.HoursSaidAt = env.Now
	}
	c.Person.Question, c.Person.Misses = NoQuestion, 0
	c.do(Effect{Do: Release}, say("conversation.received"))
}

// dropConversation ends a conversation that staff never saw: what was held is removed.
func dropConversation(c *Case, env Env) {
	c.Conversation.State, c.Conversation.ClosedAt = Dropped, env.Now
	c.Person.Current, c.Person.Question, c.Person.Misses, c.Person.Draft = "", NoQuestion, 0, Derde{}
	c.do(Effect{Do: Drop})
}

// HeldWent is what it leads to that the last message which was held of a conversation had to go,
// because the period ended before it was known whom it concerns: what is written next begins anew.
func HeldWent(c Case, env Env) Case {
	if c.Conversation.State != Asking {
		return c
	}
	person := c.Person
	dropConversation(&c, env)
	if !person.Question.aboutDerde() { // who they are is asked first: that stays
		person.Current = ""
		c.Person = person
	}
	return c
}

// closeConversation ends a conversation that staff saw. why is what they are told; "" = they did it
// themselves. by is who of staff did so; "" = nobody.
func closeConversation(c *Case, why, by string, env Env) {
	c.Conversation.State, c.Conversation.ClosedAt = Closed, env.Now
	c.Person.Current = ""
	c.do(Effect{Do: Shut, Text: why, By: by})
}
