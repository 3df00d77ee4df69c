package care

// Do is what an effect makes happen.
type Do string

// What rules can lead to. "The message" is the one that was just heard.
const (
	Say      Do = "say"       // tell the patient the text
	Ask      Do = "ask"       // put the question to the patient
	Remove   Do = "remove"    // redact the message now
	Hold     Do = "hold"      // keep the message back until it is known whom it concerns
	Pass     Do = "pass"      // relay the message to staff, and file it
	Release  Do = "release"   // open the conversation: relay and file what was held
	Drop     Do = "drop"      // redact what was held
	Record   Do = "record"    // write an answer in the consent ledger
	Tell     Do = "tell"      // tell staff in Beheer
	TellDesk Do = "tell desk" // tell staff in the conversation room
	Advice   Do = "advice"    // tell the patient the text as an answer of staff, and file it
	Shut     Do = "shut"      // the conversation has been closed: rename its room, file the end
	Forget   Do = "forget"    // keep nothing of this person, remove everything they wrote
)

// An Effect is something the world must see. It names texts, purposes and ids, never
// what anyone wrote: it is stored, and rendered only when it is delivered.
type Effect struct {
	Do       Do       `json:"do"`
	Text     string   `json:"text,omitempty"`     // for Say, Tell, TellDesk, Advice, Shut (why): key of a text
	Question Question `json:"question,omitempty"` // for Ask; for Say: only while it is open
	Purpose  Purpose  `json:"purpose,omitempty"`  // for Record
	Yes      bool     `json:"yes,omitempty"`      // for Record
	// Conversation is for Pass, TellDesk and Shut, when it is not the current one.
	Conversation string `json:"conversation,omitempty"`
	By           string `json:"by,omitempty"`     // Matrix user id of the member of staff who decided
	ByDay        bool   `json:"by_day,omitempty"` // for Say and Ask: never at night; nothing else waits for it
}

func say(text string) Effect      { return Effect{Do: Say, Text: text} }
func ask(q Question) Effect       { return Effect{Do: Ask, Question: q} }
func tell(text string) Effect     { return Effect{Do: Tell, Text: text} }
func tellDesk(text string) Effect { return Effect{Do: TellDesk, Text: text} }
func record(p Purpose, yes bool) Effect {
	return Effect{Do: Record, Purpose: p, Yes: yes}
}

// A Case is a person with what they are talking about now: what rules change.
type Case struct {
	Person       Person
	Conversation Conversation  // zero when Person.Current is ""
	Derde        *Derde        // set when someone was named in this turn, or their attestation ended
	Ended        *Conversation // set when another conversation took its place in this turn
	Effects      []Effect
}

func (c *Case) do(effects ...Effect) { c.Effects = append(c.Effects, effects...) }

// ask puts a question and remembers that it is open.
func (c *Case) ask(q Question) {
	c.Person.Question, c.Person.Misses = q, 0
	c.do(ask(q))
}

// move takes a step that the caller knows to be listed.
func (c *Case) move(step Step, env Env) {
	to, err := c.Person.State.Move(step)
	if err != nil {
		panic(err) // a rule that takes an unlisted step is a mistake of ours
	}
	if to != c.Person.State {
		c.Person.State, c.Person.ChangedAt = to, env.Now
	}
}
