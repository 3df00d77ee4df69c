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

func TestAGapKnowsUntilWhenEverythingHadComeIn(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.SaveBot(ctx, Bot{UserID: "@bot:test"}))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!a", Kind: RoomConversation, Practice: "zuid"}))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!chat", Kind: RoomContact}))
		keep := func(now time.Time, b Batch) {
			t.Helper()
			b.Now, b.Due = now, func(sent time.Time) time.Time { return sent }
			_, err := s.Keep(ctx, b)
			require.NoError(t, err)
		}
		event := func(id string) Event {
			return Event{ID: id, RoomID: "!a", Type: "m.room.message", Sender: "@a:test", OriginAt: noon, ForInbox: true}
		}
		keep(noon, Batch{NextBatch: "n1", Events: []Event{event("$1"), event("$2")}})
		gap := Gap{RoomID: "!a", Since: "n1", Place: "p"}
		keep(noon.Add(time.Hour), Batch{NextBatch: "n2", Events: []Event{event("$4")}, Gaps: []Gap{gap}})
		keep(noon.Add(2*time.Hour), Batch{NextBatch: "n3", Gaps: []Gap{gap}})
		open := found[Gap](t)(s.GapIn(ctx, "!a"))
		require.True(t, open.KnownAt.Equal(noon), "also when it has grown")
		for event, known := range map[string]bool{"$1": true, "$2": true, "$3": false, "$4": false} {
			require.Equal(t, known, must[bool](t)(s.KnownBefore(ctx, event, open.KnownAt)), event)
		}

		require.Empty(t, must[[]Trouble](t)(s.LostGaps(ctx, noon)))
		open.Lost = true
		keep(noon.Add(3*time.Hour), Batch{Fills: &open})
		missing[Gap](t)(s.GapIn(ctx, "!a"))
		keep(noon.Add(3*time.Hour), Batch{NextBatch: "n4", Gaps: []Gap{{RoomID: "!chat", Lost: true}}})
		missing[Gap](t)(s.GapIn(ctx, "!chat"))
		lost := must[[]Trouble](t)(s.LostGaps(ctx, noon.Add(3*time.Hour-time.Millisecond)))
		require.Equal(t, []Trouble{{Practice: "zuid", Count: 1, Since: noon.Add(3 * time.Hour)}}, lost, "a patient's own chat is not asked for")
		require.Empty(t, must[[]Trouble](t)(s.LostGaps(ctx, noon.Add(3*time.Hour))))
	})
}

func TestWhatAGapGivesAfterWhatWasSentLaterIsOvertaken(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		clock := noon
		keep := func(b Batch) {
			t.Helper()
			b.Now, b.Due = clock, func(sent time.Time) time.Time { return sent }
			_, err := s.Keep(ctx, b)
			require.NoError(t, err)
		}
		event := func(id string, minute int) Event {
			sent := noon.Add(time.Duration(minute) * time.Minute)
			return Event{ID: id, RoomID: "!a", Type: "m.room.message", Sender: "@a:test", OriginAt: sent, ForInbox: true}
		}
		keep(Batch{NextBatch: "n1", Events: []Event{event("$0", 59)}}) // by a clock that is ahead
		clock = noon.Add(10 * time.Minute)
		gap := Gap{RoomID: "!a", Since: "n1", Place: "p"}
		keep(Batch{Events: []Event{event("$2", 2)}}) // a transaction brought it
		other := event("$other", 9)
		other.RoomID = "!b"
		keep(Batch{NextBatch: "n2", Events: []Event{event("$4", 4), other}, Gaps: []Gap{gap}})
		require.Equal(t, 2, must[int](t)(s.PlaceOverdue(ctx, clock)))
		require.NoError(t, s.FinishTurn(ctx, found[Turn](t)(s.Turn(ctx, "$4", 0)).ID, clock))
		clock = clock.Add(time.Hour)
		keep(Batch{NextBatch: "n3", Events: []Event{event("$5", 5)}})
		gap = found[Gap](t)(s.GapIn(ctx, "!a"))
		keep(Batch{Fills: &gap, Events: []Event{event("$0", 59), event("$1", 1), event("$2", 2), event("$3", 3), event("$4", 4), event("$5", 5), event("$6", 6)}})
		for id, overtaken := range map[string]bool{"$0": false, "$1": true, "$2": false, "$3": true, "$4": false, "$5": false, "$6": false} {
			turn := found[Turn](t)(s.Turn(ctx, id, 0))
			require.Equal(t, overtaken, turn.Overtaken, id)
		}
		clock = clock.Add(time.Hour)
		keep(Batch{NextBatch: "n4", Gaps: []Gap{{RoomID: "!a", Since: "n3", Place: "q"}}})
		again := found[Gap](t)(s.GapIn(ctx, "!a"))
		keep(Batch{Fills: &again, Events: []Event{event("$7", 3)}})
		require.False(t, found[Turn](t)(s.Turn(ctx, "$7", 0)).Overtaken, "nothing has come in since: it is only a clock that is slow")
	})
}

func TestBeginningAnewIsOneStepWithItsGaps(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		keep := func(now time.Time, b Batch) {
			t.Helper()
			b.Now, b.Due = now, func(sent time.Time) time.Time { return sent }
			_, err := s.Keep(ctx, b)
			require.NoError(t, err)
		}
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!a", Kind: RoomContact, CreatedAt: noon}))
		require.NoError(t, s.SaveWalk(ctx, Walk{RoomID: "!a", WalkedAt: noon, Again: true}, noon.Add(24*time.Hour)))
		keep(noon, Batch{NextBatch: "n1", Gaps: []Gap{{RoomID: "!b", Since: "n0", Place: "p", Entered: true}}})
		missing[time.Time](t)(s.BeganAnew(ctx, time.Time{}))
		at := noon.Add(time.Hour)
		keep(at, Batch{NextBatch: "m1", Anew: true, Gaps: []Gap{{RoomID: "!a", Since: "n1", Place: "q", Newest: true}, {RoomID: "!b", Since: "n1", Place: "q", Newest: true}}})
		require.Equal(t, "m1", must[Bot](t)(s.Bot(ctx)).NextBatch)
		require.Equal(t, Gap{RoomID: "!a", Since: "n1", Place: "q", Newest: true, KnownAt: noon}, found[Gap](t)(s.GapIn(ctx, "!a")))
		was := found[Gap](t)(s.GapIn(ctx, "!b"))
		require.True(t, was.Newest && was.Entered, "the one that was open is read in the same way")
		keep(at, Batch{NextBatch: "m2", Gaps: []Gap{{RoomID: "!a", Since: "m1", Place: "r"}}})
		require.True(t, found[Gap](t)(s.GapIn(ctx, "!a")).Newest, "also when it grows")
		require.True(t, at.Equal(found[time.Time](t)(s.BeganAnew(ctx, noon))))
		missing[time.Time](t)(s.BeganAnew(ctx, at))
		require.Equal(t, Walk{RoomID: "!a", WalkedAt: noon, Again: true}, found[Walk](t)(s.NextWalk(ctx, at)), "what was removed may be back")
	})
}
