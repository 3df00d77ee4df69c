package bridge

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

const day = 24 * time.Hour

// alarmed looks for trouble, and returns what Beheer has heard that begins with some words.
func (w *world) alarmed(begins string) (heard []string) {
	w.Helper()
	require.NoError(w, w.raiseAlarms(w.Context()))
	w.settles()
	for _, text := range w.said(w.roomFor(store.RoomBeheer, linde)) {
		if strings.HasPrefix(text, begins) {
			heard = append(heard, text)
		}
	}
	return heard
}

func TestThatNothingIsFiledIsToldAfterAnHour(t *testing.T) {
	broken := &brokenHIS{err: assert.AnError}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = broken })
	w.talking(anna, "kanarie")
	const begins = "Vastleggen in het HIS lukt niet, sinds 02-03-2026 om 11:00, van 1 gesprek (gesprek 1)."
	w.passes(longFiling - time.Minute)
	require.Empty(t, w.alarmed(begins))
	w.passes(time.Minute)
	require.Len(t, w.alarmed(begins), 1)
	broken.err = nil
	w.filesAgain()
	w.passes(time.Hour)
	assert.Len(t, w.alarmed("Vastleggen"), 1)

	passed := func() bool {
		over, err := w.hasPassed(t.Context(), task{body: body{Text: "alarm.filing", Practice: linde}})
		require.NoError(t, err)
		return over
	}
	assert.True(t, passed(), "who could not be told in time is not told")
	broken.err = assert.AnError
	w.writes(anna, w.roomFor(store.RoomConsulting, w.person(anna).ID), "nog een")
	w.passes(longFiling)
	assert.Len(t, w.alarmed("Vastleggen"), 2, "it is told again the same day when it comes back")
	assert.False(t, passed())
}

func TestWhatIsKeptUntilAConversationIsClosedIsToldInTime(t *testing.T) {
	w := newWorld(t, onClosing(&keepingHIS{files: map[string][]byte{}}))
	_, talk := w.talking(anna, "kanarie")
	const begins = "Nog niet in het HIS, omdat 1 gesprek open is (gesprek 1). Het oudste bericht is van 02-03-2026."
	w.clock = w.clock.Add(19 * day)
	require.Empty(t, w.alarmed(begins))
	w.clock = w.clock.Add(day)
	require.Len(t, w.alarmed(begins), 1)
	w.writes(fatima, talk, "!sluiten")
	w.clock = w.clock.Add(2 * day)
	assert.Len(t, w.alarmed(begins), 1)
}

func TestWhatIsNotFiledIsToldFromTwoThirdsOfThePeriodOnceADay(t *testing.T) {
	for name, answer := range map[string]error{"away": assert.AnError, "refused": his.ErrRefused} {
		t.Run(name, func(t *testing.T) {
			broken := &brokenHIS{err: answer}
			w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = broken })
			consulting, _ := w.talking(anna, "kanarie")
			w.writes(anna, consulting, "kanarie twee")
			const begins = "Nog niet in het HIS"
			w.clock = w.clock.Add(19 * day)
			require.Empty(t, w.alarmed(begins))
			w.clock = w.clock.Add(day)
			heard := w.alarmed(begins)
			require.Len(t, heard, 1)
			assert.Contains(t, heard[0], "2 berichten (gesprek 1)")
			assert.Contains(t, heard[0], "02-03-2026")
			for _, word := range []string{"kanarie", "Anneke", "Berg", string(anna)} {
				assert.NotContains(t, heard[0], word)
			}
			w.clock = w.clock.Add(2 * time.Hour)
			require.Len(t, w.alarmed(begins), 1, "not again the same day")
			w.clock = w.clock.Add(day)
			require.Len(t, w.alarmed(begins), 2, "but the next")
			broken.err = nil
			w.filesAgain()
			w.clock = w.clock.Add(day)
			assert.Len(t, w.alarmed(begins), 2, "and no more once it is filed")
		})
	}
}

func TestMoreOfTheSameTroubleIsToldWithinTheDay(t *testing.T) {
	broken := &brokenHIS{err: assert.AnError}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector, s.Retention = broken, 3*time.Hour })
	consulting, _ := w.talking(anna, "een")
	w.clock = w.clock.Add(2 * time.Hour)
	require.Len(t, w.alarmed("Nog niet"), 1)
	w.clock = w.clock.Add(-time.Hour)
	w.writes(anna, consulting, "twee")
	w.clock = w.clock.Add(2*time.Hour + time.Minute)
	require.Len(t, w.alarmed("Nog niet"), 2)
}

