package bridge

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// take records that the practice has taken a conversation up, the first time that somebody
// answers, and tells the system where it is filed.
func (b *Bridge) take(ctx context.Context, c *care.Conversation) error {
	if !c.TakenAt.IsZero() {
		return nil
	}
	c.TakenAt = b.Now()
	if err := b.Store.SaveConversation(ctx, *c); err != nil {
		return err
	}
	system, name := b.systemOf(*c)
	if _, can := system.Connector.(his.Tracker); !can {
		return nil
	}
	e := job("track", fileIn(name, c.ID), body{filed: filed{Edition: c.Edition, Category: c.Category, Taken: true}})
	e.Lane, e.Person, e.Conversation = systemLane(name, c.Practice), c.Person, c.ID
	return b.add(ctx, e)
}

// deliverTrack tells the system's list of work that the practice has taken a conversation up.
func (b *Bridge) deliverTrack(ctx context.Context, t task) (done delivery, err error) {
	system, err := b.systemIn(t.Lane)
	if err != nil {
		return done, err
	}
	tracker, can := system.Connector.(his.Tracker)
	if !can {
		return delivery{dropped: "the system has no list of work"}, nil
	}
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	limited, cancel := context.WithTimeout(ctx, filingLimit)
	defer cancel()
	err = tracker.Track(limited, item.Conversation, t.CreatedAt)
	if apart := "track:" + t.Conversation; err != nil && !isFinal(err) && t.Destination != apart {
		return b.trackApart(ctx, t, apart, err)
	}
	if b.isBarred(err) {
		err = errors.Join(err, b.Store.Transact(ctx, func(ctx context.Context) error { return b.tellUntracked(ctx, t.Effect, err) }))
	}
	return done, err
}

// trackApart goes on trying beside what is filed: a system that takes messages, but no changes of its
// list of work, gets the messages. The conversation is in the list by then.
func (b *Bridge) trackApart(ctx context.Context, t task, destination string, cause error) (done delivery, err error) {
	again := job(t.Kind, destination, t.body)
	again.Lane, again.Person, again.Conversation, again.CreatedAt = t.Lane, t.Person, t.Conversation, t.CreatedAt
	again.DueAt = b.Now().Add(max(pauseBefore(t.Effect), b.leaveAlone(t.Lane, cause)))
	done.dropped = "it is tried apart from what is filed"
	done.after = func(ctx context.Context) error { return b.add(ctx, again) }
	return done, nil
}

// askStates takes over what was changed in the system's list of work. While answers are behind a
// conversation may have one that waits, which must not come after its end: then nothing is read beyond
// what closes one, and that comes when it is read again.
func (b *Bridge) askStates(ctx context.Context, lane string, tracker his.Tracker, behind bool) error {
	outer := ctx
	return b.ask(ctx, inStates+lane, func(ctx context.Context, since string) (func(context.Context) error, string, error) {
		changes, next, err := tracker.Tracked(ctx, since)
		var closes bool
		if err == nil {
			closes, err = b.closesOpen(ctx, changes)
		}
		if err == nil && closes && behind {
			changes, next = slices.DeleteFunc(slices.Clone(changes), isClosing), since
		} else if err == nil && closes {
			err = b.answersFirst(outer, lane, tracker)
		}
		if err != nil {
			return nil, "", err
		}
		return func(ctx context.Context) error {
			for _, change := range changes {
				if err := b.keepState(ctx, lane, change); err != nil {
					return err
				}
			}
			return nil
		}, next, nil
	})
}

func isClosing(change his.StatusChange) bool { return change.Status == his.StatusClosed }

// closesOpen says that a conversation was closed in the system that is open here.
func (b *Bridge) closesOpen(ctx context.Context, changes []his.StatusChange) (bool, error) {
	for _, change := range changes {
		if !isClosing(change) {
			continue
		}
		c, known, err := b.Store.Conversation(ctx, change.Conversation.String())
		if err != nil || known && c.State == care.Open {
			return err == nil, err
		}
	}
	return false, nil
}

// answersFirst asks once more for answers when a conversation was closed: what was answered just before
// comes before that.
func (b *Bridge) answersFirst(ctx context.Context, lane string, system any) error {
	if a, can := system.(his.Answerer); can {
		return b.askAnswers(ctx, lane, a)
	}
	return nil
}

// keepState puts a change that means something in the queue of whose conversation it is.
func (b *Bridge) keepState(ctx context.Context, lane string, change his.StatusChange) error {
	c, known, err := b.Store.Conversation(ctx, change.Conversation.String())
	if err != nil || !known || c.State != care.Open {
		return err
	}
	person, known, err := b.Store.Person(ctx, c.Person)
	if err != nil || !known {
		return err
	}
	if _, name := b.systemOf(c); systemLane(name, c.Practice) != lane {
		return nil // it is filed elsewhere now
	}
	key := "state:" + c.ID + ":" + string(change.Status) + ":" + change.At.UTC().Format(time.RFC3339Nano)
	return b.addAct(ctx, person, act{Command: stateAct, Conversation: c.ID, Status: change.Status}, key)
}

// stateCame closes a conversation that was closed in the practice's system, and knows that one was
// taken up there.
func (b *Bridge) stateCame(ctx context.Context, p place, a act, person care.Person) error {
	before := care.Case{Person: person}
	var known bool
	var err error
	if before.Conversation, known, err = b.Store.Conversation(ctx, a.Conversation); err != nil {
		return err
	}
	if !known || before.Conversation.State != care.Open {
		return b.finish(ctx, p, nil)
	}
	if a.Status != his.StatusClosed {
		return b.finish(ctx, p, func(ctx context.Context) error {
			if a.Status != his.StatusOpen || !before.Conversation.TakenAt.IsZero() {
				return nil
			}
			before.Conversation.TakenAt = b.Now()
			return b.Store.SaveConversation(ctx, before.Conversation)
		})
	}
	env, err := b.env(ctx, person)
	if err != nil {
		return err
	}
	after, err := care.CloseConversation(before, "", env)
	if err != nil {
		return err
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		audit := store.Audit{At: b.Now(), Actor: "his", Action: "closed", Person: person.ID, Conversation: a.Conversation}
		if err := b.Store.AddAudit(ctx, audit); err != nil {
			return err
		}
		if err := b.tellDesk(ctx, before, body{Text: "desk.closed_in_his"}); err != nil {
			return err
		}
		return b.settle(ctx, p, before, after)
	})
}
