package bridge

import (
	"context"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
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
	return done, tracker.Track(ctx, item.Conversation, t.CreatedAt)
}
