package store

import (
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/stretchr/testify/require"
)

func TestWhatIsNotFiledIsCountedPerPractice(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for id, practice := range map[string]string{"a": "zuid", "b": "zuid", "c": "noord"} {
			require.NoError(t, s.SaveConversation(ctx, care.Conversation{ID: id, Number: int64(id[0]), Practice: practice, State: care.Open, OpenedAt: noon}))
		}
		old, new := noon.Add(-time.Hour), noon.Add(time.Hour)
		require.NoError(t, s.AddEffects(ctx, []Effect{
			{Destination: "his:a", Lane: "his:zuid", Kind: "file", Conversation: "a", CreatedAt: old}, {Destination: "his:a", Lane: "his:zuid", Kind: "file", Conversation: "a", CreatedAt: noon},
			{Destination: "his:b", Lane: "his:zuid", Kind: "file", Conversation: "b", CreatedAt: noon}, {Destination: "his:c", Lane: "his:zuid", Kind: "file", Conversation: "c", CreatedAt: old},
			{Destination: "his:c", Lane: "his:zuid", Kind: "file", Conversation: "c", CreatedAt: new}, {Destination: "conversation:c", Kind: "relay", Conversation: "c", CreatedAt: old},
			{Destination: "kept:c", Lane: "kept", Kind: "file", Conversation: "c", CreatedAt: old},
		}))
		require.NoError(t, s.AddEffects(ctx, []Effect{{Destination: "track:a", Lane: "his:zuid", Kind: "track", Conversation: "a", CreatedAt: old, DueAt: new}}))
		require.Equal(t, []Trouble{
			{Practice: "noord", Count: 1, Since: old, About: []string{"99"}}, {Practice: "zuid", Count: 3, Since: old, About: []string{"97", "98"}},
		}, must[[]Trouble](t)(s.Unfiled(ctx, noon, "kept")))
		require.Equal(t, []Trouble{{Practice: "noord", Count: 1, Since: old, About: []string{"99"}}}, must[[]Trouble](t)(s.Unclosed(ctx, noon, "kept")))
		require.Empty(t, must[[]Trouble](t)(s.Unclosed(ctx, old.Add(-time.Second), "kept")))
		require.Empty(t, must[[]Trouble](t)(s.Unaccepted(ctx, noon, "kept")), "nobody has tried")
		require.NoError(t, s.AddEffects(ctx, []Effect{
			{Destination: "kept:d", Lane: "kept", Kind: "file.answer", Conversation: "a", CreatedAt: old}, {Destination: "report:a", Lane: "his:zuid", Kind: "report", Conversation: "a", CreatedAt: old},
		}))
		require.Len(t, must[[]Trouble](t)(s.Unclosed(ctx, noon, "kept")), 1, "what came from the system is there")
		tried := must[[]Effect](t)(s.ClaimEffects(ctx, "w", "his:zuid", noon, time.Minute, 10, nil))
		require.Len(t, tried, 4)
		require.Empty(t, must[[]Trouble](t)(s.Unaccepted(ctx, noon, "kept")), "nothing has failed")
		for _, e := range tried {
			require.NoError(t, s.RetryEffect(ctx, e, noon, "failed"))
		}
		require.Equal(t, []Trouble{{Practice: "noord", Count: 1, Since: old, About: []string{"99"}}, {Practice: "zuid", Count: 2, Since: old, About: []string{"97", "98"}}}, must[[]Trouble](t)(s.Unaccepted(ctx, noon, "kept")))
		for _, e := range must[[]Effect](t)(s.ClaimEffects(ctx, "w", "", new, time.Minute, 10, nil)) {
			require.NoError(t, s.FailEffect(ctx, e, "refused", noon))
		}
		require.Len(t, must[[]Trouble](t)(s.Unfiled(ctx, noon, "kept")), 2, "refused is not filed either")
	})
}

func TestWhatCannotBeRemovedIsCounted(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!balie", Kind: RoomBalie, Practice: "zuid"}))
		enter(t, s, "!balie", map[string]int{"$1": 0, "$2": 5})
		enter(t, s, "!unknown", map[string]int{"$3": 0})
		require.NoError(t, s.AddMedia(ctx, Media{URI: "mxc://1", RoomID: "!balie", SentAt: noon, DueAt: noon}))
		require.Empty(t, must[[]Trouble](t)(s.Unremoved(ctx, 2)))
		for range 2 {
			for _, event := range []string{"$2", "$3"} {
				require.NoError(t, s.MarkLedgerFailed(ctx, event, noon, "down"))
			}
			require.NoError(t, s.RetryMedia(ctx, "mxc://1", noon, "down"))
		}
		require.ElementsMatch(t, []Trouble{
			{Practice: "zuid", Count: 2, Since: noon}, {Practice: "", Count: 1, Since: noon},
		}, must[[]Trouble](t)(s.Unremoved(ctx, 2)))
	})
}

func TestStuckTurnsSayWhose(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		require.NoError(t, s.SavePerson(ctx, anna()))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!r", Kind: RoomConsulting, Person: anna().ID}))
		synced(t, s, wrote("$1", "@anna:test", "!r"), wrote("$2", "@anna:test", "!r"))
		turn := must[[]Turn](t)(s.HeadTurns(ctx, noon, 1))[0]
		stuck := func(since time.Time) []Trouble { return must[[]Trouble](t)(s.StuckTurns(ctx, mostPassing+2, since)) }
		for range mostPassing + 1 {
			require.NoError(t, s.PostponeTurn(ctx, turn.ID, noon, TurnFailed))
		}
		require.Empty(t, stuck(noon))
		require.NoError(t, s.PostponeTurn(ctx, turn.ID, noon, TurnFailed))
		require.Len(t, stuck(noon), 1)
		require.Equal(t, []string{anna().ID}, stuck(noon)[0].About)
		require.NoError(t, s.PostponeTurn(ctx, turn.ID, noon, "no key"))
		require.Empty(t, stuck(noon), "it waits for something")
		require.NoError(t, s.PostponeTurn(ctx, turn.ID, noon, TurnAway))
		require.Len(t, stuck(noon), 1)
		require.Empty(t, stuck(noon.Add(-time.Minute)), "not for long yet")
	})
}

func TestWaitingDoesNotUseUpThePatienceWithFailures(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$1", "@anna:test", "!r"))
		first := func() Turn { return must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 1))[0] }
		for range 100 {
			for _, why := range []string{TurnAway, "not yet"} {
				require.NoError(t, s.PostponeTurn(t.Context(), first().ID, noon, why))
			}
		}
		require.Equal(t, mostPassing, first().Attempt)
		require.NoError(t, s.PostponeTurn(t.Context(), first().ID, noon, TurnFailed))
		require.Equal(t, mostPassing+1, first().Attempt)
	})
}

func TestAnAlarmIsRemembered(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		never := must[Alarm](t)(s.Alarm(t.Context(), "unfiled", "zuid"))
		require.True(t, never.ToldAt.IsZero())
		for size := range 2 {
			want := Alarm{Kind: "unfiled", Practice: "zuid", ToldAt: noon, Size: size + 1}
			require.NoError(t, s.SaveAlarm(t.Context(), want))
			require.Equal(t, want, must[Alarm](t)(s.Alarm(t.Context(), "unfiled", "zuid")))
		}
	})
}
