package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// month is when events of these tests must be gone.
func month(sent time.Time) time.Time { return sent.Add(30 * 24 * time.Hour) }

// wrote is a message with content from a user in a room.
func wrote(id, user, room string) Event {
	return Event{
		ID: id, RoomID: room, Type: "m.room.encrypted", Sender: user, OriginAt: noon, HasContent: true, ForInbox: true,
	}
}

// synced keeps events as an answer of /sync.
func synced(t *testing.T, s *Store, events ...Event) KeepResult {
	t.Helper()
	return must[KeepResult](t)(s.Keep(t.Context(), Batch{NextBatch: "next", Events: events, Now: noon, Due: month}))
}

// pushed keeps events as a transaction of the homeserver.
func pushed(t *testing.T, s *Store, events ...Event) KeepResult {
	t.Helper()
	return must[KeepResult](t)(s.Keep(t.Context(), Batch{Events: events, Now: noon, Due: month}))
}

// heads are the event ids of the turns that can be taken.
func heads(t *testing.T, s *Store) (ids []string) {
	t.Helper()
	for _, turn := range must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 100)) {
		ids = append(ids, turn.EventID)
	}
	return ids
}

// finish ends the head of a queue and says which event it was.
func finish(t *testing.T, s *Store, queue string) string {
	t.Helper()
	for _, turn := range must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 100)) {
		if turn.Queue == queue {
			require.NoError(t, s.FinishTurn(t.Context(), turn.ID, noon))
			return turn.EventID
		}
	}
	return ""
}

func TestKeepRemembersWhatAnEventWas(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		key := "@anna:test"
		require.Equal(t, KeepResult{Added: 1, Placed: 1}, synced(t, s, Event{
			ID: "$join", RoomID: "!r", Type: "m.room.member", Sender: "@anna:test", StateKey: &key, OriginAt: noon.Add(-time.Hour),
			Target: "$invite", ForInbox: true,
		}))
		turns := must[[]Turn](t)(s.HeadTurns(t.Context(), noon, 1))
		require.Equal(t, []Turn{{
			ID: turns[0].ID, EventID: "$join", RoomID: "!r", Queue: "room:!r", Type: "m.room.member", Sender: "@anna:test",
			StateKey: key, Target: "$invite", OriginAt: noon.Add(-time.Hour), ReceivedAt: noon,
		}}, turns)
		missing[LedgerRow](t)(s.LedgerEvent(t.Context(), "$join"))
	})
}

func TestKeepStoresWhereSyncGoesOnWithTheEvents(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s)
		require.Equal(t, "next", must[Bot](t)(s.Bot(t.Context())).NextBatch)
		pushed(t, s, wrote("$1", "@anna:test", "!r"))
		require.Equal(t, "next", must[Bot](t)(s.Bot(t.Context())).NextBatch, "a transaction does not move it")
	})
}

func TestACrashWhileKeepingKeepsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		due := func(sent time.Time) time.Time {
			if sent.Before(noon) {
				panic("crash between two events")
			}
			return month(sent)
		}
		second := wrote("$2", "@anna:test", "!r")
		second.OriginAt = noon.Add(-time.Minute)
		_, err := s.Keep(t.Context(), Batch{NextBatch: "n", Events: []Event{wrote("$1", "@anna:test", "!r"), second}, Now: noon, Due: due})
		require.Error(t, err)
		require.Empty(t, heads(t, s))
		require.Empty(t, must[Bot](t)(s.Bot(t.Context())).NextBatch)
		missing[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1"))
		require.Equal(t, KeepResult{Added: 2, Placed: 2}, synced(t, s, wrote("$1", "@anna:test", "!r"), second))
	})
}

func TestKeepWantsToKnowTheBot(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		_, err := s.Keep(t.Context(), Batch{NextBatch: "n", Now: noon})
		require.ErrorIs(t, err, ErrNoBot)
	})
}

