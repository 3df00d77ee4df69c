package store

import (
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

// takeAll takes every turn that can be taken, one after the other.
func takeAll(t *testing.T, s *Store, now time.Time) (all []Turn) {
	t.Helper()
	for {
		turns := must[[]Turn](t)(s.HeadTurns(t.Context(), now, 9))
		if len(turns) == 0 {
			return all
		}
		for _, turn := range turns {
			all = append(all, turn)
			require.NoError(t, s.FinishTurn(t.Context(), turn.ID, now))
		}
	}
}

func TestWhatIsLostHasATurnInItsPlaceAndSaysFromWhenToWhen(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		require.NoError(t, s.SavePerson(ctx, care.Person{ID: "anna", UserID: "@anna:test"}))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!a", Kind: RoomConsulting, Person: "anna"}))
		clock := noon
		keep := func(b Batch) {
			t.Helper()
			b.Now, b.Due = clock, func(sent time.Time) time.Time { return sent }
			_, err := s.Keep(ctx, b)
			require.NoError(t, err)
		}
		event := func(id string) Event {
			return Event{ID: id, RoomID: "!a", Type: "m.room.message", Sender: "@anna:test", OriginAt: clock, ForInbox: true}
		}
		keep(Batch{NextBatch: "n1", Events: []Event{event("$1")}})
		clock = noon.Add(time.Hour)
		keep(Batch{NextBatch: "n2", Events: []Event{event("$3")}, Gaps: []Gap{{RoomID: "!a", Since: "n1", Place: "p", Lost: true}}})
		turns := takeAll(t, s, clock)
		require.Len(t, turns, 3)
		lost := turns[1]
		require.Equal(t, []string{"$1", "$3"}, []string{turns[0].EventID, turns[2].EventID}, "it is where they would have been")
		require.Equal(t, []string{LostTurn, "!a", QueueOf("@anna:test")}, []string{lost.Type, lost.RoomID, lost.Queue})
		require.True(t, lost.OriginAt.Equal(noon) && lost.ReceivedAt.Equal(clock), "%s", lost.OriginAt)

		opened := clock.Add(time.Hour)
		clock = opened
		keep(Batch{NextBatch: "n3", Events: []Event{event("$5")}, Gaps: []Gap{{RoomID: "!a", Since: "n2", Place: "q"}}})
		read := found[Gap](t)(s.GapIn(ctx, "!a"))
		clock = clock.Add(time.Minute)
		keep(Batch{NextBatch: "n4", Events: []Event{event("$7")}, Gaps: []Gap{{RoomID: "!a", Since: "n3", Place: "r"}}})
		grown := clock
		clock = clock.Add(time.Hour)
		read.Lost = true
		keep(Batch{Fills: &read})
		require.Equal(t, 2, must[int](t)(s.PlaceOverdue(ctx, clock.Add(-time.Minute))))
		require.Len(t, takeAll(t, s, clock), 2, "it has grown since: what is new may still be read")
		read = found[Gap](t)(s.GapIn(ctx, "!a"))
		read.Lost = true
		keep(Batch{Fills: &read})
		missing[Gap](t)(s.GapIn(ctx, "!a"))
		turns = takeAll(t, s, clock)
		require.Len(t, turns, 1)
		require.Equal(t, LostTurn, turns[0].Type)
		require.True(t, turns[0].OriginAt.Equal(noon.Add(time.Hour)), "%s", turns[0].OriginAt)
		require.True(t, turns[0].ReceivedAt.Equal(grown), "what came later has come in")

		require.NoError(t, s.DeletePerson(ctx, "anna"))
		missing[Turn](t)(s.Turn(ctx, turns[0].EventID, 0))
	})
}
