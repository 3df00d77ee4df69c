package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/care"
)

func TestSinceWhenStaffAreInARoom(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		since := func(user string) time.Time {
			found, _, err := s.StaffSince(t.Context(), "!talk", user)
			require.NoError(t, err)
			return found
		}
		require.NoError(t, s.SetRoomStaff(t.Context(), "!talk", []string{"@a:x", "@b:x"}, minute(1)))
		require.NoError(t, s.SetRoomStaff(t.Context(), "!talk", []string{"@a:x", "@b:x", "@c:x"}, minute(5)))
		require.Equal(t, []time.Time{minute(1), minute(1), minute(5)}, []time.Time{since("@a:x"), since("@b:x"), since("@c:x")})
		require.NoError(t, s.LeftStaff(t.Context(), "!talk", []string{"@a:x"}))
		require.True(t, since("@b:x").IsZero())
		require.NoError(t, s.SetRoomStaff(t.Context(), "!talk", []string{"@a:x", "@b:x"}, minute(9)))
		require.Equal(t, minute(9), since("@b:x"), "who comes back begins anew")
		require.Equal(t, minute(1), since("@a:x"))
	})
}

func TestARecapIsNotedOnceAndNeverGoesBack(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.SaveConversation(t.Context(), care.Conversation{ID: "c", State: care.Open}))
		require.True(t, must[time.Time](t)(s.RecapAt(t.Context(), "c")).IsZero())
		for _, n := range []int{3, 1} {
			require.NoError(t, s.SetRecapAt(t.Context(), "c", minute(n)))
		}
		require.NoError(t, s.SaveConversation(t.Context(), care.Conversation{ID: "c", State: care.Closed}))
		require.Equal(t, minute(3), must[time.Time](t)(s.RecapAt(t.Context(), "c")))
		require.True(t, must[time.Time](t)(s.RecapAt(t.Context(), "nobody's")).IsZero())
	})
}

func TestWhatWasSaidInARoomIsListedInOrder(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for n, m := range []Mirror{
			{SourceEvent: "$p1", SourceRoom: "!consulting", TargetEvent: "$t1", TargetRoom: "!talk", Conversation: "c"},
			{SourceEvent: "$t2", SourceRoom: "!talk", TargetEvent: "$p2", TargetRoom: "!consulting", Conversation: "c"},
			{SourceEvent: "$p3", SourceRoom: "!consulting", TargetEvent: "$x3", TargetRoom: "!other", Conversation: "d"},
			{SourceEvent: "$p4", SourceRoom: "!consulting", TargetEvent: "$t4", TargetRoom: "!talk", Conversation: "c"},
			{SourceEvent: "$t5", SourceRoom: "!talk", TargetEvent: "$p5", TargetRoom: "!consulting", Conversation: "c", Kind: MirrorAdvice},
			{SourceEvent: "$t6", SourceRoom: "!talk", TargetEvent: "$p6", TargetRoom: "!consulting", Conversation: "c", Kind: MirrorAnswer},
		} {
			m.At = minute(n)
			require.NoError(t, s.AddMirror(t.Context(), m))
		}
		all := []Said{{"$t1", "!talk"}, {"$t2", "!talk"}, {"$t4", "!talk"}, {"$p5", "!consulting"}, {"$t6", "!talk"}}
		require.Equal(t, all, must[[]Said](t)(s.SaidIn(t.Context(), "c", "!talk", minute(9))))
		require.Equal(t, all[:2], must[[]Said](t)(s.SaidIn(t.Context(), "c", "!talk", minute(3))))
		require.Empty(t, must[[]Said](t)(s.SaidIn(t.Context(), "c", "!talk", minute(0))))
	})
}

func TestARepetitionGoesNoLaterThanWhatItRepeats(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.AddLedger(t.Context(), LedgerRow{EventID: "$said", RoomID: "!r", SentAt: minute(0), DueAt: minute(100)}))
		repeat := func(id string) LedgerRow {
			require.NoError(t, s.GoWith(t.Context(), LedgerRow{EventID: id, RoomID: "!r", Own: true, SentAt: minute(90)}, "$said"))
			return found[LedgerRow](t)(s.LedgerEvent(t.Context(), id))
		}
		require.Equal(t, minute(100), repeat("$first").DueAt, "its echo is not back yet")
		require.NoError(t, s.AddLedger(t.Context(), LedgerRow{EventID: "$echoed", RoomID: "!r", Own: true, SentAt: minute(90), DueAt: minute(900)}))
		row := repeat("$echoed")
		require.Equal(t, []any{minute(100), minute(100), "$said"}, []any{row.DueAt, row.NextAt, row.About})
		require.NoError(t, s.MarkRedacted(t.Context(), "$said", minute(1)))
		require.Contains(t, dueEvents(t, s, noon), "$echoed", "removed together")
		require.False(t, repeat("$too late").DueAt.After(noon))
		require.NoError(t, s.GoWith(t.Context(), LedgerRow{EventID: "$x"}, "$unknown"))
	})
}

func TestWhatRepeatsAnEventStandsForWhatThatOneDoes(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, m := range []Mirror{
			{SourceEvent: "$p1", SourceRoom: "!consulting", TargetEvent: "$t1", TargetRoom: "!talk", Conversation: "c"},
			{SourceEvent: "$t2", SourceRoom: "!talk", TargetEvent: "$p2", TargetRoom: "!consulting", Conversation: "c", Kind: MirrorAdvice},
		} {
			require.NoError(t, s.AddMirror(t.Context(), m))
		}
		for event, room := range map[string]string{"$t1": "!talk", "$p2": "!consulting"} {
			require.NoError(t, s.AddLedger(t.Context(), LedgerRow{EventID: event, RoomID: room, SentAt: minute(0), DueAt: minute(100)}))
			require.NoError(t, s.GoWith(t.Context(), LedgerRow{EventID: event + " again", RoomID: "!talk", Own: true, SentAt: minute(9)}, event))
		}
		for copied, want := range map[string]string{"$t1 again": "$p1", "$p2 again": "$p2"} {
			other, known, err := s.MirrorOf(t.Context(), copied, "!consulting")
			require.NoError(t, err)
			require.True(t, known)
			require.Equal(t, want, other)
		}
		require.Equal(t, MirrorAdvice, found[Mirror](t)(s.MirrorsOf(t.Context(), "$p2 again")).Kind)
		for _, none := range []string{"$unknown", "$t1 again"} {
			_, known, err := s.MirrorOf(t.Context(), none, "!elsewhere")
			require.NoError(t, err)
			require.False(t, known)
		}
		_, known, err := s.MirrorsOf(t.Context(), "$unknown")
		require.NoError(t, err)
		require.False(t, known)
	})
}
