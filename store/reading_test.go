package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/care"
)

// readingRoom is a store with a patient, her consulting room and the room of her conversation.
func readingRoom(t *testing.T, s *Store) {
	t.Helper()
	withBot(t, s)
	require.NoError(t, s.SavePerson(t.Context(), care.Person{ID: "p", UserID: "@anna:test", State: care.Active}))
	require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!consulting", Kind: RoomConsulting, Person: "p"}))
	require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!talk", Kind: RoomConversation, Person: "p", Conversation: "c", Practice: "zuid"}))
	require.NoError(t, s.SaveRoom(t.Context(), Room{ID: "!balie", Kind: RoomBalie, Practice: "zuid"}))
	for user, role := range map[string]care.Role{"@fatima:test": care.Doktersassist, "@joost:test": care.Beheer} {
		require.NoError(t, s.SaveStaff(t.Context(), care.Member{UserID: user, Role: role, Practice: "zuid"}))
	}
	require.NoError(t, s.SaveStaff(t.Context(), care.Member{UserID: "@noord:test", Role: care.Huisarts, Practice: "noord"}))
}

// sent is an event of the bot in a room, some minutes after noon.
func sentAt(id, room string, minutes int) Event {
	return Event{ID: id, RoomID: room, Type: "m.room.encrypted", Sender: "@bot:test", OriginAt: noon.Add(time.Duration(minutes) * time.Minute), HasContent: true}
}

// reads keeps receipts, later than every event.
func reads(t *testing.T, s *Store, reads ...Read) []Reading {
	t.Helper()
	must[KeepResult](t)(s.Keep(t.Context(), Batch{NextBatch: "next", Reads: reads, Now: noon.Add(time.Hour), Due: month}))
	return must[[]Reading](t)(s.DueReadings(t.Context(), noon.Add(time.Hour), 10))
}

func later(t *testing.T, s *Store, events ...Event) {
	t.Helper()
	must[KeepResult](t)(s.Keep(t.Context(), Batch{NextBatch: "next", Events: events, Now: noon.Add(time.Hour), Due: month}))
}

func TestOnlyTheNewestReadingOfARoomIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		readingRoom(t, s)
		later(t, s, sentAt("$1", "!talk", 1), sentAt("$2", "!talk", 2), sentAt("$3", "!talk", 3))
		for _, event := range []string{"$2", "$1", "$3", "$2", "$3"} { // also of two who read at different speed
			reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: event, Thread: "main"})
		}
		due := must[[]Reading](t)(s.DueReadings(t.Context(), noon, 10))
		require.Equal(t, []Reading{{Room: "!talk", Thread: "main", Event: "$3", SentAt: noon.Add(3 * time.Minute)}}, due)

		require.NoError(t, s.RetryReading(t.Context(), due[0], noon.Add(time.Hour)))
		require.Empty(t, must[[]Reading](t)(s.DueReadings(t.Context(), noon, 10)))
		due = must[[]Reading](t)(s.DueReadings(t.Context(), noon.Add(time.Hour), 10))
		require.Equal(t, 1, due[0].Attempt)
		require.NoError(t, s.EndReading(t.Context(), due[0]))
		require.Empty(t, reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: "$3", Thread: "main"}), "again is nothing new")
		require.Len(t, reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: "$3"}), 1, "everything is more than the main thread")
	})
}

func TestAReadingThatWentOnIsNotEndedByTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		readingRoom(t, s)
		later(t, s, sentAt("$1", "!talk", 1), sentAt("$2", "!talk", 2))
		old := reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: "$1"})[0]
		reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: "$2"})
		require.NoError(t, s.EndReading(t.Context(), old))
		require.NoError(t, s.RetryReading(t.Context(), old, noon.AddDate(1, 0, 0)))
		due := must[[]Reading](t)(s.DueReadings(t.Context(), noon, 10))
		require.Len(t, due, 1)
		require.Equal(t, "$2", due[0].Event)
	})
}

