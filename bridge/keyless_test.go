package bridge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

func TestBeheerHearsOnceOfStaffWhoCanReadNothing(t *testing.T) {
	w := newWorld(t)
	w.talking(anna, "kanarie")
	const told = "heeft nog geen sleutels"
	for range 2 { // at every new key of every room
		require.NoError(t, w.NoKeysOf(t.Context(), []id.UserID{anna, fatima, "@stranger:elders.example"}))
		w.settles()
	}
	heard := w.heard(w.roomFor(store.RoomBeheer, linde))
	assert.Equal(t, 1, strings.Count(heard, told))
	assert.Contains(t, heard, "Fatima "+told)
	for _, word := range []string{"kanarie", "@", string(anna)} {
		assert.NotContains(t, heard[strings.Index(heard, "Fatima "+told):], word)
	}
	require.NoError(t, w.NoKeysOf(t.Context(), []id.UserID{chef}))
	w.settles()
	assert.Equal(t, 2, strings.Count(w.heard(w.roomFor(store.RoomBeheer, linde)), told), "each of them")
	assert.NotContains(t, w.heard(w.consulting(anna)), told)
}
