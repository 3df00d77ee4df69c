package bridge

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// Someone who does not answer is reminded, and Beheer hears of it (care/remind.go). When, is a row
// per person: it is planned in the turn in which the question is put, and taken in one of its own.

const (
	// remindAct is what is asked of a queue when a reminder is due.
	remindAct   = "remind"
	remindBatch = 100
)

// planReminder plans the next reminder when a turn put a question, held something for one, or
// left another one open than before, and when someone left or came back. What is only held puts off nothing: who sends a photo every
// day would never be heard of.
func (b *Bridge) planReminder(ctx context.Context, before, after care.Case) error {
	was, is, held := before.Person, after.Person, false
	asked := was.Question != is.Question || was.State != is.State || was.Left != is.Left
	for _, e := range after.Effects {
		asked, held = asked || e.Do == care.Ask, held || e.Do == care.Hold
	}
	if !asked && !held {
		return nil
	}
	r, err := b.Store.Reminder(ctx, after.Person.ID)
	if err != nil {
		return err
	}
	waits, err := b.waiting(ctx, after, held)
	if err != nil || !asked && !waits.Begun && r.IsOf(after.Person) && !r.DueAt.IsZero() {
		return err
	}
	return b.Store.SaveReminder(ctx, care.PlanReminder(r, after.Person, waits, b.now()))
}

// waiting is what waits for an answer after a turn, in which something more may be held.
func (b *Bridge) waiting(ctx context.Context, after care.Case, more bool) (care.Waiting, error) {
	held, err := b.Store.Held(ctx, after.Conversation.ID)
	w := care.Waiting{Held: len(held), First: b.RemindAfter}
	if more {
		w.Held, w.Begun = len(held)+1, len(held) == 0
	}
	return w, err
}

// takeReminders puts what is due in the queues of those whom it is for.
func (b *Bridge) takeReminders(ctx context.Context) error {
	due, err := b.Store.DueReminders(ctx, b.Now(), remindBatch)
	for _, person := range due {
		if err := b.Store.Transact(ctx, func(ctx context.Context) error { return b.takeReminder(ctx, person) }); err != nil {
			return err
		}
	}
	return err
}

func (b *Bridge) takeReminder(ctx context.Context, id string) error {
	r, err := b.Store.Reminder(ctx, id)
	if err != nil || r.DueAt.IsZero() || r.DueAt.After(b.Now()) { // planned anew since
		return err
	}
	person, known, err := b.Store.Person(ctx, id)
	if err != nil || !known {
		return err
	}
	r.DueAt = time.Time{}
	if err := b.Store.SaveReminder(ctx, r); err != nil {
		return err
	}
	return b.addAct(ctx, person, act{Command: remindAct}, remindAct+":"+uuid.NewString())
}

// reminderCame is the turn in which someone is reminded, unless they did something since.
func (b *Bridge) reminderCame(ctx context.Context, p place, _ act, person care.Person) error {
	r, err := b.Store.Reminder(ctx, person.ID)
	if err != nil {
		return err
	}
	if b.RemindAfter == 0 { // nobody is reminded any more
		return b.finish(ctx, p, nil)
	}
	unsaid, err := b.hasUnsaid(ctx, person)
	if err != nil {
		return err
	}
	if unsaid && !person.Left { // the question, or a reminder before this one, may not have been seen yet
		r = care.PutOff(r, b.RemindAfter, b.now())
		return b.finish(ctx, p, func(ctx context.Context) error { return b.Store.SaveReminder(ctx, r) })
	}
	before, err := b.caseOf(ctx, person)
	if err != nil {
		return err
	}
	held, err := b.Store.Held(ctx, before.Conversation.ID)
	if err != nil {
		return err
	}
	after, r := care.Remind(before, r, len(held), care.Env{Now: b.now()})
	return b.finish(ctx, p, func(ctx context.Context) error {
		if err := b.Store.SaveReminder(ctx, r); err != nil {
			return err
		}
		return b.settle(ctx, p, before, after)
	})
}

// hasUnsaid says that something that a person is to be told or asked was not delivered yet.
func (b *Bridge) hasUnsaid(ctx context.Context, person care.Person) (bool, error) {
	for _, destination := range []string{consulting(person.ID), reminding(person.ID)} {
		if has, err := b.Store.HasQueuedTo(ctx, destination); err != nil || has {
			return has, err
		}
	}
	return false, nil
}

// isTooLate says that an effect is a part of a reminder, and who it is for has left since it was
// decided on. It is not said into an empty room, and does not count.
func isTooLate(t task, person care.Person) bool {
	return person.Left && t.Destination == reminding(person.ID)
}

func (b *Bridge) notSaid(t task) delivery {
	return delivery{dropped: "the patient has left", after: func(ctx context.Context) error {
		if t.Kind != "say" { // the question that comes with it
			return nil
		}
		return b.Store.Unremind(ctx, t.Person, t.body.Question)
	}}
}

// untilDay is how long a reminder that was decided on by day, and could not be said then, waits for
// the morning. The buttons of one that was said do not.
func (b *Bridge) untilDay(e store.Effect) time.Duration {
	if e.Kind == "button" || e.Destination != reminding(e.Person) {
		return 0
	}
	return care.Awake(b.now()).Sub(b.now())
}
