package bridge

import (
	"context"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A message whose sender never said whom it concerns is held until it has to go. Then the sender
// is told, once for everything that was written with it: nothing disappears silently (requirement
// B2).

// heldAct is what is asked of a queue when something that was held has to go.
const heldAct = "held"

// letHeldGo takes a message that is held, and has to go, out of its conversation, with what was
// written in it soon after. From then on an answer does not pass it on any more.
func (b *Bridge) letHeldGo(ctx context.Context, eventID string) error {
	first, held, err := b.Store.HeldEvent(ctx, eventID)
	if err != nil || !held {
		return err
	}
	c, _, err := b.Store.Conversation(ctx, first.Conversation)
	if err != nil {
		return err
	}
	person, known, err := b.Store.Person(ctx, c.Person)
	if err != nil || !known { // then nothing of theirs is held any more
		return err
	}
	err = b.Store.Transact(ctx, func(ctx context.Context) error {
		all, err := b.Store.Held(ctx, c.ID)
		if err != nil {
			return err
		}
		for _, h := range all {
			if h.SentAt.After(first.SentAt.Add(b.atOnce())) {
				continue
			}
			if err := b.letGo(ctx, person, h, h.EventID != eventID); err != nil {
				return err
			}
		}
		went := act{Command: heldAct, Conversation: c.ID, At: first.SentAt.UnixMilli()}
		return b.addAct(ctx, person, went, heldAct+":"+eventID)
	})
	b.turns.ring()
	return err
}

// atOnce is what goes together, by how much later it was sent: as much as removing begins before
// the limit.
func (b *Bridge) atOnce() time.Duration {
	none := time.Time{}
	due := none.Add(min(b.Retention, care.MaxRetention))
	return due.Sub(care.Begin(none, due))
}

func (b *Bridge) letGo(ctx context.Context, person care.Person, h store.HeldEvent, remove bool) error {
	if err := b.Store.Unhold(ctx, h.EventID); err != nil || !remove {
		return err
	}
	e := ofPerson(job("remove", consulting(person.ID), body{}), person)
	e.SourceEvent, e.SourceRoom = h.EventID, h.RoomID
	return b.add(ctx, e)
}

// heldWent is the turn in which a patient hears that something went which was held. When nothing
// is held any more, the question whom it concerns goes with it.
func (b *Bridge) heldWent(ctx context.Context, p place, a act, person care.Person) error {
	before, err := b.caseOf(ctx, person)
	if err != nil {
		return err
	}
	left, err := b.Store.Held(ctx, a.Conversation)
	if err != nil {
		return err
	}
	after := before
	if before.Conversation.ID == a.Conversation && len(left) == 0 {
		after = care.HeldWent(before, care.Env{Now: b.now()})
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		if err := b.settle(ctx, p, before, after); err != nil {
			return err
		}
		told := job("say", consulting(person.ID), body{Text: "conversation.expired", At: a.At})
		return b.add(ctx, ofPerson(told, person))
	})
}
