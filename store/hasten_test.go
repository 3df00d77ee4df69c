package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What was postponed before the clock was set back an hour is due again; what was planned for
// later keeps its wait, and what waits no longer than anything does, its time.
func TestAClockThatWasSetBackMakesNothingWaitLonger(t *testing.T) {
	const longest = 5 * time.Minute
	each(t, func(t *testing.T, s *Store) {
		ctx, back := t.Context(), noon.Add(-time.Hour)
		queue(t, s, "tried", "tried")
		effect := claimOne(t, s)
		require.NoError(t, s.RetryEffect(ctx, effect, noon.Add(time.Second), "away"))
		require.NoError(t, s.AddEffects(ctx, []Effect{{Destination: "planned", Kind: "planned", DueAt: noon.Add(time.Minute), CreatedAt: noon}}))
		require.NoError(t, s.AddAct(ctx, "queue", "act", "key", noon))
		turn := must[[]Turn](t)(s.HeadTurns(ctx, noon, 1))[0]
		require.NoError(t, s.PostponeTurn(ctx, turn.ID, noon.Add(time.Second), "no key"))

		require.NoError(t, s.Hasten(ctx, noon, longest))
		require.Empty(t, must[[]Turn](t)(s.HeadTurns(ctx, noon, 9)), "nothing waits too long yet")

		require.NoError(t, s.Hasten(ctx, back, longest))
		require.Equal(t, []string{"tried"}, kinds(claimAt(t, s, "worker", back)))
		require.Len(t, must[[]Turn](t)(s.HeadTurns(ctx, back, 9)), 1)
		require.Empty(t, claimAt(t, s, "worker", back, "tried"), "what was planned has its wait still")
		require.Equal(t, []string{"planned"}, kinds(claimAt(t, s, "worker", back.Add(time.Minute), "tried")))
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

// What is parked, or came in by a clock that ran ahead, waits no longer than it would have.
func TestWhatCameInLaterThanNowWaitsFromNow(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, back := t.Context(), noon.Add(-time.Hour)
		for _, key := range []string{"parked", "open"} {
			require.NoError(t, s.AddAct(ctx, key, "act", key, noon))
		}
		received := func(key string) Turn {
			turn, _, err := s.Turn(ctx, "act:"+key, 0)
			require.NoError(t, err)
			return turn
		}
		turn := received("parked")
		require.NoError(t, s.Park(ctx, Parked{EventID: turn.EventID, Turn: turn.ID, NextAt: noon.Add(time.Minute)}))
		require.NoError(t, s.FinishTurn(ctx, turn.ID, noon))
		require.NoError(t, s.Hasten(ctx, back, 5*time.Minute))
		require.Equal(t, 1, must[int](t)(s.ReopenParked(ctx, back, 9)))
		for _, key := range []string{"parked", "open"} {
			require.True(t, received(key).ReceivedAt.Equal(back), key)
		}
	})
}

// An alarm is silent for as long as if it had been told now, not for as long as the clock went back.
func TestAnAlarmThatWasToldLaterThanNowWasToldNow(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, back := t.Context(), noon.Add(-30*24*time.Hour)
		told := Alarm{Kind: "alarm.removal", Practice: "zuid", ToldAt: noon, Size: 2}
		before := Alarm{Kind: "alarm.unfiled", Practice: "zuid", ToldAt: back.Add(-time.Hour), Size: 3}
		for _, a := range []Alarm{told, before} {
			require.NoError(t, s.SaveAlarm(ctx, a))
		}
		require.NoError(t, s.Hasten(ctx, back, 5*time.Minute))
		told.ToldAt = back
		for _, want := range []Alarm{told, before} {
			got := must[Alarm](t)(s.Alarm(ctx, want.Kind, want.Practice))
			require.True(t, got.ToldAt.Equal(want.ToldAt), want.Kind)
			require.Equal(t, want.Size, got.Size)
		}
	})
}
