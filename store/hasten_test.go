package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What was postponed before the clock was set back an hour is due again; what was planned for
// later, and what waits no longer than anything does, keeps its time.
func TestAClockThatWasSetBackMakesNothingWaitLonger(t *testing.T) {
	const longest = 5 * time.Minute
	each(t, func(t *testing.T, s *Store) {
		ctx, back := t.Context(), noon.Add(-time.Hour)
		queue(t, s, "tried", "tried")
		effect := claimOne(t, s)
		require.NoError(t, s.RetryEffect(ctx, effect, noon.Add(time.Second), "away"))
		require.NoError(t, s.AddEffects(ctx, []Effect{{Destination: "planned", Kind: "planned", DueAt: noon}}))
		require.NoError(t, s.AddAct(ctx, "queue", "act", "key", noon))
		turn := must[[]Turn](t)(s.HeadTurns(ctx, noon, 1))[0]
		require.NoError(t, s.PostponeTurn(ctx, turn.ID, noon.Add(time.Second), "no key"))

		require.NoError(t, s.Hasten(ctx, noon, longest))
		require.Empty(t, must[[]Turn](t)(s.HeadTurns(ctx, noon, 9)), "nothing waits too long yet")

		require.NoError(t, s.Hasten(ctx, back, longest))
		require.Equal(t, []string{"tried"}, kinds(claimAt(t, s, "worker", back)))
		require.Len(t, must[[]Turn](t)(s.HeadTurns(ctx, back, 9)), 1)
		require.Equal(t, []string{"planned"}, kinds(claimAt(t, s, "worker", noon, "tried")))
	})
}

func TestRemovalsThatFailedAreTriedAgainWhenTheClockWasSetBack(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, back := t.Context(), noon.Add(-time.Hour)
		for _, event := range []string{"$failed", "$later"} {
			row := LedgerRow{EventID: event, RoomID: "!room", Type: "m.room.message", SentAt: noon, DueAt: noon.Add(time.Hour)}
			require.NoError(t, s.AddLedger(ctx, row))
		}
		require.NoError(t, s.MarkLedgerFailed(ctx, "$failed", noon.Add(time.Minute), "away"))
		require.NoError(t, s.Hasten(ctx, back, 5*time.Minute))
		due := must[[]LedgerRow](t)(s.LedgerDue(ctx, back, 9))
		require.Len(t, due, 1, "retention itself keeps its time")
		require.Equal(t, "$failed", due[0].EventID)
	})
}
