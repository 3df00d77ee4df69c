package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatSomeoneSentLatelyIsCounted(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		event := func(n int, kind, sender, room string, ago time.Duration) Event {
			return Event{ID: fmt.Sprintf("$%d", n), RoomID: room, Type: kind, Sender: sender, OriginAt: noon.Add(-ago), ForInbox: true}
		}
		require.NoError(t, s.SaveBot(t.Context(), Bot{UserID: testBot}))
		_, err := s.Keep(t.Context(), Batch{NextBatch: "n", Now: noon, Due: func(at time.Time) time.Time { return at }, Events: []Event{
			event(1, "m.room.encrypted", "@anna:a", "!r", 0), event(2, "m.sticker", "@anna:a", "!r", time.Second),
			event(3, "m.room.encrypted", "@anna:a", "!r", time.Minute), event(4, "m.room.encrypted", "@anna:a", "!other", 0),
			event(5, "m.room.encrypted", "@bob:a", "!r", 0), event(6, "m.reaction", "@anna:a", "!r", 0),
			event(7, "m.room.redaction", "@anna:a", "!r", 0), event(8, "m.room.member", "@anna:a", "!r", 0),
		}})
		require.NoError(t, err)
		require.Equal(t, 2, must[int](t)(s.SentSince(t.Context(), "@anna:a", "!r", noon.Add(-time.Minute))))
	})
}

func TestWhetherAnythingWaitsForADestination(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		waits := func() bool { return must[bool](t)(s.HasQueuedTo(t.Context(), "calm:1")) }
		require.False(t, waits())
		later := Effect{Destination: "calm:1", Kind: "gate", DueAt: noon.Add(time.Minute)}
		require.NoError(t, s.AddEffects(t.Context(), []Effect{later, {Destination: "calm:2", Kind: "gate"}}))
		require.True(t, waits(), "also before its time")
		require.Equal(t, []string{"gate"}, kinds(claimAt(t, s, "worker", noon)), "the other's")
		claimed := claimAt(t, s, "worker", noon.Add(time.Minute))
		require.True(t, waits(), "it is on its way")
		for _, e := range claimed {
			require.NoError(t, s.FinishEffect(t.Context(), e, "", noon))
		}
		require.False(t, waits())
	})
}
