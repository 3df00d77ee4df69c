package bridge

import (
	"context"

	"github.com/spreekkamer/spreekkamer/store"
)

// A system that refuses for good what we say in its list of work refuses it for every conversation, as a
// rule. What is filed goes on, and staff hear it once in the Balie, with the reason; once more when there is
// another reason, or when it had worked meanwhile.

func untracked(lane string) string { return "untracked " + lane }

// tellUntracked tells staff that the system does not take what we said in its list of work.
func (b *Bridge) tellUntracked(ctx context.Context, e store.Effect, cause error) error {
	why := b.refusal(cause)
	told, err := b.Store.Noted(ctx, untracked(e.Lane))
	if err != nil || told == why {
		return err
	}
	card := cardOf(e)
	notice := job("tell", card.Destination, body{Text: "track.refused"})
	if why != noReason {
		notice = job("tell", card.Destination, body{Text: "track.refused", Words: why})
	}
	notice.Person, notice.Conversation = e.Person, e.Conversation
	if err := b.add(ctx, notice); err != nil {
		return err
	}
	return b.Store.Note(ctx, untracked(e.Lane), why)
}

// trackedAgain notes that the system takes it.
func (b *Bridge) trackedAgain(ctx context.Context, lane string) error {
	told, err := b.Store.Noted(ctx, untracked(lane))
	if err != nil || told == "" {
		return err
	}
	return b.Store.Note(ctx, untracked(lane), "")
}
