package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAGapStaysUntilItIsFilledAndWhatCameAfterItWaits(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.SaveBot(ctx, Bot{UserID: "@bot:test"}))
		event := func(id, room string) Event {
			return Event{ID: id, RoomID: room, Type: "m.room.message", Sender: "@a:test", OriginAt: noon, ForInbox: true}
		}
		keep := func(b Batch) KeepResult {
			t.Helper()
			b.Now, b.Due = noon, func(sent time.Time) time.Time { return sent }
			return must[KeepResult](t)(s.Keep(ctx, b))
		}
		gap := Gap{RoomID: "!a", Since: "n1", Place: "p", Entered: true}
		got := keep(Batch{NextBatch: "n2", Events: []Event{event("$3", "!a"), event("$b", "!b")}, Gaps: []Gap{gap}})
		require.Equal(t, 1, got.Placed, "the other room does not wait")
		require.Equal(t, 0, keep(Batch{NextBatch: "n3", Events: []Event{event("$4", "!a")}}).Placed)
		require.Equal(t, gap, found[Gap](t)(s.GapIn(ctx, "!a")))
		missing[Gap](t)(s.GapIn(ctx, "!b"))

		require.NoError(t, s.PostponeGap(ctx, "!a", noon.Add(time.Minute)))
		missing[Gap](t)(s.NextGap(ctx, noon))
		gap.Attempt = 1
		require.Equal(t, gap, found[Gap](t)(s.NextGap(ctx, noon.Add(time.Minute))))
		require.NoError(t, s.Hasten(ctx, noon.Add(-time.Hour), time.Minute))
		require.Equal(t, gap, found[Gap](t)(s.NextGap(ctx, noon.Add(-time.Hour))), "the clock was set back")

		later := gap
		later.Place = "q"
		keep(Batch{NextBatch: "n4", Gaps: []Gap{{RoomID: "!a", Since: "n3", Place: "q"}}})
		require.Equal(t, 2, keep(Batch{Events: []Event{event("$1", "!a"), event("$2", "!a")}, Fills: &gap}).Placed)
		require.Equal(t, later, found[Gap](t)(s.GapIn(ctx, "!a")), "it has grown since it was read")
		require.Equal(t, 2, keep(Batch{Events: []Event{event("$2", "!a"), event("$3", "!a"), event("$4", "!a")}, Fills: &later}).Placed)
		missing[Gap](t)(s.GapIn(ctx, "!a"))
		require.Equal(t, 1, keep(Batch{NextBatch: "n5", Events: []Event{event("$5", "!a")}}).Placed)
		var order []string
		for {
			turns := must[[]Turn](t)(s.HeadTurns(ctx, noon, 9))
			if len(turns) == 0 {
				break
			}
			for _, turn := range turns {
				if turn.RoomID == "!a" {
					order = append(order, turn.EventID)
				}
				require.NoError(t, s.FinishTurn(ctx, turn.ID, noon))
			}
		}
		require.Equal(t, []string{"$1", "$2", "$3", "$4", "$5"}, order)
	})
}
