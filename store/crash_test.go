package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/util/dbutil"
)

// A crasher panics after the n-th statement, as far as the database can tell a crash there.
type crasher struct {
	dbutil.DatabaseLogger
	left int
}

func (c *crasher) QueryTiming(_ context.Context, method, _ string, _ []any, _ int, _ time.Duration, _ error) {
	switch method {
	case "Exec", "Query", "QueryRow":
		c.left--
		if c.left == 0 {
			panic("crash")
		}
	}
}

// crashing is what the store does in more than one statement. Each finds what before leaves.
var crashing = []struct {
	name   string
	before func(t *testing.T, s *Store)
	do     func(ctx context.Context, s *Store) error
}{
	{"keeping a batch", func(t *testing.T, s *Store) {
		pushed(t, s, wrote("$2", "@anna:test", "!r"))
		queue(t, s, "a", "a1")
	}, func(ctx context.Context, s *Store) error {
		effects, err := s.ClaimEffects(ctx, "worker", "", noon, lease, 1, nil)
		if err != nil {
			return err
		}
		echo := wrote("$own", testBot, "!r")
		echo.TxnID = effects[0].TxnID
		events := []Event{wrote("$1", "@anna:test", "!r"), wrote("$2", "@anna:test", "!r"), echo}
		_, err = s.Keep(ctx, Batch{NextBatch: "next", Events: events, Now: noon, Due: month})
		return err
	}},
	{"placing what is overdue", func(t *testing.T, s *Store) {
		pushed(t, s, wrote("$1", "@anna:test", "!r"), wrote("$2", "@anna:test", "!r"))
	}, func(ctx context.Context, s *Store) error {
		_, err := s.PlaceOverdue(ctx, noon)
		return err
	}},
	{"ending a turn with what it leads to", func(t *testing.T, s *Store) {
		synced(t, s, wrote("$1", "@anna:test", "!r"), wrote("$2", "@anna:test", "!r"))
	}, func(ctx context.Context, s *Store) error {
		turns, err := s.HeadTurns(ctx, noon, 1)
		if err != nil {
			return err
		}
		if err := s.ForwardTurn(ctx, turns[0], "room:!balie", "{}", noon); err != nil {
			return err
		}
		if err := s.AddEffects(ctx, []Effect{{Destination: "a"}, {Destination: "a"}}); err != nil {
			return err
		}
		return s.FinishTurn(ctx, turns[0].ID, noon)
	}},
	{"learning whose room it is", func(t *testing.T, s *Store) {
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		synced(t, s, wrote("$1", "@anna:test", "!r"), wrote("$2", "@anna:test", "!r"))
	}, func(ctx context.Context, s *Store) error {
		return s.SaveRoom(ctx, Room{ID: "!r", Kind: RoomContact, Person: anna().ID})
	}},
	{"failing and requeueing", func(t *testing.T, s *Store) { queue(t, s, "a", "a1", "a2") }, func(ctx context.Context, s *Store) error {
		effects, err := s.ClaimEffects(ctx, "worker", "", noon, lease, 1, nil)
		if err != nil {
			return err
		}
		if err := s.FailEffect(ctx, effects[0], "refused", noon); err != nil {
			return err
		}
		if err := s.RequeueEffect(ctx, effects[0].ID, noon); err != nil {
			return err
		}
		_, err = s.CancelEffects(ctx, "a")
		return err
	}},
	{"deleting a person", func(t *testing.T, s *Store) { fill(t, s, "gone") }, func(ctx context.Context, s *Store) error {
		return s.DeletePerson(ctx, "person-gone")
	}},
	{"forgetting what is done", func(t *testing.T, s *Store) { fill(t, s, "gone") }, func(ctx context.Context, s *Store) error {
		if err := s.DueNow(ctx, "!consulting-gone", noon.Add(-time.Hour)); err != nil {
			return err
		}
		_, err := s.ForgetDone(ctx, noon.Add(time.Hour))
		return err
	}},
	{"holding a message", func(*testing.T, *Store) {}, func(ctx context.Context, s *Store) error {
		return s.Hold(ctx, HeldEvent{EventID: "$1", Conversation: "c", RoomID: "!r", SentAt: noon})
	}},
}

func TestACrashAfterAnyStatementLeavesEverythingAsItWas(t *testing.T) {
	for _, tt := range crashing {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				withBot(t, s)
				tt.before(t, s)
				before, log := everyCell(t, s), s.db.Log
				statements := 0
				for err := error(nil); statements == 0 || err != nil; {
					statements++
					require.Less(t, statements, 200)
					s.db.Log = &crasher{DatabaseLogger: log, left: statements}
					err = s.Transact(t.Context(), func(ctx context.Context) error { return tt.do(ctx, s) })
					s.db.Log = log
					if err != nil {
						require.ErrorContains(t, err, "panic")
						require.ElementsMatch(t, before, everyCell(t, s), "after statement %d", statements)
					}
				}
				require.NotEqual(t, before, everyCell(t, s), "in the end it went through")
				t.Logf("%d statements", statements-1)
			})
		})
	}
}
