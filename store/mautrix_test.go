package store

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/sqlstatestore"
)

// matrixStores opens mautrix's two stores on the handle that is meant for them.
func matrixStores(t *testing.T, s *Store) (*crypto.SQLCryptoStore, *sqlstatestore.SQLStateStore) {
	t.Helper()
	keys := crypto.NewSQLCryptoStore(s.DB(), nil, testBot, "DEVICE", s.PickleKey())
	require.NoError(t, keys.DB.Upgrade(t.Context()))
	rooms := sqlstatestore.NewSQLStateStore(s.DB(), nil, false)
	require.NoError(t, rooms.Upgrade(t.Context()))
	return keys, rooms
}

func TestTheStoresOfMautrixWorkOnOurHandleAndSurviveAReopening(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		keys, rooms := matrixStores(t, s)
		account := crypto.NewOlmAccount()
		require.NoError(t, keys.PutAccount(t.Context(), account))
		require.NoError(t, rooms.SetMembership(t.Context(), "!r:test", "@anna:test", event.MembershipJoin))
		require.NoError(t, rooms.SetEncryptionEvent(t.Context(), "!r:test", &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}))
		require.NoError(t, s.Close())

		keys, rooms = matrixStores(t, d.open(t))
		again, err := keys.GetAccount(t.Context())
		require.NoError(t, err)
		require.Equal(t, account.IdentityKey(), again.IdentityKey())
		require.True(t, rooms.IsMembership(t.Context(), "!r:test", "@anna:test", event.MembershipJoin))
		encrypted, err := rooms.IsEncrypted(t.Context(), "!r:test")
		require.NoError(t, err)
		require.True(t, encrypted)
	})
}

func TestTheStoresOfMautrixAreReadableWhileATransactionRuns(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		keys, rooms := matrixStores(t, s)
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.Count(ctx, "a", 1))
			elsewhere(func() {
				_, err := keys.GetSessions(t.Context(), "sender")
				require.NoError(t, err)
				_, err = rooms.GetAllMembers(t.Context(), "!r:test")
				require.NoError(t, err)
			})
			return nil
		})
		require.NoError(t, err)
	})
}

func TestWritesOfMautrixAndOurTransactionsTakeTurns(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		keys, rooms := matrixStores(t, s)
		const rounds = 20
		var group sync.WaitGroup
		together := func(do func(i int) error) {
			group.Go(func() {
				for i := range rounds {
					if err := do(i); err != nil {
						t.Error(err)
					}
				}
			})
		}
		together(func(int) error { return s.Count(t.Context(), "a", 1) })
		together(func(int) error { return readThenWrite(t.Context(), s) })
		together(func(i int) error {
			return rooms.SetMembership(t.Context(), "!r:test", id.UserID(fmt.Sprintf("@%d:test", i)), event.MembershipJoin)
		})
		together(func(i int) error {
			devices := map[id.DeviceID]*id.Device{"D": {UserID: "@anna:test", DeviceID: "D", IdentityKey: "i", SigningKey: "s"}}
			return keys.PutDevices(t.Context(), "@anna:test", devices)
		})
		group.Wait()
		require.Equal(t, int64(2*rounds), must[int64](t)(s.CountOf(t.Context(), "a")))
	})
}

// With one connection for everything this stops for ever: the crypto store waits for its lock
// while it holds a connection, and for a connection while it holds its lock.
func TestTheCryptoStoreDoesNotLockItselfOut(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		keys, _ := matrixStores(t, s)
		require.NoError(t, keys.PutAccount(t.Context(), crypto.NewOlmAccount()))
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for range 10 {
					if err := useSessions(t.Context(), keys, id.SenderKey(fmt.Sprint("sender ", i%2))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
	})
}

func useSessions(ctx context.Context, keys *crypto.SQLCryptoStore, sender id.SenderKey) error {
	internal, err := newSession()
	if err != nil {
		return err
	}
	session := &crypto.OlmSession{Internal: internal}
	if err := keys.AddSession(ctx, sender, session); err != nil {
		return err
	}
	if _, err := keys.GetSessions(ctx, sender); err != nil {
		return err
	}
	_, err = keys.GetLatestSession(ctx, sender)
	return err
}

// newSession is a session with a device that exists nowhere else.
func newSession() (olm.Session, error) {
	theirs, ours := crypto.NewOlmAccount(), crypto.NewOlmAccount()
	if err := theirs.Internal.GenOneTimeKeys(1); err != nil {
		return nil, err
	}
	keys, err := theirs.Internal.OneTimeKeys()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		return ours.Internal.NewOutboundSession(theirs.IdentityKey(), key)
	}
	return nil, fmt.Errorf("no one-time key")
}
