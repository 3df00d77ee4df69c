package appservice

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThatAMessageWasOpenedIsWrittenAfterTheKeyInIt(t *testing.T) {
	b, _ := scriptedBot(t, nil)
	var held olmWrites
	ctx := holdingBack(t.Context(), &held)
	hash := [32]byte{1}
	require.NoError(t, b.keys.PutOlmHash(ctx, hash, time.Unix(1, 0)))
	require.NoError(t, b.keys.PutAccount(ctx, b.machine.GetAccount()))
	opened, err := b.keys.GetOlmHash(t.Context(), hash)
	require.NoError(t, err)
	require.True(t, opened.IsZero(), "a crash here lets the message come again and be opened again")
	require.NoError(t, held.flush(t.Context(), func(err error) { assert.NoError(t, err) }))
	opened, err = b.keys.GetOlmHash(t.Context(), hash)
	require.NoError(t, err)
	assert.False(t, opened.IsZero())
}

func TestWhatWasHeldBackIsWrittenInOrderAndUntilItSucceeds(t *testing.T) {
	var done []string
	failures := 2
	write := func(name string) func(context.Context) error {
		return func(context.Context) error {
			if name == "key" && failures > 0 {
				failures--
				return errors.New("database or disk is full")
			}
			done = append(done, name)
			return nil
		}
	}
	held := olmWrites{
		keys: []func(context.Context) error{write("key")}, session: []func(context.Context) error{write("session")},
		hashes: []func(context.Context) error{write("hash")},
	}
	told := 0
	require.NoError(t, held.flush(t.Context(), func(error) { told++ }))
	assert.Equal(t, []string{"key", "session", "hash"}, done)
	assert.Equal(t, 2, told)

	ctx, stop := context.WithCancel(t.Context())
	stop()
	failures = 1
	assert.ErrorIs(t, held.flush(ctx, func(error) {}), context.Canceled, "stopped before it was opened: it comes again")
}

// What could not be looked up must not count as handled.
func TestABatchComesAgainWhenTheSessionsCannotBeRead(t *testing.T) {
	var held olmWrites
	noteUnread(holdingBack(t.Context(), &held), errors.New("connection reset"))
	assert.Error(t, held.unread)
	noteUnread(t.Context(), errors.New("nobody holds anything back here"))
}