func TestRemovalsThatKeepFailingAreToldBeforeTheLimit(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "kanarie")
	w.matrix.fails = func(call string, room id.RoomID) error {
		if call == "redact" && room == consulting {
			return errors.New("down")
		}
		return nil
	}
	said := w.clock
	w.clock = said.Add(29*day + time.Minute)
	for range manyRemoval {
		require.Empty(t, w.alarmed("Verwijderen lukt niet"))
		w.sweepsOnce()
		w.clock = w.clock.Add(maxBackoff)
	}
	heard := w.alarmed("Verwijderen lukt niet")
	require.Len(t, heard, 1)
	assert.True(t, w.clock.Before(said.Add(30*day)), "there is still time to do something about it")
	assert.Contains(t, heard[0], "01-04-2026", "it says when that time ends")
	assert.NotContains(t, heard[0], "kanarie")
}

func (w *world) sweepsOnce() {
	w.Helper()
	_, err := w.sweep(w.Context())
	require.NoError(w, err)
}

func TestATurnThatIsStuckIsTold(t *testing.T) {
	w := newWorld(t)
	consulting := w.registered(anna)
	w.matrix.fails = func(call string, room id.RoomID) error {
		if call == "read" && room == consulting {
			return errors.New("broken")
		}
		return nil
	}
	w.writes(anna, consulting, "kanarie")
	for range 4 {
		require.Empty(t, w.alarmed("Wij kunnen niet verwerken"))
		w.passes(maxBackoff)
	}
	heard := w.alarmed("Wij kunnen niet verwerken")
	require.Len(t, heard, 1)
	assert.Contains(t, heard[0], code(w.person(anna)), "staff can find whom to call")
	assert.NotContains(t, heard[0], "kanarie")
	w.matrix.fails = nil
	w.passes(maxBackoff)
	w.clock = w.clock.Add(day)
	assert.Len(t, w.alarmed("Wij kunnen niet verwerken"), 1)
}

func TestAnAlarmIsNotSilentForAsLongAsTheClockWentBack(t *testing.T) {
	w := newWorld(t)
	consulting := w.registered(anna)
	w.matrix.fails = func(call string, room id.RoomID) error {
		if call == "read" && room == consulting {
			return errors.New("broken")
		}
		return nil
	}
	w.writes(anna, consulting, "kanarie")
	for range manyTurn - 1 {
		w.passes(maxBackoff)
	}
	const begins = "Wij kunnen niet verwerken"
	require.Len(t, w.alarmed(begins), 1)
	last := w.lookAtClock(t.Context(), time.Time{})
	w.clock = w.clock.Add(-90 * day)
	w.lookAtClock(t.Context(), last)
	require.Len(t, w.alarmed(begins), 1, "it has only just been told")
	w.clock = w.clock.Add(day)
	assert.Len(t, w.alarmed(begins), 2)
}

func TestWhatWillNeverBeReadIsToldOnce(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	const begins = "Van een kamer konden wij een deel van de berichten niet ophalen"
	_, err := w.Store.Keep(t.Context(), store.Batch{
		NextBatch: "s", Now: w.clock, Gaps: []store.Gap{{RoomID: string(room), Lost: true}}, Due: w.due,
	})
	require.NoError(t, err)
	heard := w.alarmed(begins)
	require.Len(t, heard, 1)
	assert.Contains(t, heard[0], "(aanmelding "+code(w.person(anna))+")")
	assert.NotContains(t, heard[0], "Anneke")
	for range 3 {
		w.clock = w.clock.Add(day)
		require.Len(t, w.alarmed(begins), 1)
	}
}

func TestWhatIsStuckForTwoReasonsIsOneAlarm(t *testing.T) {
	w := newWorld(t)
	const carla = id.UserID("@carla:elders.example")
	broken, away := w.registered(anna), []id.RoomID{w.registered(bob), w.registered(carla)}
	w.matrix.fails = func(call string, room id.RoomID) error {
		switch {
		case call == "read" && room == broken:
			panic("of this event")
		case call == "read" && slices.Contains(away, room):
			return errors.New("bad gateway")
		}
		return nil
	}
	w.writes(anna, broken, "kanarie")
	w.passes(time.Minute)
	w.writes(bob, away[0], "kanarie")
	w.writes(carla, away[1], "kanarie")
	for range 30 {
		w.passes(maxBackoff)
	}
	const begins = "Wij kunnen niet verwerken"
	for range 10 {
		w.alarmed(begins)
		w.passes(30 * time.Minute)
	}
	heard := w.alarmed(begins)
	require.Len(t, heard, 1, "nothing has grown")
	assert.Contains(t, heard[0], "11:0", "since the oldest")
}

func TestBeheerIsToldOnceWhenTheHomeserverHadLostThePlace(t *testing.T) {
	w := newWorld(t)
	const begins = "De server waarop de chat staat, wist op 02-03-2026 om 11:00 niet meer hoever wij waren."
	w.keep()
	require.Empty(t, w.alarmed(begins))
	_, err := w.Store.Keep(t.Context(), store.Batch{NextBatch: "anew", Anew: true, Now: w.clock, Due: w.due})
	require.NoError(t, err)
	require.Len(t, w.alarmed(begins), 1)
	for range 30 {
		w.passes(time.Hour)
		require.Len(t, w.alarmed(begins), 1)
	}
}
