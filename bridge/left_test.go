package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

const hasLeft = "is uit de spreekkamer gegaan zonder antwoord"

func (w *world) goesOut(user id.UserID, room id.RoomID) {
	w.moves(user, room, user, event.MembershipLeave)
}
func (w *world) comesIn(user id.UserID, room id.RoomID) {
	w.moves(user, room, user, event.MembershipJoin)
}

// held is how many messages of a patient wait for an answer.
func (w *world) held(user id.UserID) int {
	w.Helper()
	held, err := w.Store.Held(w.Context(), w.person(user).Current)
	require.NoError(w, err)
	return len(held)
}

func TestWhoHasLeftIsNotRemindedAndIsTheBusinessOfBeheer(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.writes(anna, room, "Ik heb al dagen koorts")
	w.passes(10 * time.Minute)
	before := len(w.said(room))
	w.goesOut(anna, room)
	assert.Equal(t, 1, w.times(beheer, hasLeft))
	assert.Contains(t, w.heard(beheer), "Anneke de Berg, telefoon +31612345678, is uit de spreekkamer gegaan")
	for range 10 {
		w.passes(day)
	}
	assert.Len(t, w.said(room), before, "nobody speaks into an empty room")
	assert.Equal(t, 1, w.times(beheer, hasLeft))
	assert.Equal(t, 1, w.held(anna), "what is held stays what it was")

	w.comesIn(anna, room)
	assert.Equal(t, 2, w.times(room, whomAsked), "the question is open again")
	w.passes(time.Hour)
	assert.Equal(t, 1, w.times(room, notSent), "nothing that was not said counts")
	w.passes(day)
	assert.Equal(t, 1, w.times(room, stillNot))
	assert.Zero(t, w.times(beheer, noAnswer), "Beheer knows")
	assert.Equal(t, 1, w.times(beheer, hasLeft))
	w.writes(anna, room, "over mijzelf")
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "Ik heb al dagen koorts")
}

func TestOfWhoLeavesAtNightBeheerHearsInTheMorning(t *testing.T) {
	for name, comesBack := range map[string]bool{"and stays away": false, "and comes back": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			room := w.registered(anna)
			beheer := w.roomFor(store.RoomBeheer, linde)
			w.clock = time.Date(2026, 3, 2, 21, 0, 0, 0, w.Zone)
			w.writes(anna, room, "Een vraag")
			w.passes(2 * time.Hour)
			w.goesOut(anna, room)
			w.passes(8 * time.Hour)
			require.Zero(t, w.times(beheer, hasLeft), "it is seven in the morning")
			if comesBack {
				w.comesIn(anna, room)
			}
			w.passes(time.Hour)
			assert.Equal(t, map[bool]int{false: 1, true: 0}[comesBack], w.times(beheer, hasLeft))
			w.passes(time.Hour)
			assert.Equal(t, map[bool]int{false: 0, true: 1}[comesBack], w.times(room, notSent))
			w.passes(day)
			assert.Equal(t, 1, w.times(beheer, hasLeft)+w.times(beheer, noAnswer), "one way or the other")
		})
	}
}

// The reminder was decided on by day, and could not be said before the night.
func TestAReminderThatWaitsForTheMorningIsNotSaidToWhoLeftMeanwhile(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.clock = time.Date(2026, 3, 2, 20, 30, 0, 0, w.Zone)
	w.writes(anna, room, "Een vraag")
	back := w.cannotSend()
	w.passes(time.Hour)
	back()
	w.passes(3 * time.Hour)
	before := len(w.said(room))
	w.goesOut(anna, room)
	for range 12 {
		w.passes(time.Hour)
	}
	require.Len(t, w.said(room), before)
	w.comesIn(anna, room)
	w.passes(time.Hour)
	assert.Equal(t, 1, w.times(room, notSent), "it was not said, so it does not count")
	assert.Zero(t, w.times(room, stillNot))
}

func TestWhoLeavesWithNothingThatWaitsIsNoBusinessOfBeheer(t *testing.T) {
	for name, does := range map[string]func(w *world, room id.RoomID){
		"nothing asked": func(*world, id.RoomID) {},
		"taken away":    func(w *world, room id.RoomID) { w.removes(anna, room, w.writes(anna, room, "Een vraag")) },
		"answered": func(w *world, room id.RoomID) {
			w.writes(anna, room, "Een vraag")
			w.writes(anna, room, "over mijzelf")
		},
		"stopped": func(w *world, room id.RoomID) { w.writes(anna, room, "Een vraag"); w.writes(anna, room, "stop") },
	} {
		w := newWorld(t)
		room := w.registered(anna)
		does(w, room)
		w.goesOut(anna, room)
		w.passes(2 * day)
		assert.NotContains(t, w.heard(w.roomFor(store.RoomBeheer, linde)), "uit de spreekkamer", name)
	}
}

func TestWhoLeavesBeforeSayingWhoTheyAreIsTheBusinessOfBeheer(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Een vraag")
	w.matrix.keys[anna] = Identity{Key: "first", First: "first"}
	w.writes(anna, room, "gewoon")
	w.renewsKeys(anna, "second", true)
	require.Equal(t, care.AskIdentityName, w.person(anna).Question)
	w.goesOut(anna, room)
	w.passes(3 * day)
	assert.Equal(t, 1, w.times(w.roomFor(store.RoomBeheer, linde), hasLeft))
	assert.NotContains(t, w.heard(room), "geen berichten van u door aan de praktijk")
}

func TestWhoStopsRegisteringByLeavingIsNotReminded(t *testing.T) {
	w := newWorld(t)
	w.moves(anna, "!chatanna:elders.example", botID, event.MembershipInvite)
	room := w.consulting(anna)
	w.comesIn(anna, room)
	w.writes(anna, room, "1")
	before := len(w.said(room))
	w.goesOut(anna, room)
	w.passes(3 * day)
	assert.Len(t, w.said(room), before)
	w.comesIn(anna, room)
	w.passes(day)
	assert.Equal(t, 1, w.times(room, "Uw aanmelding is nog niet klaar"))
}

func TestAPracticeThatRemindsNobodyHearsOfNobody(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.RemindAfter = 0 })
	room := w.registered(anna)
	w.writes(anna, room, "Een vraag")
	w.goesOut(anna, room)
	w.passes(3 * day)
	assert.NotContains(t, w.heard(w.roomFor(store.RoomBeheer, linde)), hasLeft)
}

func TestWhoLeftBeforeTheQuestionWasAnsweredIsHeardOfAcrossARestart(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.clock = time.Date(2026, 3, 2, 23, 0, 0, 0, w.Zone)
	w.writes(anna, room, "Een vraag")
	w.goesOut(anna, room)
	w.restarts()
	require.True(t, w.person(anna).Left)
	w.clock = w.clock.Add(9 * time.Hour)
	require.NoError(t, w.takeReminders(t.Context()))
	w.restarts()
	assert.Equal(t, 1, w.times(w.roomFor(store.RoomBeheer, linde), hasLeft))
}
