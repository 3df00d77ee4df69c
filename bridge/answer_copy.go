package bridge

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// copies says that a conversation is filed where its answers lie apart, and need a copy among what was
// said. Where one document is filed on closing, that has them.
func (b *Bridge) copies(c care.Conversation) bool {
	to, _ := b.systemOf(c)
	_, can := to.Connector.(his.Copier)
	return can && !to.OnClosing
}

// keepJob is fileJob for what may be an answer: where they are copied, it is done before the document.
func (b *Bridge) keepJob(ctx context.Context, kind string, c care.Conversation, more ...func(*body)) (store.Effect, error) {
	said, err := b.fileJob(ctx, kind, c, more...)
	if kind == "file.answer" && b.copies(c) {
		_, name := b.systemOf(c)
		said.Lane, said.Destination = systemLane(name, c.Practice), fileIn(name, c.ID)
	}
	return said, err
}

// copyIn is what the copy of an answer is called that the patient has as an event. A system without copies has
// the answer under a name of its own.
func copyIn(filed []store.Effect, event string, edition int) uuid.UUID {
	for _, e := range filed {
		if e.Kind == "file.answer" && e.Lane != keptLane && e.SourceEvent == event && editionOf(e) == edition {
			return his.MessageID(event)
		}
	}
	return uuid.Nil
}

// deliverCopy puts a copy of an answer of a system among what it has of the conversation.
func (b *Bridge) deliverCopy(ctx context.Context, t task) (done delivery, err error) {
	system, err := b.systemIn(t.Lane)
	if err != nil {
		return done, err
	}
	copier, can := system.Connector.(his.Copier)
	if !can {
		return delivery{dropped: "the system shows its answers itself"}, nil
	}
	l, err := b.letterOf(ctx, t.Effect, calm)
	if errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) {
		return delivery{dropped: "removed before it was filed"}, nil
	}
	if err != nil {
		return done, err
	}
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	if err := b.addressed(ctx, &item, t, l); err != nil {
		return done, err
	}
	limited, cancel := context.WithTimeout(ctx, filingLimit)
	defer cancel()
	receipt, err := copier.Copy(limited, item)
	done.filed = receipt.Reference
	return done, err
}