func TestAnEventIsKeptOnceHoweverItComes(t *testing.T) {
	event := wrote("$1", "@anna:test", "!r")
	for name, come := range map[string]func(t *testing.T, s *Store){
		"by sync":                   func(t *testing.T, s *Store) { synced(t, s, event) },
		"by sync twice":             func(t *testing.T, s *Store) { synced(t, s, event); synced(t, s, event) },
		"twice in one batch":        func(t *testing.T, s *Store) { synced(t, s, event, event) },
		"by transaction, then sync": func(t *testing.T, s *Store) { pushed(t, s, event); synced(t, s, event) },
		"by sync, then transaction": func(t *testing.T, s *Store) { synced(t, s, event); pushed(t, s, event) },
		"by both, often": func(t *testing.T, s *Store) {
			pushed(t, s, event, event)
			pushed(t, s, event)
			synced(t, s, event)
			pushed(t, s, event)
			synced(t, s, event)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				withBot(t, s)
				come(t, s)
				require.Equal(t, []string{"$1"}, heads(t, s))
				require.Equal(t, "$1", finish(t, s, "room:!r"))
				come(t, s)
				require.Empty(t, heads(t, s), "what is done does not come back")
				require.Equal(t, Report{Kept: 1, Oldest: month(noon)}, must[Report](t)(s.RetentionReport(t.Context(), noon)))
			})
		})
	}
}

func TestSyncDecidesTheOrder(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		one, two, three := wrote("$1", "@anna:test", "!r"), wrote("$2", "@anna:test", "!r"), wrote("$3", "@anna:test", "!r")
		require.Equal(t, KeepResult{Added: 2}, pushed(t, s, three, one))
		require.Empty(t, heads(t, s), "known from a transaction is not in a queue yet")
		require.Equal(t, KeepResult{Added: 1, Placed: 3}, synced(t, s, one, two, three))
		for _, want := range []string{"$1", "$2", "$3", ""} {
			require.Equal(t, want, finish(t, s, "room:!r"))
		}
	})
}

func TestWhatSyncNeverPlacesGoesByItsOwnTimeAfterAWhile(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		late, early, fresh := wrote("$late", "@anna:test", "!r"), wrote("$early", "@anna:test", "!r"), wrote("$fresh", "@anna:test", "!r")
		early.OriginAt = noon.Add(-time.Hour)
		pushed(t, s, late, early)
		must[KeepResult](t)(s.Keep(t.Context(), Batch{Events: []Event{fresh}, Now: noon.Add(time.Minute), Due: month}))

		place := func(now time.Time) int { return must[int](t)(s.PlaceOverdue(t.Context(), now.Add(-time.Minute))) }
		require.Zero(t, place(noon.Add(59*time.Second)))
		require.Equal(t, 2, place(noon.Add(time.Minute)))
		require.Zero(t, place(noon.Add(time.Minute)), "once each")
		require.Equal(t, KeepResult{Placed: 1}, synced(t, s, early, late, fresh), "too late for the first two")
		for _, want := range []string{"$early", "$late", "$fresh", ""} {
			require.Equal(t, want, finish(t, s, "room:!r"))
		}
	})
}

func TestOurOwnEventsConfirmEffectsAndNeverWaitForATurn(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.NoError(t, s.AddEffects(t.Context(), []Effect{{Destination: "room", Kind: "say"}}))
		effect := claimOne(t, s)
		echo := wrote("$own", testBot, "!r")
		echo.TxnID = effect.TxnID
		require.Equal(t, KeepResult{Confirmed: []string{effect.TxnID}}, synced(t, s, echo))
		require.Equal(t, KeepResult{}, synced(t, s, echo), "confirmed once")
		require.Empty(t, heads(t, s))

		got := found[Effect](t)(s.EffectByTxn(t.Context(), effect.TxnID))
		require.Equal(t, "$own", got.EventID)
		require.Equal(t, EffectQueued, got.State, "it is the worker who finishes it")
		row := found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$own"))
		require.True(t, row.Own)
	})
}

func TestNobodyElseCanConfirmAnEffect(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.NoError(t, s.AddEffects(t.Context(), []Effect{{Destination: "room", Kind: "say"}}))
		effect := claimOne(t, s)
		forged := wrote("$forged", "@mallory:test", "!r")
		forged.TxnID = effect.TxnID
		require.Empty(t, synced(t, s, forged).Confirmed)
		require.Empty(t, found[Effect](t)(s.EffectByTxn(t.Context(), effect.TxnID)).EventID)
	})
}

func TestRoomsOfOnePersonShareAQueue(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		for id, kind := range map[string]RoomKind{"!contact": RoomContact, "!consulting": RoomConsulting, "!conversation": RoomConversation} {
			require.NoError(t, s.SaveRoom(t.Context(), Room{ID: id, Kind: kind, Person: anna().ID}))
		}
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!balie", Kind: RoomBalie, Practice: "zuid"}))
		invite := Event{ID: "$0", RoomID: "!new", Type: "m.room.member", Sender: anna().UserID, ForInbox: true, Queue: QueueOf(anna().UserID)}
		hinted := wrote("$4", "@staff:test", "!balie")
		hinted.Queue = "user:@someone:test" // a hint counts only where the room is not known
		synced(t, s, invite, wrote("$1", anna().UserID, "!contact"), wrote("$2", anna().UserID, "!consulting"),
			wrote("$3", "@staff:test", "!conversation"), hinted)
		require.Equal(t, []string{"$0", "$4"}, heads(t, s))
		for _, want := range []string{"$0", "$1", "$2", "$3", ""} {
			require.Equal(t, want, finish(t, s, "user:@anna:test"))
		}
		require.Equal(t, "$4", finish(t, s, "room:!balie"))
	})
}

