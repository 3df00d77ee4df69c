package store

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// head is the first turn that can be taken at noon.
func head(t *testing.T, s *Store) Turn {
	t.Helper()
	turns := must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 1))
	require.Len(t, turns, 1)
	return turns[0]
}

func TestEachQueueGivesItsFirstTurnOnly(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$a1", "@a:test", "!a"), wrote("$a2", "@a:test", "!a"), wrote("$b1", "@b:test", "!b"))
		require.Equal(t, []string{"$a1", "$b1"}, heads(t, s))
		require.Len(t, must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 1)), 1)
		finish(t, s, "room:!a")
		require.Equal(t, []string{"$a2", "$b1"}, heads(t, s))
	})
}

func TestAPostponedTurnHoldsUpItsOwnQueueOnly(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$a1", "@a:test", "!a"), wrote("$a2", "@a:test", "!a"), wrote("$b1", "@b:test", "!b"))
		require.NoError(t, s.PostponeTurn(t.Context(), head(t, s).ID, noon.Add(time.Minute), "no key"))
		require.Equal(t, []string{"$b1"}, heads(t, s))
		require.Equal(t, 1, found[Turn](t)(s.Turn(t.Context(), "$a1", 0)).Attempt)

		later := must[[]Turn](t)(s.HeadTurns(t.Context(), noon.Add(time.Minute), 9))
		require.Equal(t, []string{"$b1", "$a1"}, []string{later[0].EventID, later[1].EventID})
	})
}

func TestAFailedTurnLetsItsQueueGoOn(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$1", "@a:test", "!a"), wrote("$2", "@a:test", "!a"))
		require.NoError(t, s.FailTurn(t.Context(), head(t, s).ID, "cannot be read", noon))
		require.Equal(t, []string{"$2"}, heads(t, s))
		require.Equal(t, 1, must[Backlog](t)(s.Backlog(t.Context())).Failed)
	})
}

func TestEndingATurnTwiceDoesNotSkipTheNext(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$1", "@a:test", "!a"), wrote("$2", "@a:test", "!a"))
		first := head(t, s).ID
		for range 2 {
			require.NoError(t, s.FinishTurn(t.Context(), first, noon))
		}
		require.NoError(t, s.FailTurn(t.Context(), first, "too late", noon))
		require.NoError(t, s.PostponeTurn(t.Context(), first, noon.Add(time.Hour), "too late"))
		require.NoError(t, s.FinishTurn(t.Context(), 4711, noon), "one that never was")
		require.Equal(t, []string{"$2"}, heads(t, s))
	})
}

func TestATurnIsForwardedOnceToTheEndOfAnotherQueue(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$command", "@staff:test", "!beheer"), wrote("$waiting", "@anna:test", "!r"))
		command := head(t, s)
		for range 2 {
			require.NoError(t, s.ForwardTurn(t.Context(), command, "room:!r", `{"do":"approve"}`, noon.Add(time.Second)))
		}
		finish(t, s, "room:!beheer")
		require.Equal(t, "$waiting", finish(t, s, "room:!r"))
		forwarded := head(t, s)
		require.Equal(t, Turn{
			ID: forwarded.ID, EventID: "$command", RoomID: "!beheer", Step: 1, Queue: "room:!r", Type: "m.room.encrypted",
			Sender: "@staff:test", Act: `{"do":"approve"}`, OriginAt: noon, ReceivedAt: noon.Add(time.Second),
		}, forwarded)
		finish(t, s, "room:!r")
		require.Empty(t, heads(t, s))
	})
}

func TestAnActThatIsNotFromMatrixIsAddedOncePerKey(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for range 2 {
			require.NoError(t, s.AddAct(t.Context(), "user:@anna:test", `{"do":"remind"}`, "remind 1", noon))
		}
		act := head(t, s)
		require.Equal(t, Turn{
			ID: act.ID, EventID: "act:remind 1", Queue: "user:@anna:test", Act: `{"do":"remind"}`, OriginAt: noon, ReceivedAt: noon,
		}, act)
		finish(t, s, "user:@anna:test")
		require.NoError(t, s.AddAct(t.Context(), "user:@anna:test", `{"do":"remind"}`, "remind 1", noon))
		require.Empty(t, heads(t, s), "also when it is done")
	})
}

