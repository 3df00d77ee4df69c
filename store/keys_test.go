package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// encrypted enters an event that was encrypted with a key.
func encrypted(t *testing.T, s *Store, event, session string, own bool, index int64) {
	t.Helper()
	require.NoError(t, s.AddLedger(t.Context(), LedgerRow{
		EventID: event, RoomID: "!r", Type: "m.room.encrypted", Own: own, Session: session, Index: index, SentAt: noon, DueAt: noon.Add(time.Hour),
	}))
}

func TestAKeyIsSpentUpToTheFirstMessageThatMayStillBeRead(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		matrixStores(t, s)
		spent := func() []SpentKey { return must[[]SpentKey](t)(s.SpentKeys(ctx, noon, 10)) }
		encrypted(t, s, "$0", "s", false, 0)
		encrypted(t, s, "$1", "s", false, 1)
		encrypted(t, s, "$5", "s", false, 5)
		encrypted(t, s, "$own", "s", true, 7)
		enter(t, s, "!r", map[string]int{"$open": 0})
		require.NoError(t, s.MarkVerified(ctx, "$open", noon))
		require.Empty(t, spent(), "what was not encrypted has no key")

		require.NoError(t, s.MarkVerified(ctx, "$0", noon))
		want := SpentKey{RoomID: "!r", Session: "s", Below: 1, InUse: true, Until: noon}
		require.Equal(t, []SpentKey{want}, spent())
		require.NoError(t, s.MarkForgotten(ctx, want))
		require.Empty(t, spent(), "done once")

		require.NoError(t, s.MarkGone(ctx, "$5", noon)) // out of order
		require.Equal(t, []SpentKey{want}, spent())
		require.NoError(t, s.MarkForgotten(ctx, want))
		require.NoError(t, s.MarkVerified(ctx, "$1", noon))
		want.Below, want.InUse = 6, false
		require.Equal(t, []SpentKey{want}, spent(), "what went before is not forgotten")
		require.NoError(t, s.MarkForgotten(ctx, want))

		require.NoError(t, s.KeyCame(ctx, "!r", "s"))
		require.Equal(t, []SpentKey{want}, spent(), "a key that comes late opens nothing either")
		require.NoError(t, s.MarkForgotten(ctx, want))
		require.Empty(t, spent())

		// A message that was removed at once must not take the key from one sent before it that is
		// still on its way: that one could never be read.
		require.NoError(t, s.MarkVerified(ctx, "$own", noon))
		early := noon.Add(-time.Minute)
		require.Empty(t, must[[]SpentKey](t)(s.SpentKeys(ctx, early, 10)))
		require.NoError(t, s.MarkForgotten(ctx, SpentKey{RoomID: "!r", Session: "s", Own: true, Until: early}))
		require.Equal(t, []SpentKey{{RoomID: "!r", Session: "s", Own: true, Below: 8, Until: noon}}, spent(), "the bot's are apart")
	})
}

func TestAnEventOfUnknownIndexKeepsItsKey(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		encrypted(t, s, "$0", "s", false, 0)
		encrypted(t, s, "$?", "s", false, -1)
		require.NoError(t, s.MarkVerified(t.Context(), "$0", noon))
		require.Equal(t, int64(-1), must[[]SpentKey](t)(s.SpentKeys(t.Context(), noon, 10))[0].Below)
	})
}

func TestIntakeTellsTheLedgerWhichKeyOpensAnEvent(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		e := wrote("$1", "@anna:test", "!r")
		e.Session, e.Index = "s", 7
		synced(t, s, e)
		row := found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1"))
		require.Equal(t, "s", row.Session)
		require.Equal(t, int64(7), row.Index)
	})
}
