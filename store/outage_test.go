package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/care"
)

// lives keeps a batch of /sync some minutes after noon; a quarter of an hour without is an outage.
func lives(t *testing.T, s *Store, minutes int, events ...Event) []Outage {
	t.Helper()
	must[KeepResult](t)(s.Keep(t.Context(), Batch{
		NextBatch: "next", Events: events, Now: noon.Add(time.Duration(minutes) * time.Minute), Away: 15 * time.Minute, Due: month,
	}))
	return must[[]Outage](t)(s.Outages(t.Context()))
}

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func TestAnOutageIsTheTimeWithoutAnAnswerOfSync(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.Empty(t, lives(t, s, 0), "the first time there was nothing before")
		require.Empty(t, lives(t, s, 14))
		pushed(t, s) // a transaction is no answer of /sync
		require.Equal(t, []Outage{{minute(14), minute(29)}}, lives(t, s, 29))
		require.Equal(t, minute(29), must[Bot](t)(s.Bot(t.Context())).AliveAt)
		require.Len(t, lives(t, s, 30), 1, "until somebody has told it")
		require.NoError(t, s.EndOutage(t.Context(), Outage{From: minute(14)}))
		require.Empty(t, lives(t, s, 31))
		require.Empty(t, lives(t, s, -60), "a clock that is set back")
		must[KeepResult](t)(s.Keep(t.Context(), Batch{NextBatch: "next", Now: minute(1000), Due: month}))
		require.Empty(t, must[[]Outage](t)(s.Outages(t.Context())), "the settings say never")
	})
}

func TestAnOutageIsForgottenWithABatchThatFails(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		lives(t, s, 0)
		require.Error(t, s.Transact(t.Context(), func(ctx context.Context) error {
			_, err := s.Keep(ctx, Batch{NextBatch: "next", Now: minute(60), Away: time.Minute, Due: month})
			require.NoError(t, err)
			return ErrUnknown
		}))
		require.Empty(t, must[[]Outage](t)(s.Outages(t.Context())))
		require.Equal(t, minute(0), must[Bot](t)(s.Bot(t.Context())).AliveAt)
	})
}

func TestWhatWaitedInAnOutageIsCountedByRoom(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		for _, id := range []string{"p1", "p2"} {
			require.NoError(t, s.SavePerson(t.Context(), care.Person{ID: id, UserID: "@" + id + ":test"}))
			require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!" + id, Kind: RoomConsulting, Person: id}))
		}
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!contact", Kind: RoomContact, Person: "p1"}))
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!talk", Kind: RoomConversation, Person: "p1", Conversation: "c", Practice: "zuid"}))
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!balie", Kind: RoomBalie, Practice: "zuid"}))
		at := func(id, user, room string, minutes int) Event {
			e := wrote(id, user, room)
			e.OriginAt = minute(minutes)
			return e
		}
		lives(t, s, 0, at("$before", "@p1:test", "!p1", 0))
		reaction := at("$reaction", "@p1:test", "!p1", 10)
		reaction.Type = "m.reaction"
		o := lives(t, s, 60, at("$1", "@p1:test", "!p1", 10), at("$2", "@p1:test", "!p1", 20), reaction, at("$3", "@fatima:test", "!talk", 5),
			at("$4", "@p1:test", "!contact", 5), at("$5", "@fatima:test", "!balie", 5), at("$late", "@p2:test", "!p2", 60))
		lives(t, s, 61, at("$after", "@p1:test", "!p1", 61))
		require.Equal(t, []Waited{
			{Kind: RoomConsulting, Person: "p1", Messages: 2},
			{Kind: RoomConversation, Person: "p1", Conversation: "c", Practice: "zuid", Messages: 1},
		}, must[[]Waited](t)(s.WaitedIn(t.Context(), o[0])))
	})
}