func TestATurnThatIsRolledBackIsTakenAgain(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$1", "@a:test", "!a"), wrote("$2", "@a:test", "!a"))
		turn := head(t, s)
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.AddEffects(ctx, []Effect{{Destination: "room", Kind: "say"}}))
			require.NoError(t, s.FinishTurn(ctx, turn.ID, noon))
			panic("crash before the commit")
		})
		require.Error(t, err)
		require.Equal(t, []string{"$1"}, heads(t, s))
		require.Empty(t, must[map[EffectState]int](t)(s.EffectCounts(t.Context())))
	})
}

func TestTheBacklogCountsWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.Equal(t, Backlog{}, must[Backlog](t)(s.Backlog(t.Context())))
		_, found, err := s.NextTurn(t.Context())
		require.NoError(t, err)
		require.False(t, found)

		synced(t, s, wrote("$1", "@a:test", "!a"), wrote("$2", "@b:test", "!b"), wrote("$3", "@c:test", "!c"))
		pushed(t, s, wrote("$4", "@a:test", "!a"))
		finish(t, s, "room:!c")
		require.NoError(t, s.PostponeTurn(t.Context(), head(t, s).ID, noon.Add(time.Hour), "no key"))
		require.Equal(t, Backlog{Open: 3, Unplaced: 1, Postponed: 1, Oldest: noon}, must[Backlog](t)(s.Backlog(t.Context())))
	})
}

func TestALongReasonIsCutBetweenCharacters(t *testing.T) {
	cut := short(strings.Repeat("é", 300))
	require.LessOrEqual(t, len(cut), 303)
	require.True(t, utf8.ValidString(cut))
	require.Equal(t, "as it is", short("as it is"))
}

func TestWhatIsDoneIsForgottenAndWhatIsNotStays(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		synced(t, s, wrote("$done", "@a:test", "!a"), wrote("$failed", "@b:test", "!b"), wrote("$open", "@c:test", "!c"))
		require.Equal(t, "$done", finish(t, s, "room:!a"))
		require.NoError(t, s.FailTurn(ctx, head(t, s).ID, "unreadable", noon))
		for _, kind := range []string{"done", "failed", "queued"} {
			require.NoError(t, s.AddEffects(ctx, []Effect{{Destination: kind, Kind: kind}}))
		}
		for _, e := range must[[]Effect](t)(s.ClaimEffects(ctx, "w", "", noon, time.Minute, 2, nil)) {
			if e.Kind == "done" {
				require.NoError(t, s.FinishEffect(ctx, e, "", noon))
			} else {
				require.NoError(t, s.FailEffect(ctx, e, "refused", noon))
			}
		}
		require.NoError(t, s.MarkVerified(ctx, "$done", noon))
		require.NoError(t, s.AddMedia(ctx, Media{URI: "mxc://gone", RoomID: "!a", SentAt: noon, DueAt: noon}))
		require.NoError(t, s.AddMedia(ctx, Media{URI: "mxc://kept", RoomID: "!a", SentAt: noon, DueAt: noon}))
		require.NoError(t, s.MarkMedia(ctx, "mxc://gone", MediaErased, noon))
		require.NoError(t, s.AddMirror(ctx, Mirror{SourceEvent: "$1", SourceRoom: "!a", TargetEvent: "$2", TargetRoom: "!b", At: noon}))

		require.Zero(t, must[int64](t)(s.ForgetDone(ctx, noon)), "what was done at that time is not before it")
		require.Equal(t, int64(6), must[int64](t)(s.ForgetDone(ctx, noon.Add(time.Second))))
		missing[Turn](t)(s.Turn(ctx, "$done", 0))
		missing[Turn](t)(s.Turn(ctx, "$failed", 0))
		found[Turn](t)(s.Turn(ctx, "$open", 0))
		missing[LedgerRow](t)(s.LedgerEvent(ctx, "$done"))
		found[LedgerRow](t)(s.LedgerEvent(ctx, "$failed"))
		found[Media](t)(s.Media(ctx, "mxc://kept"))
		require.Equal(t, map[EffectState]int{EffectQueued: 1, EffectFailed: 1},
			must[map[EffectState]int](t)(s.EffectCounts(ctx)), "staff have to decide about what failed")
	})
}
