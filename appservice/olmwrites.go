package appservice

import (
	"context"
	"time"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"
)

// An olm message can be opened once: opening it moves the session on. The library stores that it
// was opened before it stores the message key that was inside, so a crash, or a full disk, between
// the two would lose the key of up to a hundred messages. So while one event is handled, what says
// that it was opened is held back, and written after the key. Cut off anywhere before, the event
// comes again and is opened again; cut off after the key is stored, opening it again is of no use.

// olmWrites are held back while one event is handled.
type olmWrites struct {
	keys    []func(context.Context) error // message keys that could not be stored at once
	session []func(context.Context) error
	hashes  []func(context.Context) error // last: they say that nothing is left to do
	unread  error                         // what could not be looked up: the event has to come again
}

type olmWritesKey struct{}

// holdingBack lets the crypto store hold back, in calls with the context, what w collects.
func holdingBack(ctx context.Context, w *olmWrites) context.Context {
	return context.WithValue(ctx, olmWritesKey{}, w)
}

func heldBack(ctx context.Context) *olmWrites {
	w, _ := ctx.Value(olmWritesKey{}).(*olmWrites)
	return w
}

const (
	writeAgain     = 100 * time.Millisecond
	writeAgainMost = 5 * time.Second
)

// flush writes what was held back. It does not give up before ctx ends: the session in memory has
// moved on, so that the event could not be opened a second time.
func (w *olmWrites) flush(ctx context.Context, failed func(error)) error {
	whole := context.WithoutCancel(ctx)
	for _, writes := range [][]func(context.Context) error{w.keys, w.session, w.hashes} {
		for _, write := range writes {
			for wait := writeAgain; ; wait = min(2*wait, writeAgainMost) {
				err := write(whole)
				if err == nil {
					break
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
				failed(err)
				pause(ctx, wait)
			}
		}
	}
	return nil
}

// PutGroupSession stores a message key; one that cannot be stored now is held back with the rest.
func (s cryptoStore) PutGroupSession(ctx context.Context, session *crypto.InboundGroupSession) error {
	put := func(ctx context.Context) error { return s.SQLCryptoStore.PutGroupSession(ctx, session) }
	err := put(ctx)
	if w := heldBack(ctx); w != nil && err != nil {
		w.keys = append(w.keys, put)
		return nil
	}
	return err
}

// AddSession holds back a new olm session.
func (s cryptoStore) AddSession(ctx context.Context, key id.SenderKey, session *crypto.OlmSession) error {
	add := func(ctx context.Context) error { return s.SQLCryptoStore.AddSession(ctx, key, session) }
	if w := heldBack(ctx); w != nil {
		w.session = append(w.session, add)
		return nil
	}
	return add(ctx)
}

// UpdateSession holds back that an olm session has moved on.
func (s cryptoStore) UpdateSession(ctx context.Context, key id.SenderKey, session *crypto.OlmSession) error {
	update := func(ctx context.Context) error { return s.SQLCryptoStore.UpdateSession(ctx, key, session) }
	if w := heldBack(ctx); w != nil {
		w.session = append(w.session, update)
		return nil
	}
	return update(ctx)
}

// PutAccount holds back that a one-time key was used.
func (s cryptoStore) PutAccount(ctx context.Context, account *crypto.OlmAccount) error {
	put := func(ctx context.Context) error { return s.SQLCryptoStore.PutAccount(ctx, account) }
	if w := heldBack(ctx); w != nil {
		w.session = append(w.session, put)
		return nil
	}
	return put(ctx)
}

// PutOlmHash holds back that a message was opened.
func (s cryptoStore) PutOlmHash(ctx context.Context, hash [32]byte, at time.Time) error {
	put := func(ctx context.Context) error { return s.SQLCryptoStore.PutOlmHash(ctx, hash, at) }
	if w := heldBack(ctx); w != nil {
		w.hashes = append(w.hashes, put)
		return nil
	}
	return put(ctx)
}

// GetOlmHash looks whether a message was opened before.
func (s cryptoStore) GetOlmHash(ctx context.Context, hash [32]byte) (time.Time, error) {
	at, err := s.SQLCryptoStore.GetOlmHash(ctx, hash)
	noteUnread(ctx, err)
	return at, err
}

// GetSessions are the olm sessions with a device.
func (s cryptoStore) GetSessions(ctx context.Context, key id.SenderKey) (crypto.OlmSessionList, error) {
	sessions, err := s.SQLCryptoStore.GetSessions(ctx, key)
	noteUnread(ctx, err)
	return sessions, err
}

func noteUnread(ctx context.Context, err error) {
	if w := heldBack(ctx); w != nil && err != nil {
		w.unread = err
	}
}
