package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// A job is what one row of the outbox does: its kind is a key of deliverers, its body
// names texts and ids only, never what anyone wrote.
type body struct {
	Text     string        `json:"text,omitempty"`     // key of a text
	Question care.Question `json:"question,omitempty"` // to ask; of what is said: only while it is open
	Room     string        `json:"room,omitempty"`     // when it is not the destination's
	Language string        `json:"language,omitempty"` // when there is no person to ask
	Practice string        `json:"practice,omitempty"`
	By       string        `json:"by,omitempty"`      // member of staff who decided
	Reply    string        `json:"reply,omitempty"`   // event that this answers
	Target   string        `json:"target,omitempty"`  // event that a reaction, edit or removal is about
	Stance   string        `json:"stance,omitempty"`  // how things stood when it was asked for: see stanceOn
	Targets  []string      `json:"targets,omitempty"` // events of one message that is taken out of the record
	Reason   string        `json:"reason,omitempty"`  // key of a text that says why
	Command  string        `json:"command,omitempty"` // name of a command of ours
	Outage   *outage       `json:"outage,omitempty"`
	Mark     string        `json:"mark,omitempty"`    // reaction of the bot's own
	Button   int           `json:"button,omitempty"`  // number on a seeded button
	At       int64         `json:"at,omitempty"`      // Unix milliseconds that the text is about, instead of now
	Late     bool          `json:"late,omitempty"`    // what it carries comes late, and is marked so
	Instead  string        `json:"instead,omitempty"` // event that what it carries edits, and that was never opened
	Code     string        `json:"code,omitempty"`    // beginning of ids of accounts, as typed
	Effect   int64         `json:"effect,omitempty"`  // that it is about
	Count    int           `json:"count,omitempty"`
	Perhaps  bool          `json:"perhaps,omitempty"` // what it is about may not be there
	filed                  // what is filed

	// What a system gave or gets.
	Answer   string       `json:"answer,omitempty"`
	Part     int          `json:"part,omitempty"` // of an answer: 0 = the words, then its files
	Last     bool         `json:"last,omitempty"` // part of the answer
	Delivery his.Delivery `json:"delivery,omitempty"`
	Words    string       `json:"words,omitempty"` // of ours or of a system's, without personal data
}

// job makes an outbox row.
func job(kind, destination string, b body) store.Effect {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return store.Effect{Kind: kind, Destination: destination, Body: string(text)}
}

func parseBody(e store.Effect) (b body, err error) {
	if err := json.Unmarshal([]byte(e.Body), &b); err != nil {
		return b, refused("effect %d has a broken body", e.ID)
	}
	return b, nil
}

// Destinations: order holds within one of them.
func consulting(person string) string { return "consulting:" + person }
func reminding(person string) string  { return remindAct + ":" + person } // by day only; the rest does not wait for it
func conversation(id string) string   { return "conversation:" + id }
func contact(room string) string      { return "contact:" + room }
func balie(practice string) string    { return "balie:" + practice }
func beheer(practice string) string   { return "beheer:" + practice }
func ofPerson(e store.Effect, p care.Person) store.Effect {
	e.Person = p.ID
	return e
}

// aboutEvent says which event an effect is about.
func aboutEvent(e store.Effect, p place) store.Effect {
	e.SourceEvent, e.SourceRoom = p.EventID, p.RoomID
	return e
}

// carry is how each thing a rule can want is written into the outbox or the tables.
var carry = map[care.Do]func(*Bridge, context.Context, place, care.Case, care.Effect) error{
	care.Say:      (*Bridge).carrySay,
	care.Ask:      (*Bridge).carryAsk,
	care.Remove:   (*Bridge).carryRemove,
	care.Hold:     (*Bridge).carryHold,
	care.Pass:     (*Bridge).carryPass,
	care.Release:  (*Bridge).carryRelease,
	care.Drop:     (*Bridge).carryDrop,
	care.Record:   (*Bridge).carryRecord,
	care.Tell:     (*Bridge).carryTell,
	care.TellDesk: (*Bridge).carryTellDesk,
	care.Advice:   (*Bridge).carryAdvice,
	care.Shut:     (*Bridge).carryShut,
	care.Forget:   (*Bridge).carryForget,
}

