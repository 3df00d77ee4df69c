package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
)

// saveUnfiled seals what an event says in the outbox when the chat has to go before the
// HIS took it, after the HIS refused it, or while the conversation that is filed on closing is
// open: the chat is redacted all the same (requirement D6).
func (b *Bridge) saveUnfiled(ctx context.Context, row store.LedgerRow) error {
	unfiled, err := b.Store.UndeliveredFor(ctx, row.EventID)
	if err != nil {
		return err
	}
	for _, e := range unfiled {
		if e.Kind != "file" && !onlyKept[e.Kind] {
			continue
		}
		if err := b.seal(ctx, e, b.urgencyOf(row)); err != nil {
			return err
		}
	}
	return nil
}

// sealLimit is how long one attempt to read what has to be sealed may take: other removals wait
// for it.
const sealLimit = 20 * time.Second

// urgencyOf says how patient sealing is: a file whose homeserver is gone is waited for while there
// is time, and once the limit has come only as often as makes an attempt.
func (b *Bridge) urgencyOf(row store.LedgerRow) urgency {
	return urgency(!b.Now().Before(row.DueAt))
}

func (b *Bridge) seal(ctx context.Context, e store.Effect, u urgency) error {
	short, cancel := context.WithTimeout(ctx, sealLimit)
	defer cancel()
	l, err := b.letterOf(short, e, u)
	if errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNoKey) || errors.Is(err, ErrUnreadable) {
		return nil // nothing to save any more
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return b.Store.Transact(ctx, func(ctx context.Context) error {
		gone, err := b.takenBackMeanwhile(ctx, e)
		if err != nil || gone {
			return err
		}
		return b.Store.SealEffect(ctx, e.ID, data)
	})
}

// takenBackMeanwhile says that the sender removed what an effect files, or what that edits, while it was read.
func (b *Bridge) takenBackMeanwhile(ctx context.Context, e store.Effect) (bool, error) {
	what, err := parseBody(e)
	if err != nil {
		return false, err
	}
	for _, event := range []string{e.SourceEvent, what.Instead, what.Target} {
		if gone, err := b.withdrawn(ctx, event); err != nil || gone {
			return gone, err
		}
	}
	return false, nil
}

// sealedLetter opens what was sealed for an effect, if anything was.
func (b *Bridge) sealedLetter(ctx context.Context, effect int64) (l letter, found bool, err error) {
	data, found, err := b.Store.OpenSealed(ctx, effect)
	if err != nil || !found {
		return l, false, err
	}
	return l, true, json.Unmarshal(data, &l)
}
