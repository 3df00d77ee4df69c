package care

import "errors"

// ErrNotAnswered says that staff cannot confirm an identity before the person has said who they
// are.
var ErrNotAnswered = errors.New("the patient has not given name and date of birth yet")

// ChangeIdentity is what it leads to that the cryptographic identity of a person is another than
// staff approved: it may be someone else by now. Nothing of this person passes, and nothing to
// them, until a named person has compared name and date of birth again (requirement A14). key
// is the new public master key. Hearing of the same change twice is hearing of it once.
func ChangeIdentity(c Case, key string, env Env) Case {
	known := c.Person.NewKey == key
	switch {
	case known && (c.Person.State == Unconfirmed || c.Person.State == Awaiting):
	case c.Person.State == Awaiting: // staff look at the account before anything passes anyway
		c.Person.NewKey = key
		c.do(tell("beheer.identity_awaiting"))
	case c.Person.State.can(LoseIdentity):
		c.move(LoseIdentity, env)
		c.Person.NewKey, c.Person.Draft = key, Derde{}
		c.do(say("identity.changed"), tell("beheer.identity_changed"))
		if c.Conversation.State == Open {
			c.do(tellDesk("desk.identity_changed"))
		}
		c.ask(AskIdentityName)
	}
	return c
}

func acceptIdentityName(c *Case, h Heard, _ Env) bool {
	if !takeName(&c.Person.Draft.Name, h.Text) {
		return false
	}
	c.ask(AskIdentityBirth)
	return true
}

// acceptIdentityBirth takes the date as it is said: whether it is right, staff see.
func acceptIdentityBirth(c *Case, h Heard, env Env) bool {
	born, err := ParseDate(h.Text)
	if err != nil || !born.plausible(env.today()) {
		return false
	}
	c.Person.Draft.BirthDate = born
	c.Person.Question, c.Person.Misses = NoQuestion, 0
	c.do(say("identity.awaiting"), tell("beheer.identity_check"))
	return true
}

// ConfirmIdentity is a named person's word that it is still the same patient: the new identity
// becomes the one that is approved, and what was going on goes on.
func ConfirmIdentity(c Case, by string, env Env) (Case, error) {
	if !c.Person.State.can(Confirm) {
		return c, errNotAwaiting
	}
	if c.Person.Draft.BirthDate.IsZero() {
		return c, ErrNotAnswered
	}
	c.move(Confirm, env)
	c.Person.Key, c.Person.NewKey, c.Person.Draft, c.Person.Question = c.Person.NewKey, "", Derde{}, NoQuestion
	c.do(Effect{Do: Say, Text: "identity.confirmed", By: by}, Effect{Do: Tell, Text: "beheer.identity_confirmed", By: by})
	switch c.Conversation.State {
	case Open:
		c.do(Effect{Do: TellDesk, Text: "desk.identity_confirmed", By: by})
	case Asking: // what is held still waits for its answer
		c.ask(AskWhom)
	}
	return c, nil
}
