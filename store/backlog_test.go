package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestForgettingSparesWhatIsParkedAndTakesWhatWasNoted(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, later := t.Context(), noon.Add(time.Second)
		require.NoError(t, s.AddAct(ctx, "queue", "act", "parked", noon))
		turn := found[Turn](t)(s.Turn(ctx, "act:parked", 0))
		require.NoError(t, s.Park(ctx, Parked{EventID: turn.EventID, Turn: turn.ID, NextAt: later}))
		require.NoError(t, s.FinishTurn(ctx, turn.ID, noon))
		must[bool](t)(s.TellDevice(ctx, "@a:test", "PHONE", noon))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!left", Kind: RoomConversation, LeftAt: noon}))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!in", Kind: RoomConversation}))
		for _, room := range []string{"!left", "!in"} {
			require.NoError(t, s.SetRoomStaff(ctx, room, []string{"@staff:test"}, noon))
		}
		require.Equal(t, int64(2), must[int64](t)(s.ForgetDone(ctx, later)))
		require.Equal(t, 1, must[int](t)(s.ReopenParked(ctx, later, 9)))
		require.True(t, must[bool](t)(s.TellDevice(ctx, "@a:test", "PHONE", noon)))
		missing[time.Time](t)(s.StaffSince(ctx, "!left", "@staff:test"))
		found[time.Time](t)(s.StaffSince(ctx, "!in", "@staff:test"))
	})
}
