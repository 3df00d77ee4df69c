package bridge

import (
	"context"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// tellOutages tells who wrote while nothing came in that it has been caught up (requirement
// H5): once in each room with something that waited, and one summary in Beheer. It comes before
// the turns of what waited, so that the words are there first. Of an outage in which nobody
// wrote nothing is said.
func (b *Bridge) tellOutages(ctx context.Context) error {
	outages, err := b.Store.Outages(ctx)
	if err != nil {
		return err
	}
	for _, o := range outages {
		err := b.Store.Transact(ctx, func(ctx context.Context) error {
			if err := b.tellOutage(ctx, o); err != nil {
				return err
			}
			return b.Store.EndOutage(ctx, o)
		})
		if err != nil {
			return err
		}
		b.outbox.ring()
	}
	return nil
}

// A tally is what waited in the rooms of one practice.
type tally struct{ messages, rooms int }

func (b *Bridge) tellOutage(ctx context.Context, o store.Outage) error {
	waited, err := b.Store.WaitedIn(ctx, o)
	if err != nil {
		return err
	}
	talks, practices := map[string]store.Waited{}, map[string]tally{}
	for _, w := range waited {
		if err := b.tellWhoWaited(ctx, o, w, talks, practices); err != nil {
			return err
		}
	}
	for id, w := range talks {
		e := job("tell", conversation(id), body{Text: "outage.desk", Outage: outageOf(o, w.Messages, 0)})
		e.Person, e.Conversation = w.Person, id
		if err := b.add(ctx, e); err != nil {
			return err
		}
	}
	for _, p := range b.Practices {
		if sum := practices[p.ID]; sum.messages > 0 {
			what := body{Text: "outage.beheer", Practice: p.ID, Outage: outageOf(o, sum.messages, sum.rooms)}
			if err := b.add(ctx, job("tell", beheer(p.ID), what)); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellWhoWaited tells a patient, and adds what waited to the conversation that staff see.
func (b *Bridge) tellWhoWaited(ctx context.Context, o store.Outage, w store.Waited, talks map[string]store.Waited, practices map[string]tally) error {
	person, known, err := b.Store.Person(ctx, w.Person)
	if err != nil || !known {
		return err
	}
	practice := b.practice(person.Answers.Practice).ID
	sum := practices[practice]
	practices[practice] = tally{sum.messages + w.Messages, sum.rooms + 1}
	talk := w.Conversation
	if w.Kind == store.RoomConsulting {
		text := "outage.patient"
		if person.State != care.Active { // nothing of theirs reaches the practice
			text = "outage.waiting"
		}
		what := body{Text: text, Outage: outageOf(o, w.Messages, 0)}
		if err := b.add(ctx, ofPerson(job("say", consulting(person.ID), what), person)); err != nil {
			return err
		}
		c, err := b.caseOf(ctx, person)
		if err != nil || c.Conversation.State != care.Open {
			return err
		}
		talk = c.Conversation.ID
	}
	before := talks[talk]
	talks[talk] = store.Waited{Person: person.ID, Messages: before.Messages + w.Messages}
	return nil
}

// An outage is what a text may say about one.
type outage struct {
	From, Until     int64 // milliseconds since 1970
	Messages, Rooms int
}

func outageOf(o store.Outage, messages, rooms int) *outage {
	return &outage{o.From.UnixMilli(), o.Until.UnixMilli(), messages, rooms}
}

// addOutage fills in when it was and what was caught up.
func (b *Bridge) addOutage(args *texts.Args, o *outage) {
	if o == nil {
		return
	}
	moment := func(ms int64) string {
		if ms == 0 {
			return ""
		}
		return time.UnixMilli(ms).In(b.Zone).Format("02-01-2006 15:04")
	}
	args.Outage = texts.Outage{From: moment(o.From), Until: moment(o.Until), Messages: o.Messages, Rooms: o.Rooms}
}
