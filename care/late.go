package care

// hearLate is what a message leads to whose key had to be waited for, when the ordinary rules
// would take it for something that it cannot have been: an answer to a question asked after it
// was sent, or part of a conversation that began later. It reports whether that is so.
func hearLate(c *Case, h Heard, env Env) bool {
	switch {
	case couldAnswer(c, h, env):
		return false
	case Outlived(c.Person.State, h, env):
		if h.Word == WordWithdraw && env.ConsentedAt.IsZero() && c.Person.State.can(WithdrawStep) {
			return false
		}
		c.do(Effect{Do: Remove}, say("late.removed"))
		c.repeat()
	case h.Word == WordWithdraw: // of the consent that stands: that never comes too late (requirement A11)
		return false
	case h.Word != NoWord, c.Person.State != Active && c.Person.Question != NoQuestion:
		c.do(say("late.not_used"))
		c.repeat()
	case c.Person.State != Active:
		return false
	default:
		converseLate(c, h, env)
	}
	return true
}

// Outlived says that the consent under which a message that had to wait was sent, if there was
// any, does not stand any more: it must not be used (requirement A7).
func Outlived(s AccountState, h Heard, env Env) bool {
	return !s.consents() || h.SentAt.Before(env.ConsentedAt)
}

// couldAnswer says that the open question was there already when the message was sent.
func couldAnswer(c *Case, h Heard, env Env) bool {
	return c.Person.Question != NoQuestion && !env.AskedAt.IsZero() && !h.SentAt.Before(env.AskedAt)
}

// converseLate passes a late message of an active account on in the conversation that it
// belongs to; that one may be over.
func converseLate(c *Case, h Heard, env Env) {
	then := env.Then
	switch {
	case then.ID != c.Conversation.ID && (then.State == Dropped || !then.Stands(env.ThenWhom, env.Now)):
		// went with what was held there, or may not be handed on any more
		c.do(Effect{Do: Remove}, say("late.removed"))
	case then.ID != c.Conversation.ID && then.State == Closed: // staff are pointed to it: who reads a closed room?
		c.do(Effect{Do: Pass, Conversation: then.ID},
			Effect{Do: TellDesk, Text: "desk.late_closed", Conversation: then.ID}, say("late.closed"))
	case c.Conversation.State == Open:
		passOn(c, env)
		if h.Missed && c.Conversation.State == Open {
			c.do(say("late.passed"))
		}
	case c.Conversation.State == Asking:
		c.do(Effect{Do: Hold})
		sayClosed(c, env)
		c.repeat()
	default:
		startConversation(c, env)
	}
}
