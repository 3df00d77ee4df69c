package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Dendrite, killed while it was telling of a message, tells of it half a minute after it is back: after
// what was sent since.
func TestWhatAHomeserverTellsAfterWhatWasSentLaterIsOvertaken(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		sent := func(id, room, sender string, second int) Event {
			at := noon.Add(time.Duration(second) * time.Second)
			return Event{ID: id, RoomID: room, Type: "m.room.encrypted", Sender: sender, OriginAt: at, ForInbox: true}
		}
		keep := func(second int, place string, events ...Event) {
			t.Helper()
			now := noon.Add(time.Duration(second) * time.Second)
			_, err := s.Keep(ctx, Batch{NextBatch: place, Events: events, Now: now, Due: func(sent time.Time) time.Time { return sent }})
			require.NoError(t, err)
		}
		const anna, boris = "@anna:test", "@boris:test"
		keep(100, "n1", sent("$later", "!a", anna, 100))
		keep(101, "n2", sent("$done", "!c", anna, 101))
		require.NoError(t, s.FinishTurn(ctx, found[Turn](t)(s.Turn(ctx, "$done", 0)).ID, noon.Add(102*time.Second)))
		keep(103, "", sent("$unplaced", "!d", anna, 103)) // of a transaction: it has no place yet
		keep(131, "n3",
			sent("$killed", "!a", anna, 98), sent("$beforeDone", "!c", anna, 99), sent("$first", "!d", anna, 102),
			sent("$elsewhere", "!b", anna, 98), sent("$other", "!a", boris, 98), sent("$together", "!a", anna, 100),
			sent("$clock", "!a", anna, 100-16*60))
		keep(131, "n4", sent("$next", "!a", anna, 130), sent("$quick", "!a", anna, 129), sent("$quicker", "!a", anna, 122))
		for id, overtaken := range map[string]bool{
			"$later": false, "$killed": true, "$beforeDone": true, "$first": false, "$elsewhere": false, "$other": false,
			"$together": false, "$clock": false, "$next": false, "$quick": false, "$quicker": false,
		} {
			require.Equal(t, overtaken, found[Turn](t)(s.Turn(ctx, id, 0)).Overtaken, id)
		}
	})
}

func TestAmongWhatComesInAtOnceOnlyWhatComesAfterWhatWasSentLaterIsOvertaken(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		sent := func(id string, second int) Event {
			at := noon.Add(time.Duration(second) * time.Second)
			return Event{ID: id, RoomID: "!a", Type: "m.room.encrypted", Sender: "@anna:test", OriginAt: at, ForInbox: true}
		}
		keep := func(second int, place string, events ...Event) {
			t.Helper()
			now := noon.Add(time.Duration(second) * time.Second)
			_, err := s.Keep(ctx, Batch{NextBatch: place, Events: events, Now: now, Due: func(sent time.Time) time.Time { return sent }})
			require.NoError(t, err)
		}
		keep(40, "n1", sent("$1", 1), sent("$5", 5), sent("$3", 3), sent("$6", 6), sent("$38", 38), sent("$7", 7), sent("$39", 39), sent("$8", 8))
		keep(50, "", sent("$held2", 42), sent("$held1", 41)) // of transactions, while /sync is down
		require.Equal(t, 2, must[int](t)(s.PlaceOverdue(ctx, noon.Add(60*time.Second))))
		keep(65, "", sent("$behind", 60), sent("$ahead", 66))
		keep(66, "n2", sent("$64", 64))
		require.Equal(t, 2, must[int](t)(s.PlaceOverdue(ctx, noon.Add(100*time.Second))))
		for id, overtaken := range map[string]bool{
			"$1": false, "$5": false, "$3": true, "$6": false, "$38": false, "$7": true, "$39": false, "$8": true,
			"$held1": false, "$held2": false, "$behind": true, "$64": false, "$ahead": false,
		} {
			require.Equal(t, overtaken, found[Turn](t)(s.Turn(ctx, id, 0)).Overtaken, id)
		}
	})
}