func TestWhatWaitsInARoomMovesToItsPersonInOrder(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!known", Kind: RoomContact, Person: anna().ID}))
		synced(t, s, wrote("$1", anna().UserID, "!new"), wrote("$2", anna().UserID, "!known"), wrote("$3", anna().UserID, "!new"))
		pushed(t, s, wrote("$4", anna().UserID, "!new"))
		require.Equal(t, []string{"$1", "$2"}, heads(t, s))

		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!new", Kind: RoomConsulting, Person: anna().ID}))
		require.Equal(t, []string{"$1"}, heads(t, s))
		must[int](t)(s.PlaceOverdue(t.Context(), noon.Add(59*time.Minute)))
		for _, want := range []string{"$1", "$2", "$3", "$4", ""} {
			require.Equal(t, want, finish(t, s, QueueOf(anna().UserID)))
		}
	})
}

func TestTheLedgerCountsFromTheEarlierOfSentAndReceived(t *testing.T) {
	for name, tt := range map[string]struct{ origin, sent time.Time }{
		"sent an hour ago":               {noon.Add(-time.Hour), noon.Add(-time.Hour)},
		"a clock that is ahead":          {noon.Add(time.Hour), noon},
		"a time that makes no sense":     {time.Time{}, noon},
		"held back by a long interrupt":  {noon.Add(-40 * 24 * time.Hour), noon.Add(-40 * 24 * time.Hour)},
		"the same moment as it was kept": {noon, noon},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				withBot(t, s)
				event := wrote("$1", "@anna:test", "!r")
				event.OriginAt = tt.origin
				pushed(t, s, event)
				row := found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1"))
				require.Equal(t, LedgerRow{
					EventID: "$1", RoomID: "!r", Type: "m.room.encrypted", SentAt: tt.sent, DueAt: month(tt.sent),
					State: LedgerKept, NextAt: month(tt.sent).Add(-24 * time.Hour),
				}, row)
			})
		})
	}
}

func TestContentThatNeedsNoTurnIsInTheLedgerAlone(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		event := wrote("$1", "@anna:test", "!r")
		event.ForInbox = false
		require.Equal(t, KeepResult{}, synced(t, s, event))
		found[LedgerRow](t)(s.LedgerEvent(t.Context(), "$1"))
		require.Empty(t, heads(t, s))
	})
}

func TestStringsThatPostgresDoesNotTakeDoNotStopIntake(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		odd := "a\x00b\xffc"
		event := Event{
			ID: "$" + odd, RoomID: "!" + odd, Type: odd, Sender: "@" + odd, StateKey: &odd, Target: odd, TxnID: odd,
			Queue: odd, HasContent: true, ForInbox: true,
		}
		require.Equal(t, KeepResult{Added: 1, Placed: 1}, synced(t, s, event))
		require.Equal(t, KeepResult{}, synced(t, s, event), "and it is the same event the next time")
		require.Equal(t, []string{"$a\uFFFDb\uFFFDc"}, heads(t, s))
		require.Equal(t, "a\x00b\xffc", odd, "what the caller holds is left alone")
	})
}

func TestErrorsOfKeepNameTheEventAndNotTheSender(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		withBot(t, s)
		_, err := s.db.Exec(t.Context(), `DROP TABLE ledger`)
		require.NoError(t, err)
		_, err = s.Keep(t.Context(), Batch{Events: []Event{wrote("$1", "@anna:test", "!r")}, Now: noon, Due: month})
		require.ErrorContains(t, err, "event $1 in !r")
		require.False(t, strings.Contains(err.Error(), "anna"))
	})
}

func TestKeepWithinATransactionOfTheCallerIsPartOfIt(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			_, err := s.Keep(ctx, Batch{NextBatch: "n", Events: []Event{wrote("$1", "@anna:test", "!r")}, Now: noon, Due: month})
			require.NoError(t, err)
			return errTest
		})
		require.ErrorIs(t, err, errTest)
		require.Empty(t, heads(t, s))
	})
}
