package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// park lets the first turn of the queue of a room wait for its key until a time.
func park(t *testing.T, s *Store, event string, next, told time.Time) {
	t.Helper()
	turn := found[Turn](t)(s.Turn(t.Context(), event, 0))
	require.NoError(t, s.Transact(t.Context(), func(ctx context.Context) error {
		p := Parked{Turn: turn.ID, RoomID: turn.RoomID, Sender: turn.Sender, NextAt: next, ToldAt: told}
		if err := s.Park(ctx, p); err != nil {
			return err
		}
		return s.FinishTurn(ctx, turn.ID, noon)
	}))
}

func waits(t *testing.T, s *Store, event string) bool {
	t.Helper()
	return must[bool](t)(s.MustWait(t.Context(), found[Turn](t)(s.Turn(t.Context(), event, 0))))
}

func TestAParkedTurnHoldsUpItsSenderInItsRoomAndNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$a1", "@a:test", "!r"), wrote("$b", "@b:test", "!r"), wrote("$a2", "@a:test", "!r"), wrote("$a3", "@a:test", "!other"))
		require.False(t, waits(t, s, "$a2"))
		park(t, s, "$a1", noon.Add(time.Minute), time.Time{})
		require.True(t, waits(t, s, "$a2"))
		require.False(t, waits(t, s, "$b"), "another person")
		require.False(t, waits(t, s, "$a3"), "another room")
		require.False(t, waits(t, s, "$a1"), "it does not wait for itself")
		require.Equal(t, []string{"$b", "$a3"}, heads(t, s))
	})
}

func TestAParkedTurnComesBackToItsOldPlaceWhenItsTimeHasCome(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$1", "@a:test", "!r"), wrote("$2", "@b:test", "!r"))
		park(t, s, "$1", noon.Add(time.Minute), time.Time{})
		require.Zero(t, must[int](t)(s.ReopenParked(t.Context(), noon, 9)))
		second := head(t, s)
		require.Equal(t, 1, must[int](t)(s.ReopenParked(t.Context(), noon.Add(time.Minute), 9)))
		require.Equal(t, []string{"$1"}, heads(t, s))
		require.False(t, must[bool](t)(s.TurnIsOpen(t.Context(), second.ID)), "something came before it")
		require.Zero(t, must[int](t)(s.ReopenParked(t.Context(), noon.Add(time.Hour), 9)), "once")
		finish(t, s, "room:!r")
		require.Equal(t, []string{"$2"}, heads(t, s))
		require.True(t, must[bool](t)(s.TurnIsOpen(t.Context(), second.ID)))
	})
}

func TestWhoIsDealtWithLetsTheNextGoOn(t *testing.T) {
	for name, dealt := range map[string]func(t *testing.T, s *Store){
		"its key came":   func(t *testing.T, s *Store) { require.NoError(t, s.Unpark(t.Context(), "$1")) },
		"it was told":    func(t *testing.T, s *Store) { park(t, s, "$1", noon.Add(time.Hour), noon) },
		"it was removed": func(t *testing.T, s *Store) { require.NoError(t, s.MarkRedacted(t.Context(), "$1", noon)) },
		"it is gone":     func(t *testing.T, s *Store) { require.NoError(t, s.MarkVerified(t.Context(), "$1", noon)) },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				withBot(t, s)
				synced(t, s, wrote("$1", "@a:test", "!r"), wrote("$2", "@a:test", "!r"), wrote("$3", "@a:test", "!r"))
				park(t, s, "$1", noon.Add(time.Hour), time.Time{})
				park(t, s, "$2", time.Time{}, time.Time{})
				park(t, s, "$3", time.Time{}, time.Time{})
				require.Empty(t, heads(t, s))
				dealt(t, s)
				require.Equal(t, []string{"$2"}, heads(t, s))
				require.False(t, waits(t, s, "$2"))
				require.True(t, waits(t, s, "$3"), "one after the other")
				finish(t, s, "room:!r")
				require.NoError(t, s.Unpark(t.Context(), "$2"))
				require.Equal(t, []string{"$3"}, heads(t, s))
			})
		})
	}
}

func TestAReactionWaitsForTheMessageItIsAbout(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		synced(t, s, wrote("$1", "@a:test", "!r"), wrote("$about", "@b:test", "!r"), wrote("$2", "@b:test", "!r"))
		park(t, s, "$1", noon.Add(time.Hour), noon)
		about := head(t, s)
		require.NoError(t, s.Park(t.Context(), Parked{Turn: about.ID, RoomID: "!r", Sender: "@b:test", Behind: "$1"}))
		finish(t, s, "room:!r")
		require.False(t, waits(t, s, "$2"), "it holds up nobody")
		require.Equal(t, "$1", found[Parked](t)(s.ParkedEvent(t.Context(), "$about")).Behind)
		require.NoError(t, s.Unpark(t.Context(), "$1"))
		require.Equal(t, []string{"$about"}, heads(t, s))
		require.NoError(t, s.Unpark(t.Context(), "$about"))
		missing[Parked](t)(s.ParkedEvent(t.Context(), "$about"))
		require.NoError(t, s.Unpark(t.Context(), "$unknown"))
	})
}

func TestAKeyWakesWhatIsParked(t *testing.T) {
	for name, who := range map[string][2]string{"of a room": {"!a", ""}, "of a sender": {"", "@a:test"}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				withBot(t, s)
				synced(t, s, wrote("$a", "@a:test", "!a"), wrote("$b", "@b:test", "!b"), wrote("$a2", "@a:test", "!a"))
				park(t, s, "$a", noon.Add(time.Hour), noon)
				park(t, s, "$b", noon.Add(time.Hour), noon)
				require.NoError(t, s.WakeParked(t.Context(), who[0], who[1]))
				require.Equal(t, 1, must[int](t)(s.ReopenParked(t.Context(), noon, 9)))
				require.Equal(t, []string{"$a"}, heads(t, s))
				require.NoError(t, s.WakeParked(t.Context(), "", ""))
				require.Equal(t, 1, must[int](t)(s.ReopenParked(t.Context(), noon, 9)))
				require.Equal(t, []string{"$a", "$b"}, heads(t, s))
			})
		})
	}
}

func TestAParkedTurnOutlivesARestart(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		withBot(t, s)
		synced(t, s, wrote("$1", "@a:test", "!r"))
		park(t, s, "$1", noon.Add(time.Minute), noon)
		require.NoError(t, s.Close())
		s = d.open(t)
		p := found[Parked](t)(s.ParkedEvent(t.Context(), "$1"))
		require.Equal(t, Parked{EventID: "$1", Turn: p.Turn, RoomID: "!r", Sender: "@a:test", ToldAt: noon, NextAt: noon.Add(time.Minute)}, p)
		require.Equal(t, 1, must[int](t)(s.ReopenParked(t.Context(), noon.Add(time.Minute), 9)))
		require.Equal(t, []string{"$1"}, heads(t, s))
	})
}
