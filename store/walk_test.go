package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryRoomTheBotIsInIsWalked(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!in", Kind: RoomBalie, Practice: "zuid", CreatedAt: noon}))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!out", Kind: RoomContact, CreatedAt: noon}))
		require.NoError(t, s.SaveRoom(ctx, Room{ID: "!out", Kind: RoomContact, LeftAt: noon}))
		w := found[Walk](t)(s.NextWalk(ctx, noon))
		require.Equal(t, Walk{RoomID: "!in"}, w)
		require.Equal(t, WalkReport{Rooms: 1, Unwalked: 1}, must[WalkReport](t)(s.WalkReport(ctx)))

		w.Place, w.BeganAt, w.Attempt = "p7", noon, 2
		require.NoError(t, s.SaveWalk(ctx, w, noon))
		require.Equal(t, w, found[Walk](t)(s.NextWalk(ctx, noon)), "it goes on where it was")

		require.NoError(t, s.SaveWalk(ctx, Walk{RoomID: "!in", WalkedAt: noon}, noon.Add(24*time.Hour)))
		missing[Walk](t)(s.NextWalk(ctx, noon.Add(time.Hour)))
		require.Equal(t, WalkReport{Rooms: 1, WalkedAll: noon}, must[WalkReport](t)(s.WalkReport(ctx)))
		require.NoError(t, s.StartWalks(ctx, noon.Add(time.Hour)))
		require.Equal(t, Walk{RoomID: "!in", WalkedAt: noon}, found[Walk](t)(s.NextWalk(ctx, noon.Add(time.Hour))), "again at every start")
		require.NoError(t, s.SaveWalk(ctx, Walk{RoomID: "!out"}, noon))
		require.Equal(t, 1, must[WalkReport](t)(s.WalkReport(ctx)).Rooms, "a room that was left has no walk")
	})
}

func TestRoomsOfADatabaseFromBeforeAreWalkedToo(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!in", Kind: RoomBalie, Practice: "zuid"}))
		_, err := s.exec(t.Context(), `DELETE FROM walk`)
		require.NoError(t, err)
		require.NoError(t, s.StartWalks(t.Context(), noon))
		require.Equal(t, "!in", found[Walk](t)(s.NextWalk(t.Context(), noon)).RoomID)
	})
}

func TestWhatAWalkFindsIsEnteredAndWhatCameBackIsOpenAgain(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		enter(t, s, "!r", map[string]int{"$kept": 60, "$verified": 0})
		require.NoError(t, s.MarkVerified(ctx, "$verified", noon))
		seen := func(id string, content bool) Event {
			return Event{ID: id, RoomID: "!r", Type: "m.room.encrypted", Sender: "@anna:x", Target: "$other", HasContent: content, OriginAt: noon.Add(-time.Hour)}
		}
		page := []Event{seen("$kept", true), seen("$verified", true), seen("$new", true), seen("$empty", false)}
		unknown := must[[]Event](t)(s.Unledgered(ctx, page))
		require.Len(t, unknown, 2)
		require.Equal(t, []string{"$verified", "$new"}, []string{unknown[0].ID, unknown[1].ID})
		due := func(sent time.Time) time.Time { return sent.Add(time.Hour) }
		require.NoError(t, s.EnterFound(ctx, Find{Unledgered: unknown, Now: noon, Due: due}))
		row := found[LedgerRow](t)(s.LedgerEvent(ctx, "$new"))
		require.Equal(t, noon, row.DueAt)
		require.Equal(t, "$other", row.About)
		require.Equal(t, LedgerFailed, found[LedgerRow](t)(s.LedgerEvent(ctx, "$verified")).State)
		require.ElementsMatch(t, []string{"$new", "$verified"}, dueEvents(t, s, noon))
		require.Empty(t, must[[]Event](t)(s.Unledgered(ctx, page)))
		require.Empty(t, must[[]Event](t)(s.Unledgered(ctx, nil)))
	})
}

func TestWhatIntakeMissedIsTakenWithTheLedgerAndOnlyThat(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		withBot(t, s)
		due := func(sent time.Time) time.Time { return sent.Add(time.Hour) }
		event := func(id string, minute int) Event {
			return Event{
				ID: id, RoomID: "!r", Type: "m.room.encrypted", Sender: "@anna:x", HasContent: true, ForInbox: true,
				OriginAt: noon.Add(time.Duration(minute) * time.Minute),
			}
		}
		own, empty, removal := event("$own", 1), event("$empty", 1), event("$removal", 6)
		own.ForInbox, empty.ForInbox, removal.HasContent = false, false, false
		history := event("$history", 1) // of before there was a database
		history.ForInbox = false
		_, err := s.Keep(ctx, Batch{NextBatch: "n1", Events: []Event{history, event("$came", 2), event("$later", 9)}, Now: noon, Due: due})
		require.NoError(t, err)
		history.ForInbox = true
		page := []Event{event("$later", 9), removal, event("$b", 5), event("$a", 4), event("$came", 2), own, empty, history}
		untaken := must[[]Event](t)(s.Untaken(ctx, page))
		require.Len(t, untaken, 3)
		require.Equal(t, []string{"$removal", "$b", "$a"}, []string{untaken[0].ID, untaken[1].ID, untaken[2].ID})

		unknown := must[[]Event](t)(s.Unledgered(ctx, page))
		find := Find{Unledgered: unknown, Missed: []Event{event("$a", 4), event("$b", 5), removal}, Now: noon, Due: due}
		for range 2 { // also again
			require.NoError(t, s.EnterFound(ctx, find))
		}
		require.Empty(t, must[[]Event](t)(s.Untaken(ctx, page)))
		require.Empty(t, must[[]Event](t)(s.Unledgered(ctx, page)))
		require.True(t, found[Turn](t)(s.Turn(ctx, "$a", 0)).Overtaken)
		require.Equal(t, 3, must[int](t)(s.PlaceOverdue(ctx, noon)))
		var order []string
		for range 5 {
			turns := must[[]Turn](t)(s.HeadTurns(ctx, noon.Add(time.Hour), 9))
			require.Len(t, turns, 1)
			order = append(order, turns[0].EventID)
			require.NoError(t, s.FinishTurn(ctx, turns[0].ID, noon))
		}
		require.Equal(t, []string{"$came", "$later", "$a", "$b", "$removal"}, order, "once, in the order in which they were sent")
		require.Empty(t, must[[]Turn](t)(s.HeadTurns(ctx, noon.Add(time.Hour), 9)))
		require.Empty(t, must[[]Event](t)(s.Untaken(ctx, nil)))
	})
}
