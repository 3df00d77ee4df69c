package appservice

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

func TestTheBotKeepsItsDeviceAndIdentity(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		first := w.connect()
		device, account := first.matrix.DeviceID, first.machine.OwnIdentity().SigningKey
		token := first.matrix.AccessToken
		signed, err := first.Signed(t.Context())
		require.NoError(t, err)
		assert.True(t, signed, "cross-signed")
		require.NoError(t, first.RecoveryKeyFile(t.Context()))
		recovery, err := os.ReadFile(w.options.RecoveryKeyFile)
		require.NoError(t, err)
		first.stop()

		for range 2 {
			again := w.connect()
			assert.Equal(t, device, again.matrix.DeviceID, "same device")
			assert.Equal(t, account, again.machine.OwnIdentity().SigningKey, "same keys")
			assert.Equal(t, token, again.matrix.AccessToken, "same token")
			devices, err := again.Devices(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []id.DeviceID{device}, devices, "no second device")
			signed, err = again.Signed(t.Context())
			require.NoError(t, err)
			assert.True(t, signed, "still cross-signed")
			again.stop()
		}
		same, err := os.ReadFile(w.options.RecoveryKeyFile)
		require.NoError(t, err)
		assert.Equal(t, recovery, same, "the recovery key is written once")
	})
}

func TestFactsForTheDoctor(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().serve(w.port)
		server, err := b.Server(t.Context())
		require.NoError(t, err)
		t.Logf("server %+v", server)
		assert.Equal(t, map[harness.Kind]string{harness.Synapse: "Synapse", harness.Dendrite: "Dendrite"}[w.Kind], server.Name)
		versions, err := b.RoomVersions(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "stable", versions["10"])
		limit, err := b.UploadLimit(t.Context())
		require.NoError(t, err)
		assert.Equal(t, int64(50<<20), limit)
		searchable, err := b.Searchable(t.Context())
		t.Log("searchable", searchable, err)
		assert.NoError(t, err)
		admin, err := b.IsAdmin(t.Context())
		require.NoError(t, err)
		assert.False(t, admin)
		if err := b.Ping(t.Context()); w.Kind == harness.Synapse {
			assert.NoError(t, err)
		} else {
			assert.ErrorIs(t, err, ErrUnsupported)
		}
		skew, err := b.Clock(t.Context())
		t.Log("clock", skew, err)
	})
}

// forgetDevice removes the bot's device behind its back.
func (w *world) forgetDevice(b *bot) {
	w.t.Helper()
	p := &person{t: w.t, url: w.URL, token: *b.token.Load()}
	if w.Kind == harness.Dendrite {
		p.must("POST", "/_matrix/client/v3/logout", map[string]any{})
		return
	}
	var err error
	p.token, err = w.AdminToken(w.t.Context())
	require.NoError(w.t, err)
	p.must("DELETE", "/_synapse/admin/v2/users/"+string(b.UserID())+"/devices/"+string(b.matrix.DeviceID), nil)
}

func TestADeviceThatWasRemovedComesBack(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect()
		device := b.matrix.DeviceID
		w.forgetDevice(b)
		b.stop()

		b = w.connect().run() // while it was down
		assert.Equal(t, device, b.matrix.DeviceID)
		signed, err := b.Signed(t.Context())
		require.NoError(t, err)
		assert.True(t, signed)

		w.forgetDevice(b) // and while it runs
		anna := w.person("anna")
		anna.createRoom(b.UserID())
		until(t, "the invite", func() bool { return len(b.inbox("m.room.member")) > 0 })
		devices, err := b.Devices(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []id.DeviceID{device}, devices)
		signed, err = b.Signed(t.Context())
		require.NoError(t, err)
		assert.True(t, signed)
		require.NoError(t, b.publishKeys(t.Context()))
	})
}

func TestTheRecoveryKeyFileIsNeededForANewDevice(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		w.connect().stop()
		require.NoError(t, os.Remove(filepath.Join(w.dir, "bot.db")))
		kept := w.options.RecoveryKeyFile
		w.options.RecoveryKeyFile = kept + ".lost"
		w.options.Store = openStore(t, filepath.Join(w.dir, "bot.db"))
		_, err := Connect(t.Context(), w.options)
		assert.ErrorContains(t, err, "back from the backup")
		assert.NoFileExists(t, w.options.RecoveryKeyFile, "no other key is made")
		w.options.Store.Close()

		require.NoError(t, os.WriteFile(w.options.RecoveryKeyFile, []byte(recoveryNote+"EsT9 wrong\n"), 0o600))
		w.options.Store = openStore(t, filepath.Join(w.dir, "bot.db"))
		_, err = Connect(t.Context(), w.options)
		assert.ErrorContains(t, err, "holds no recovery key")
		w.options.Store.Close()

		require.NoError(t, os.Remove(w.options.RecoveryKeyFile))
		_, err = createRecoveryKey(w.options.RecoveryKeyFile)
		require.NoError(t, err)
		w.options.Store = openStore(t, filepath.Join(w.dir, "bot.db"))
		_, err = Connect(t.Context(), w.options)
		assert.ErrorContains(t, err, "is it the right file?")
		w.options.Store.Close()

		w.options.RecoveryKeyFile = kept
		b := w.connect()
		signed, err := b.Signed(t.Context())
		require.NoError(t, err)
		assert.True(t, signed, "with the file the new device belongs to the same identity")
	})
}

func TestConnectCanBeCutOffAnywhere(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		proxy := newCutter(t, w.URL)
		w.options.URL = proxy.URL
		attempts := 0
		for n := 1; ; n++ {
			proxy.cutAfter(n)
			w.options.Store = openStore(t, filepath.Join(w.dir, "bot.db"))
			_, err := Connect(t.Context(), w.options)
			w.options.Store.Close()
			if attempts++; err == nil {
				break
			}
			require.Less(t, attempts, 60, "%v", err)
		}
		t.Logf("%s: connected at attempt %d", w.Kind, attempts)
		proxy.cutAfter(1 << 40)
		b := w.connect()
		devices, err := b.Devices(t.Context())
		require.NoError(t, err)
		assert.Len(t, devices, 1, "one device, however often it was cut off")
		require.NoError(t, b.RecoveryKeyFile(t.Context()))
		signed, err := b.Signed(t.Context())
		require.NoError(t, err)
		assert.True(t, signed)
	})
}