// settle stores a case after a rule changed it: the person, the conversation, whom it
// concerns, the gate and every effect. It runs inside the turn's transaction.
func (b *Bridge) settle(ctx context.Context, p place, before, after care.Case) error {
	ended, err := b.saveDerde(ctx, after.Derde)
	if err != nil {
		return err
	}
	if after.Ended != nil {
		if err := b.Store.SaveConversation(ctx, *after.Ended); err != nil {
			return err
		}
	}
	if err := b.saveConversation(ctx, before, &after); err != nil {
		return err
	}
	if err := b.Store.SavePerson(ctx, after.Person); err != nil {
		return err
	}
	if err := b.planReminder(ctx, before, after); err != nil {
		return err
	}
	gate := before.Person.MaySpeak() != after.Person.MaySpeak()
	if gate && after.Person.MaySpeak() { // open before asking
		if err := b.add(ctx, ofPerson(job("gate", consulting(after.Person.ID), body{}), after.Person)); err != nil {
			return err
		}
	}
	for _, e := range after.Effects {
		if err := carry[e.Do](b, ctx, p, after, e); err != nil {
			return fmt.Errorf("%s: %w", e.Do, err)
		}
	}
	if ended { // after what closes a conversation: that is filed under the attestation still
		if err := b.withdrawGround(ctx, *after.Derde, p.Sender); err != nil {
			return err
		}
	}
	if gate && !after.Person.MaySpeak() && after.Person.State != care.Refused {
		return b.add(ctx, ofPerson(job("gate", consulting(after.Person.ID), body{}), after.Person))
	}
	return b.auditMove(ctx, p, before, after)
}

// saveConversation gives a conversation its number when it begins.
func (b *Bridge) saveConversation(ctx context.Context, before care.Case, after *care.Case) (err error) {
	if after.Conversation == before.Conversation {
		return nil
	}
	if after.Conversation.Number == 0 {
		if after.Conversation.Number, err = b.Store.NextConversationNumber(ctx); err != nil {
			return err
		}
	}
	return b.Store.SaveConversation(ctx, after.Conversation)
}

func (b *Bridge) auditMove(ctx context.Context, p place, before, after care.Case) error {
	if before.Person.State == after.Person.State || after.Person.State == care.Refused { // of a child nothing is kept
		return nil
	}
	actor := after.Person.ID // a pseudonym; staff are named
	if p.Sender != "" && p.Sender != after.Person.UserID {
		actor = p.Sender
	}
	return b.Store.AddAudit(ctx, store.Audit{
		At: b.Now(), Actor: actor, Action: "account " + string(after.Person.State),
		Person: after.Person.ID, EventID: p.EventID,
	})
}

func (b *Bridge) add(ctx context.Context, effects ...store.Effect) error {
	return b.Store.AddEffects(ctx, effects)
}

func (b *Bridge) carrySay(ctx context.Context, p place, c care.Case, e care.Effect) error {
	what := body{Text: e.Text, By: e.By, Question: e.Question}
	if p.waited() { // the patient may have written other things since
		what.Reply, what.At = p.EventID, p.OriginAt.UnixMilli()
	}
	return b.add(ctx, ofPerson(job("say", lineOf(c, e), what), c.Person))
}

// lineOf is the destination of what a patient is told or asked.
func lineOf(c care.Case, e care.Effect) string {
	if e.ByDay {
		return reminding(c.Person.ID)
	}
	return consulting(c.Person.ID)
}

func (b *Bridge) carryAsk(ctx context.Context, p place, c care.Case, e care.Effect) error {
	return b.add(ctx, ofPerson(job("ask", lineOf(c, e), body{Question: e.Question}), c.Person))
}

func (b *Bridge) carryRemove(ctx context.Context, p place, c care.Case, _ care.Effect) error {
	return b.add(ctx, aboutEvent(ofPerson(job("remove", consulting(c.Person.ID), body{}), c.Person), p))
}

func (b *Bridge) carryHold(ctx context.Context, p place, c care.Case, _ care.Effect) error {
	return b.Store.Hold(ctx, store.HeldEvent{
		EventID: p.EventID, Conversation: c.Conversation.ID, RoomID: p.RoomID, SentAt: p.OriginAt, Late: p.late(),
	})
}

func (b *Bridge) carryPass(ctx context.Context, p place, c care.Case, e care.Effect) error {
	c, err := b.concerning(ctx, c, e)
	if err != nil {
		return err
	}
	return b.relayAndFile(ctx, c, conversation(c.Conversation.ID), p.EventID, p.RoomID, p.manner())
}

// concerning is the case with the conversation that an effect is for.
func (b *Bridge) concerning(ctx context.Context, c care.Case, e care.Effect) (_ care.Case, err error) {
	if e.Conversation != "" {
		c.Conversation, _, err = b.Store.Conversation(ctx, e.Conversation)
	}
	return c, err
}

