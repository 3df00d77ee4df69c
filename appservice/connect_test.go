package appservice

import (
	"os"
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