func TestOnlyWhoShouldHaveReadItCounts(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		readingRoom(t, s)
		later(t, s, sentAt("$talk", "!talk", 1), sentAt("$consulting", "!consulting", 1), sentAt("$balie", "!balie", 1))
		for _, r := range []Read{
			{Room: "!talk", User: "@bot:test", Event: "$talk"},
			{Room: "!talk", User: "@anna:test", Event: "$talk"},
			{Room: "!talk", User: "@joost:test", Event: "$talk"}, // beheer answers no patients
			{Room: "!talk", User: "@noord:test", Event: "$talk"}, // another practice
			{Room: "!consulting", User: "@fatima:test", Event: "$consulting"},
			{Room: "!consulting", User: "@stranger:test", Event: "$consulting"},
			{Room: "!balie", User: "@fatima:test", Event: "$balie"},
			{Room: "!elsewhere", User: "@fatima:test", Event: "$talk"},
			{Room: "!talk", User: "@fatima:test", Event: "$consulting"}, // an event of another room
		} {
			require.Empty(t, reads(t, s, r), "%+v", r)
		}
		require.Len(t, reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: "$talk"},
			Read{Room: "!consulting", User: "@anna:test", Event: "$consulting"}), 2)
		require.NoError(t, s.RemoveStaff(t.Context(), "@fatima:test", noon))
		later(t, s, sentAt("$more", "!talk", 2))
		require.Len(t, reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: "$more"}), 2, "no longer staff")
	})
}

func TestWhatAReadingStandsFor(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		readingRoom(t, s)
		later(t, s, sentAt("$card", "!talk", 0), sentAt("$a", "!talk", 1), sentAt("$b", "!talk", 2), sentAt("$note", "!talk", 3), sentAt("$c", "!talk", 4))
		for i, event := range []string{"$a", "$b", "$c"} {
			require.NoError(t, s.AddMirror(t.Context(), Mirror{
				SourceEvent: event + "'", SourceRoom: "!consulting", TargetEvent: event, TargetRoom: "!talk", Conversation: "c",
				At: noon.Add(time.Duration(i) * time.Minute),
			}))
		}
		for _, tt := range []struct {
			event, thread string
			minutes       int
			want          []string
		}{
			{"$b", "main", 2, []string{"$b'"}},
			{"$note", "", 3, []string{"$b'", "$a'"}},
			{"$state", "main", 5, []string{"$c'", "$b'", "$a'"}},
			{"$card", "main", 0, nil},
			{"$note", "$a", 3, nil}, // of a thread only what was read itself
			{"$b", "$a", 2, []string{"$b'"}},
		} {
			found := must[[]Mirror](t)(s.ReadEvents(t.Context(), Reading{
				Room: "!talk", Thread: tt.thread, Event: tt.event, SentAt: noon.Add(time.Duration(tt.minutes) * time.Minute),
			}, 5))
			var events []string
			for _, m := range found {
				events = append(events, m.SourceEvent)
			}
			require.Equal(t, tt.want, events, tt.event)
		}
	})
}

func TestWhoReadsBeforeTheMirrorIsKnownHasReadIt(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		readingRoom(t, s)
		later(t, s, sentAt("$a", "!talk", 1))
		due := reads(t, s, Read{Room: "!talk", User: "@fatima:test", Event: "$a"})
		require.NoError(t, s.EndReading(t.Context(), due[0]), "nothing is known to show")
		require.NoError(t, s.AddMirror(t.Context(), Mirror{SourceEvent: "$x", SourceRoom: "!consulting", TargetEvent: "$other", TargetRoom: "!talk"}))
		require.Empty(t, must[[]Reading](t)(s.DueReadings(t.Context(), noon, 10)))
		require.NoError(t, s.AddMirror(t.Context(), Mirror{SourceEvent: "$y", SourceRoom: "!consulting", TargetEvent: "$a", TargetRoom: "!talk"}))
		require.Len(t, must[[]Reading](t)(s.DueReadings(t.Context(), noon, 10)), 1)
	})
}

func TestWhatWasShownNeverGoesBack(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		up := func() time.Time { return must[time.Time](t)(s.ShownUpTo(t.Context(), "!r", "main")) }
		require.True(t, up().IsZero())
		for _, minutes := range []int{2, 1, 3, 2} {
			require.NoError(t, s.SetShown(t.Context(), "!r", "main", noon.Add(time.Duration(minutes)*time.Minute)))
		}
		require.Equal(t, noon.Add(3*time.Minute), up())
		must[int64](t)(s.ForgetDone(t.Context(), noon.Add(time.Hour)))
		require.True(t, up().IsZero(), "forgotten with its age")
	})
}

func TestReadingGoesWithThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		readingRoom(t, s)
		later(t, s, sentAt("$consulting", "!consulting", 1))
		reads(t, s, Read{Room: "!consulting", User: "@anna:test", Event: "$consulting"})
		require.NoError(t, s.SetShown(t.Context(), "!talk", "", noon))
		require.NoError(t, s.DeletePerson(t.Context(), "p"))
		require.Empty(t, must[[]Reading](t)(s.DueReadings(t.Context(), noon, 10)))
		require.True(t, must[time.Time](t)(s.ShownUpTo(t.Context(), "!talk", "")).IsZero())
	})
}

// An answer of the system comes to both sides by itself. Where staff had it much later, a receipt on it
// would say that the patient has read what staff wrote in between.
func TestAnAnswerThatCameToStaffMuchLaterTellsNothingOfReading(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		readingRoom(t, s)
		later(t, s, sentAt("$said", "!talk", 1), sentAt("$s", "!consulting", 1), sentAt("$answered", "!talk", 9),
			sentAt("$a", "!consulting", 2), sentAt("$next", "!talk", 20), sentAt("$n", "!consulting", 20))
		for n, m := range []Mirror{
			{SourceEvent: "$said", TargetEvent: "$s"}, {SourceEvent: "$answered", TargetEvent: "$a", Kind: MirrorAnswer},
			{SourceEvent: "$next", TargetEvent: "$n", Kind: MirrorAnswer},
		} {
			m.SourceRoom, m.TargetRoom, m.Conversation, m.At = "!talk", "!consulting", "c", minute(n)
			require.NoError(t, s.AddMirror(t.Context(), m))
		}
		stands := func(event string, minutes int) string {
			all := must[[]Mirror](t)(s.ReadEvents(t.Context(), Reading{Room: "!consulting", Event: event, SentAt: noon.Add(time.Duration(minutes) * time.Minute)}, 1))
			require.Len(t, all, 1)
			return all[0].SourceEvent
		}
		require.Equal(t, []string{"$said", "$said", "$next"}, []string{stands("$a", 2), stands("$x", 3), stands("$n", 20)})
	})
}

// What staff wrote before their copy came, and the patient had after hers, she has not read with it.
func TestAReceiptOnAnAnswerCoversNothingThatCameToThePatientLater(t *testing.T) {
	seconds := func(e Event, n int) Event { // after the first minute
		e.OriginAt = noon.Add(time.Minute + time.Duration(n)*time.Second)
		return e
	}
	for name, tt := range map[string]struct {
		written, carried int // by staff; 0 = it was not
		want             string
	}{
		"nothing was written":                        {0, 0, "$answer"},
		"written in between, read with the next":     {10, 40, "$first"},
		"written in between, and on its way still":   {10, 0, "$first"},
		"written before, and it came after":          {-5, 5, "$first"},
		"written and carried before":                 {-5, -4, "$answer"},
		"written at the same moment":                 {0, 1, "$first"},
		"written after the copy, carried after that": {31, 32, "$answer"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				readingRoom(t, s)
				later(t, s, seconds(sentAt("$first", "!talk", 0), -50), seconds(sentAt("$f", "!consulting", 0), -49),
					seconds(sentAt("$a", "!consulting", 0), 0), seconds(sentAt("$answer", "!talk", 0), 30))
				pairs := []Mirror{{SourceEvent: "$first", TargetEvent: "$f"}, {SourceEvent: "$answer", TargetEvent: "$a", Kind: MirrorAnswer}}
				if tt.written != 0 || tt.carried != 0 {
					said := seconds(sentAt("$said", "!talk", 0), tt.written)
					said.Sender = "@fatima:test"
					later(t, s, said)
				}
				if tt.carried != 0 {
					later(t, s, seconds(sentAt("$s", "!consulting", 0), tt.carried))
					pairs = append(pairs, Mirror{SourceEvent: "$said", TargetEvent: "$s"})
				}
				for n, m := range pairs {
					m.SourceRoom, m.TargetRoom, m.Conversation, m.At = "!talk", "!consulting", "c", minute(n)
					require.NoError(t, s.AddMirror(t.Context(), m))
				}
				found := must[[]Mirror](t)(s.ReadEvents(t.Context(), Reading{Room: "!consulting", Event: "$a", SentAt: noon.Add(time.Minute)}, 1))
				require.Len(t, found, 1)
				require.Equal(t, tt.want, found[0].SourceEvent)
			})
		})
	}
}