// relayAndFile writes the two effects of something that was said: to the other side and to
// the HIS.
func (b *Bridge) relayAndFile(ctx context.Context, c care.Case, to, eventID, roomID string, manner body) error {
	file, err := b.fileJob(ctx, "file", c.Conversation, func(what *body) { what.Late, what.Instead = manner.Late, manner.Instead })
	if err != nil {
		return err
	}
	for _, e := range []store.Effect{job("relay", to, manner), file} {
		e.Person, e.Conversation, e.SourceEvent, e.SourceRoom = c.Person.ID, c.Conversation.ID, eventID, roomID
		if err := b.add(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// carryRelease opens the conversation room, then passes what was held, in order.
func (b *Bridge) carryRelease(ctx context.Context, p place, c care.Case, _ care.Effect) error {
	room := conversation(c.Conversation.ID)
	opening := []store.Effect{job("open", room, body{}), job("card", room, body{}), job("card.balie", balie(c.Conversation.Practice), body{})}
	for _, e := range opening {
		e.Person, e.Conversation = c.Person.ID, c.Conversation.ID
		if err := b.add(ctx, e); err != nil {
			return err
		}
	}
	held, err := b.Store.Held(ctx, c.Conversation.ID)
	if err != nil {
		return err
	}
	for _, h := range held {
		if err := b.relayAndFile(ctx, c, conversation(c.Conversation.ID), h.EventID, h.RoomID, body{Late: h.Late}); err != nil {
			return err
		}
	}
	return b.Store.DropHeld(ctx, c.Conversation.ID)
}

// carryDrop removes what was held: staff never saw it and it is not kept.
func (b *Bridge) carryDrop(ctx context.Context, p place, c care.Case, _ care.Effect) error {
	held, err := b.Store.Held(ctx, c.Conversation.ID)
	if err != nil {
		return err
	}
	for _, h := range held {
		e := ofPerson(job("remove", consulting(c.Person.ID), body{}), c.Person)
		e.SourceEvent, e.SourceRoom = h.EventID, h.RoomID
		if err := b.add(ctx, e); err != nil {
			return err
		}
	}
	return b.Store.DropHeld(ctx, c.Conversation.ID)
}

// carryRecord writes the consent ledger (requirement A10): which text, in which
// version, was answered how.
func (b *Bridge) carryRecord(ctx context.Context, p place, c care.Case, e care.Effect) error {
	text := b.consentText(c.Person.Language, e.Purpose)
	hash := sha256.Sum256([]byte(text.words))
	return b.Store.AddConsent(ctx, store.Consent{
		Person: c.Person.ID, Purpose: e.Purpose, Yes: e.Yes, At: b.Now(), How: "chat", EventID: p.EventID,
		TextID: text.key, TextVersion: text.version, TextHash: hex.EncodeToString(hash[:]), EnteredBy: e.By,
	})
}

func (b *Bridge) carryTell(ctx context.Context, p place, c care.Case, e care.Effect) error {
	practice := b.practice(c.Person.Answers.Practice).ID // the first one for who has not chosen yet
	if err := b.add(ctx, ofPerson(job("tell", beheer(practice), body{Text: e.Text, By: e.By}), c.Person)); err != nil {
		return err
	}
	if e.Text == "beheer.new_account" {
		return b.lookUp(ctx, c.Person)
	}
	return nil
}

func (b *Bridge) carryTellDesk(ctx context.Context, p place, c care.Case, e care.Effect) error {
	c, err := b.concerning(ctx, c, e)
	if err != nil {
		return err
	}
	return b.tellDesk(ctx, c, body{Text: e.Text, By: e.By})
}

func (b *Bridge) tellDesk(ctx context.Context, c care.Case, what body) error {
	return b.add(ctx, toDesk(c, what))
}

// toDesk is something that staff of a conversation are told.
func toDesk(c care.Case, what body) store.Effect {
	e := ofPerson(job("tell", conversation(c.Conversation.ID), what), c.Person)
	e.Conversation = c.Conversation.ID
	return e
}

// carryShut ends a conversation where staff see it, and in the HIS file.
func (b *Bridge) carryShut(ctx context.Context, p place, c care.Case, e care.Effect) error {
	c, err := b.concerning(ctx, c, e)
	if err != nil {
		return err
	}
	end, err := b.fileJob(ctx, "file.end", c.Conversation, func(what *body) { what.By, what.Reason = e.By, e.Text })
	if err != nil {
		return err
	}
	rename := job("rename", conversation(c.Conversation.ID), body{})
	notice := job("tell", conversation(c.Conversation.ID), body{Text: "desk.closed"})
	for _, e := range []store.Effect{notice, rename, end} {
		e.Person, e.Conversation = c.Person.ID, c.Conversation.ID
		if err := b.add(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
