package care

// converse is what something heard from an active account leads to: it starts a
// conversation, answers what was asked about it, waits with it, or goes to staff.
func converse(c *Case, h Heard, env Env) {
	switch c.Conversation.State {
	case Open:
		c.do(Effect{Do: Pass})
	case Asking:
		answerAbout(c, h, env)
	default:
		startConversation(c, env)
	}
}

// startConversation holds the first message and asks whom it concerns (requirement C1). When
// the practice is closed that comes first, once: whom to call cannot wait for an answer (B8).
func startConversation(c *Case, env Env) {
	c.Conversation = Conversation{
		ID: env.NewID, Person: c.Person.ID, Practice: c.Person.Answers.Practice, State: Asking, OpenedAt: env.Now,
		Category: CareCategory,
	}
	c.Person.Current = c.Conversation.ID
	c.do(Effect{Do: Hold})
	if !env.open(c.Conversation.Practice) {
		c.do(say("hours.closed"))
	}
	c.ask(AskWhom)
}

// answerAbout takes the answer to an open question about the conversation. What is no
// answer is another message, and is held with the first.
func answerAbout(c *Case, h Heard, env Env) {
	q := c.Person.Question
	if !h.Media && questions[q].accept(c, h, env) {
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
	if h.Media { // a photo that follows its text needs no answer from us
		return
	}
	c.Person.Misses++
	if c.Person.Misses == manyMisses {
		c.do(say("help.person"), tell("beheer.needs_help"))
	}
	c.do(ask(q))
}

// openConversation gives staff what was held.
func openConversation(c *Case, env Env) {
	c.Conversation.State, c.Conversation.OpenedAt = Open, env.Now
	c.Person.Question, c.Person.Misses = NoQuestion, 0
	c.do(Effect{Do: Release}, say("conversation.received"))
}

// dropConversation ends a conversation that staff never saw: what was held is removed.
func dropConversation(c *Case, env Env) {
	c.Conversation.State, c.Conversation.ClosedAt = Dropped, env.Now
	c.Person.Current, c.Person.Question, c.Person.Misses, c.Person.Draft = "", NoQuestion, 0, Derde{}
	c.do(Effect{Do: Drop})
}

// closeConversation ends a conversation that staff saw.
func closeConversation(c *Case, env Env) {
	c.Conversation.State, c.Conversation.ClosedAt = Closed, env.Now
	c.Person.Current = ""
	c.do(Effect{Do: Shut})
}
