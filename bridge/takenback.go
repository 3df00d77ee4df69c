package bridge

import (
	"cmp"
	"context"
	"errors"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// What its sender removed before the record had it never comes there, in no wording of it, also
// when one of them stands for a message that nobody could open (late.go). What the record has, it
// keeps, with the removal beside it.

// says is that an effect files the words of an event: as they came, or as they were edited before
// that event could be opened.
func says(e store.Effect, event string) bool {
	if e.Kind != "file" {
		return false
	}
	what, err := parseBody(e)
	return e.SourceEvent == event || err == nil && event != "" && what.Instead == event
}

// editionOf is which edition of its conversation an effect belongs to: what is in another is marked
// there as a mistake, and is in no record that counts.
func editionOf(e store.Effect) int {
	what, err := parseBody(e)
	if err != nil {
		return -1
	}
	return what.Edition
}

// inRecord is the event by which the record knows what an effect files: an edit of what was never
// opened stands in its place.
func (w body) inRecord(e store.Effect) string { return cmp.Or(w.Instead, e.SourceEvent) }

// takenBack says that an event which is edited was removed by its sender, and that the record does
// not have it; or that staff took it out of the record (mistaken.go). The edit may be there a moment longer, also sealed: the bridge removes it.
func (b *Bridge) takenBack(ctx context.Context, t task, event string) (taken bool, err error) {
	if event == "" {
		return false, nil
	}
	filed, err := b.Store.Filings(ctx, t.Conversation)
	if err != nil {
		return false, err
	}
	if isTakenOut(filed, event) {
		return true, nil
	}
	for _, e := range filed {
		if e.ID == t.ID || !says(e, event) || editionOf(e) != t.body.Edition {
			continue
		}
		if e.State == store.EffectDone {
			return false, nil
		}
		if e.SourceEvent != event {
			continue
		}
		if taken, err = b.isRemoved(ctx, e); err != nil {
			return false, err
		}
	}
	if taken {
		return true, nil
	}
	return b.withdrawn(ctx, event)
}

// isRemoved says that what an effect files is nowhere any more; the turn of its removal may still
// have to come.
func (b *Bridge) isRemoved(ctx context.Context, e store.Effect) (bool, error) {
	if _, sealed, err := b.sealedLetter(ctx, e.ID); err != nil || sealed {
		return false, err
	}
	of := task{Effect: e}
	_, err := b.readEvent(ctx, of.sourceRoom(), of.sourceEvent())
	if removed := wasRemoved(err); removed || errors.Is(err, ErrNoKey) || errors.Is(err, ErrUnreadable) {
		return removed, nil
	}
	return false, err
}

// withdrawn says that an event was removed before its time came: by who sent it, or because it
// might not stay. No edit of it counts from then on.
func (b *Bridge) withdrawn(ctx context.Context, event string) (bool, error) {
	if event == "" {
		return false, nil
	}
	row, known, err := b.Store.LedgerEvent(ctx, event)
	return known && !row.RedactedAt.IsZero() && row.RedactedAt.Before(care.Begin(row.SentAt, row.DueAt)), err
}

// fileRemoval files the removal of a message that was filed, or may have been: an answer of the
// system can be lost. What certainly never came there is called off, with what was sealed of it.
func (b *Bridge) fileRemoval(ctx context.Context, p place, c care.Case, target string) error {
	if c.Conversation.ID == "" {
		return nil
	}
	filed, err := b.Store.Filings(ctx, c.Conversation.ID)
	if err != nil {
		return err
	}
	var there, reported []store.Effect // of what was removed: by itself, and in the report
	for _, e := range wordings(filed, target) {
		if editionOf(e) != c.Conversation.Edition {
			continue
		}
		if err := b.Store.Unseal(ctx, e.ID); err != nil { // from now on it counts as removed, wherever it waits
			return err
		}
		switch {
		case mayBeThere(e):
			there = append(there, e)
		case isReported(e, filed):
			reported = append(reported, e)
		default:
			if err := b.Store.CallOff(ctx, e.ID); err != nil {
				return err
			}
		}
	}
	switch {
	case len(there) > 0: // the words themselves come before edits of them
		return b.addRemoval(ctx, p, c, there[0], says(there[0], target))
	case len(reported) > 0:
		e := reported[0]
		e.Person = c.Person.ID
		return b.tellKept(ctx, e, p.room.Kind == store.RoomConversation, e.State == store.EffectDone)
	}
	return nil
}

// wordings are the effects that file the words of an event, and those that file an edit of it.
func wordings(filed []store.Effect, event string) (all []store.Effect) {
	for _, e := range filed {
		what, err := parseBody(e)
		if err == nil && what.Text != "" { // what a command told the patient, who keeps it
			continue
		}
		if says(e, event) || err == nil && e.Kind == "file" && event != "" && what.Target == event {
			all = append(all, e)
		}
	}
	return all
}

// isReported says that something which is filed with the report only is in that, or may be: a report that
// is under way, or was called off without a clear answer, may have it or not. What its sender took back before is in none.
func isReported(e store.Effect, filed []store.Effect) bool {
	if e.Lane != keptLane || store.IsTakenOut(e) || e.State == store.EffectSkipped && e.Error == "" {
		return false
	}
	return e.State == store.EffectDone || hasReport(filed, editionOf(e))
}

// addRemoval makes the effect that files the removal of what the record has, or may have: of just that, or
// of all that was said with it.
func (b *Bridge) addRemoval(ctx context.Context, p place, c care.Case, e store.Effect, just bool) error {
	kept, err := parseBody(e)
	if err != nil {
		return err
	}
	file, err := b.fileJob(ctx, "file.removal", c.Conversation, func(what *body) {
		what.Target, what.TargetSeq, what.OfEdit = kept.inRecord(e), kept.Seq, just && kept.Target != ""
		if p.room.Kind == store.RoomConversation {
			what.By = p.Sender
		}
	})
	if err != nil {
		return err
	}
	return b.add(ctx, aboutEvent(file, p))
}

// deliverFileRemoval files that the sender removed a message that had been filed: the record
// keeps it, and both sides are told so.
func (b *Bridge) deliverFileRemoval(ctx context.Context, t task) (done delivery, err error) {
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	item.ID, item.Kind, item.Sent = his.MessageID(t.SourceEvent), his.KindRemoval, t.CreatedAt
	item.Replaces, item.ReplacesSeq, item.OfEdit = his.MessageID(t.body.Target), t.body.TargetSeq, t.body.OfEdit
	l := letter{Sender: t.body.By, Staff: t.body.By != ""}
	if item.Author, err = b.authorOf(ctx, item.Conversation, l); err != nil {
		return done, err
	}
	sure, perhaps, err := b.hasIt(ctx, t)
	if err != nil {
		return done, err
	}
	if !sure && !perhaps {
		return delivery{dropped: notArrived}, nil
	}
	done.after = func(ctx context.Context) error { return b.tellKept(ctx, t.Effect, l.Staff, sure) }
	return b.file(ctx, t, item, done)
}

// hasIt says that the record certainly has what a removal is about, since the system said so; or perhaps. That
// was perhaps when its turn came, and may be known since.
func (b *Bridge) hasIt(ctx context.Context, t task) (sure, perhaps bool, err error) {
	filed, err := b.Store.Filings(ctx, t.Conversation)
	known := false
	for _, e := range filed {
		if e.Lane == keptLane || !says(e, t.body.Target) || editionOf(e) != t.body.Edition {
			continue
		}
		known = true
		sure, perhaps = sure || e.State == store.EffectDone, perhaps || mayBeThere(e)
	}
	return sure, perhaps || !known, err
}

// tellKept says to who removed a message that the record keeps it; when that is not sure, that it may
// be there.
func (b *Bridge) tellKept(ctx context.Context, e store.Effect, staff, sure bool) error {
	desk, patient := "desk.kept_in_record", "record.kept"
	if !sure {
		desk, patient = "desk.perhaps_in_record", "record.perhaps"
	}
	told := []store.Effect{job("tell", conversation(e.Conversation), body{Text: desk})}
	if !staff {
		told = append(told, job("say", consulting(e.Person), body{Text: patient}))
	}
	for i := range told {
		told[i].Person, told[i].Conversation = e.Person, e.Conversation
	}
	return b.add(ctx, told...)
}
