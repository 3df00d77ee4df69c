package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/store"
)

const noAnswer = "geeft geen antwoord"

func TestBeheerHearsInTimeOfWhoWritesOnWithoutAnswering(t *testing.T) {
	for name, every := range map[string]time.Duration{"all the time": 50 * time.Minute, "now and then": 7 * time.Hour, "once a day": 23 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			room := w.registered(anna)
			beheer := w.roomFor(store.RoomBeheer, linde)
			w.writes(anna, room, "Ik heb al dagen koorts") // at eleven in the morning
			began, told := w.clock, w.clock.Add(time.Hour+day)
			for next := began.Add(every); w.clock.Before(began.Add(4 * day)); {
				step := min(told.Sub(w.clock), next.Sub(w.clock))
				if step <= 0 {
					step = next.Sub(w.clock)
				}
				reminders := w.times(room, notSent) + w.times(room, stillNot)
				w.passes(step)
				if w.clock.Before(told) {
					require.Zero(t, w.times(beheer, noAnswer))
				} else {
					require.Equal(t, 1, w.times(beheer, noAnswer), "once, a day after the first reminder was due")
				}
				if every < time.Hour {
					require.Equal(t, reminders, w.times(room, notSent)+w.times(room, stillNot), "they have just seen the question")
				}
				if w.clock.Equal(next) {
					w.writes(anna, room, "Hallo?")
					next = next.Add(every)
				}
			}
			assert.Contains(t, w.heard(beheer), "Anneke de Berg, telefoon +31612345678, geeft geen antwoord")
			w.writes(anna, room, "over mijzelf")
			w.passes(time.Second)
			assert.Contains(t, w.heard(w.talk(anna)), "Ik heb al dagen koorts")
		})
	}
}

func TestGoingToAndFroBetweenTheQuestionsPutsOffNothing(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.writes(anna, room, "Een vraag")
	for range 25 {
		w.writes(anna, room, "iemand anders")
		w.passes(30 * time.Minute)
		w.writes(anna, room, "terug")
		require.Zero(t, w.times(beheer, noAnswer))
		w.passes(30 * time.Minute)
	}
	assert.Equal(t, 1, w.times(beheer, noAnswer))
	for range 50 {
		w.writes(anna, room, "iemand anders")
		w.passes(time.Hour)
	}
	assert.Equal(t, 1, w.times(beheer, noAnswer))
}

func TestByNightBeheerHearsInTheMorning(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.clock = time.Date(2026, 3, 2, 21, 30, 0, 0, w.Zone)
	w.writes(anna, room, "Een vraag")
	for range 69 { // until eight in the morning of the third day
		require.Zero(t, w.times(beheer, noAnswer))
		w.passes(30 * time.Minute)
		w.writes(anna, room, "Hallo?")
	}
	require.Equal(t, "08:00", w.clock.In(w.Zone).Format("15:04"))
	assert.Equal(t, 1, w.times(beheer, noAnswer))
}

func TestWhatIsSentAfterAllWasTakenAwayWaitsAnew(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	beheer := w.roomFor(store.RoomBeheer, linde)
	first := w.writes(anna, room, "Een vraag")
	w.passes(20 * time.Hour)
	w.removes(anna, room, first)
	w.passes(day)
	require.Zero(t, w.times(beheer, noAnswer), "nothing waits")
	w.photographs(anna, room)
	w.passes(day)
	require.Zero(t, w.times(beheer, noAnswer))
	w.passes(time.Hour)
	assert.Equal(t, 1, w.times(beheer, noAnswer))
}
