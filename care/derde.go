package care

import "time"

// A Ground is why a patient may share data of a Derde (requirement C2).
type Ground string

// The grounds.
const (
	NoGround   Ground = ""
	Parent     Ground = "parent"     // parent or guardian of someone younger than 16
	Permission Ground = "permission" // this person gave the patient permission
)

// Relations are the options of the question about the relation, in their order.
var Relations = []string{"child", "partner", "parent", "other"}

// A Derde is another person whose data the patient shares.
type Derde struct {
	ID         string
	Person     string // the patient who named them
	Name       string // stored sealed, as are the next two
	BirthDate  Date
	Relation   string // one of Relations
	Ground     Ground
	AttestedAt time.Time
	EndedAt    time.Time // zero = still valid
	Identity   Identity  // of the Derde's own record, when staff entered it; stored sealed
}

// Valid says whether the attestation still holds: a parent's ends by itself on the 16th
// birthday (requirement C4).
func (d Derde) Valid(now time.Time) bool {
	if d.Ground == NoGround || !d.EndedAt.IsZero() {
		return false
	}
	return d.Ground != Parent || d.BirthDate.Age(DateOf(now)) < AdultForCare
}

// Stands says whether what a conversation rests on still holds: it concerns the patient, or
// someone whose attestation is valid (requirement C4). whom is its Derde.
func (c Conversation) Stands(whom Derde, now time.Time) bool {
	return c.Derde == "" || whom.Valid(now)
}

// acceptWhom takes the answer to "whom does this concern": 1 is the patient, then those
// named before, then someone else; the last is nobody's health.
func acceptWhom(c *Case, h Heard, env Env) bool {
	other := len(env.Derden) + 2
	switch {
	case h.Choice == 1:
		openConversation(c, env)
	case h.Choice == other+1:
		openPractical(c, env)
	case h.Choice == other:
		c.Person.Draft = Derde{}
		c.ask(AskDerdeName)
	case h.Choice > 1 && h.Choice < other && !env.Derden[h.Choice-2].Valid(env.Now): // it ended since it was offered
		c.do(say("derde.ended"))
		c.ask(AskWhom)
	case h.Choice > 1 && h.Choice < other:
		c.Conversation.Derde = env.Derden[h.Choice-2].ID
		openConversation(c, env)
	default:
		return false
	}
	return true
}

func acceptDerdeName(c *Case, h Heard, _ Env) bool {
	if !takeName(&c.Person.Draft.Name, h.Text) {
		return false
	}
	c.ask(AskDerdeBirth)
	return true
}

func acceptDerdeBirth(c *Case, h Heard, env Env) bool {
	born, err := ParseDate(h.Text)
	if err != nil || !born.plausible(env.today()) {
		return false
	}
	c.Person.Draft.BirthDate = born
	c.ask(AskRelation)
	return true
}

func acceptRelation(c *Case, h Heard, _ Env) bool {
	if h.Choice < 1 || h.Choice > len(Relations) {
		return false
	}
	c.Person.Draft.Relation = Relations[h.Choice-1]
	c.ask(AskGround)
	return true
}

func acceptGround(c *Case, h Heard, env Env) bool {
	switch h.Choice {
	case 1:
		if c.Person.Draft.BirthDate.Age(env.today()) >= AdultForCare {
			c.do(say("derde.not_a_child"))
			c.ask(AskGround)
			return true
		}
		attest(c, Parent, env)
	case 2:
		attest(c, Permission, env)
	case 3:
		c.do(record(DerdeData, false), say("derde.no_ground"))
		dropConversation(c, env)
	default:
		return false
	}
	return true
}

// attest records whom the conversation concerns and on what ground, and opens it.
func attest(c *Case, ground Ground, env Env) {
	d := c.Person.Draft
	d.ID, d.Person, d.Ground, d.AttestedAt = env.DerdeID, c.Person.ID, ground, env.Now
	c.Derde, c.Person.Draft = &d, Derde{}
	c.Conversation.Derde = d.ID
	c.do(record(DerdeData, true))
	openConversation(c, env)
}

// SomeoneElse lets staff say that what is written concerns someone else than was said: the
// conversation ends, and what comes next waits until the patient has answered (requirement C5).
func SomeoneElse(c Case, by string, env Env) (Case, error) {
	if c.Conversation.State != Open {
		return c, ErrNotOpen
	}
	askAgain(&c, "derde.someone_else", by, env)
	return c, nil
}

// EndPermission lets staff enter that the person whom a conversation concerns took the permission
// back (requirement C4). It may be closed by now: then nothing has to be asked.
func EndPermission(c Case, by string, env Env) (Case, error) {
	switch {
	case c.Conversation.State != Open && c.Conversation.State != Closed:
		return c, ErrNotOpen
	case c.Conversation.Derde == "" || !env.Whom.EndedAt.IsZero():
		return c, ErrNoDerde
	}
	d := env.Whom
	d.EndedAt, c.Derde = env.Now, &d
	c.do(Effect{Do: Record, Purpose: DerdeData, By: by})
	if c.Conversation.State == Closed {
		c.do(Effect{Do: TellDesk, Text: "desk.permission_ended", By: by})
		return c, nil
	}
	askAgain(&c, "derde.ended", by, env)
	return c, nil
}

// askAgain ends what staff see, and asks whom the next messages concern.
func askAgain(c *Case, why, by string, env Env) {
	endForAnother(c, "desk.asked_again", by, env)
	beginConversation(c, env)
	c.do(Effect{Do: Say, Text: why, By: by})
	c.ask(AskWhom)
}
