package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// about enters an event that is about another, due in a month.
func about(t *testing.T, s *Store, event, target string) {
	t.Helper()
	require.NoError(t, s.AddLedger(t.Context(), LedgerRow{
		EventID: event, RoomID: "!r", Type: "m.room.encrypted", About: target, SentAt: noon, DueAt: noon.AddDate(0, 1, 0),
	}))
}

func TestWhatIsAboutARemovedEventGoesWithIt(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		enter(t, s, "!r", map[string]int{"$said": 600, "$other": 600})
		about(t, s, "$edit", "$said")
		about(t, s, "$elsewhere", "$other")
		require.Equal(t, "$said", found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$edit")).About)
		require.NoError(t, s.MarkRedacted(t.Context(), "$said", noon.Add(time.Second)))
		require.ElementsMatch(t, []string{"$said", "$edit"}, dueEvents(t, s, noon.Add(time.Second)))
		about(t, s, "$late", "$said")
		require.Contains(t, dueEvents(t, s, noon), "$late", "and so does what comes after")
		require.NoError(t, s.MarkVerified(t.Context(), "$said", noon))
		about(t, s, "$later", "$said")
		require.Contains(t, dueEvents(t, s, noon), "$later")
		require.NotContains(t, dueEvents(t, s, noon), "$elsewhere")
	})
}

func TestIntakeTellsTheLedgerWhatAnEventIsAbout(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		_, err := s.Keep(t.Context(), Batch{NextBatch: "n", Now: noon, Due: func(sent time.Time) time.Time { return sent.Add(time.Hour) }, Events: []Event{
			{ID: "$edit", RoomID: "!r", Type: "m.room.encrypted", Sender: "@anna:x", Target: "$said", HasContent: true, OriginAt: noon},
			{ID: "$removal", RoomID: "!r", Type: "m.room.redaction", Sender: "@anna:x", Target: "$said", HasContent: true, OriginAt: noon},
		}})
		require.NoError(t, err)
		require.Equal(t, "$said", found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$edit")).About)
		require.Empty(t, found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$removal")).About, "a removal outlives what it removed")
	})
}

func TestWhatWasRefusedHasNotArrivedEither(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.AddEffects(ctx, []Effect{
			{Destination: "his:1", Kind: "file", SourceEvent: "$1"}, {Destination: "his:2", Kind: "file", SourceEvent: "$1"},
			{Destination: "his:3", Kind: "file", SourceEvent: "$1"}, {Destination: "his:1", Kind: "file", SourceEvent: "$2"},
		}))
		claimed := must[[]Effect](t)(s.ClaimEffects(ctx, "w", "", noon, time.Minute, 10, nil))
		require.Len(t, claimed, 3)
		require.NoError(t, s.FailEffect(ctx, claimed[0], "refused", noon))
		require.NoError(t, s.FinishEffect(ctx, claimed[1], "", noon))
		undelivered := must[[]Effect](t)(s.UndeliveredFor(ctx, "$1"))
		require.Len(t, undelivered, 2)
		require.ElementsMatch(t, []EffectState{EffectQueued, EffectFailed}, []EffectState{undelivered[0].State, undelivered[1].State})
	})
}

func TestThePracticesRoomsOfAKind(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, r := range []Room{
			{ID: "!1", Kind: RoomConversation, Practice: "zuid", Conversation: "a"},
			{ID: "!2", Kind: RoomConversation, Practice: "zuid", Conversation: "b", LeftAt: noon},
			{ID: "!3", Kind: RoomBalie, Practice: "zuid"}, {ID: "!4", Kind: RoomConversation, Practice: "noord", Conversation: "c"},
		} {
			require.NoError(t, s.SaveRoom(t.Context(), r))
		}
		rooms := must[[]Room](t)(s.RoomsOfPractice(t.Context(), "zuid", RoomConversation))
		require.Len(t, rooms, 1)
		require.Equal(t, "!1", rooms[0].ID)
	})
}
