package bridge

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

const (
	notSent   = "Uw bericht is nog niet naar de praktijk gestuurd"
	stillNot  = "Uw bericht is nog steeds niet naar de praktijk gestuurd"
	whomAsked = "Over wie gaat uw vraag?"
)

// times is how often the bot said something in a room.
func (w *world) times(room id.RoomID, text string) int { return strings.Count(w.heard(room), text) }

// restarts lets another process take over, with what the database has.
func (w *world) restarts() {
	w.Bridge = New(w.Settings, w.Store, w.matrix, w.Texts, w.Bridge.Now, w.Log)
	w.settles()
}

func TestWhoDoesNotSayWhomItIsAboutIsToldTwiceThatNothingWasSent(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.writes(anna, room, "Ik heb al dagen koorts") // at eleven in the morning
	w.passes(59 * time.Minute)
	require.Zero(t, w.times(room, notSent))

	w.passes(time.Minute)
	assert.Equal(t, 1, w.times(room, notSent))
	said := w.said(room)
	assert.Contains(t, said[len(said)-2], "Bel 000 000 0000. Bel 112 bij levensgevaar.")
	assert.Contains(t, said[len(said)-1], whomAsked, "the question is the last word, with its buttons")
	asked, _, err := w.Store.LastPrompt(t.Context(), w.person(anna).ID, care.AskWhom)
	require.NoError(t, err)

	w.passes(23 * time.Hour)
	require.Zero(t, w.times(room, stillNot))
	require.NotContains(t, w.heard(beheer), "geeft geen antwoord")
	w.passes(time.Hour)
	assert.Equal(t, 1, w.times(room, stillNot))
	assert.Contains(t, w.heard(beheer), "Anneke de Berg, telefoon +31612345678, geeft geen antwoord")
	assert.NotContains(t, w.heard(beheer), "koorts")
	for range 20 {
		w.passes(day)
	}
	assert.Equal(t, 2, w.times(room, notSent)+w.times(room, stillNot), "never more")
	assert.Equal(t, 3, w.times(room, whomAsked))
	assert.Equal(t, 1, w.times(beheer, "geeft geen antwoord"))

	w.reacts(anna, room, id.EventID(asked.EventID), "1️⃣") // any of the three can be tapped
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "Ik heb al dagen koorts")
}

func TestAnAnswerEndsTheRemindersOfItsQuestionAndTheNextOneHasItsOwn(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "Een vraag")
	w.passes(30 * time.Minute)
	w.writes(anna, room, "iemand anders")
	w.passes(40 * time.Minute)
	require.Zero(t, w.times(room, notSent))
	w.passes(20 * time.Minute)
	assert.Equal(t, 1, w.times(room, notSent), "now it is about the name")
	said := w.said(room)
	assert.Contains(t, said[len(said)-1], "Hoe heet deze persoon?")
	for _, answer := range []string{"Bram de Berg", "1-1-2000", "2", "2"} {
		w.writes(anna, room, answer)
	}
	w.passes(2 * day)
	assert.Equal(t, 1, w.times(room, notSent)+w.times(room, stillNot))
	assert.NotContains(t, w.heard(w.roomFor(store.RoomBeheer, linde)), "geeft geen antwoord")
	w.writes(fatima, w.talk(anna), "!sluiten")
	w.writes(anna, room, "Nog een vraag")
	w.passes(time.Hour)
	assert.Equal(t, 2, w.times(room, notSent), "another message")
}

func TestNobodyIsRemindedAtNightOrWithoutReason(t *testing.T) {
	for name, change := range map[string]struct {
		does func(w *world, room id.RoomID, question id.EventID)
		want int // reminders by eight in the morning
	}{
		"keeps silent":               {func(*world, id.RoomID, id.EventID) {}, 1},
		"withdraws":                  {func(w *world, room id.RoomID, _ id.EventID) { w.writes(anna, room, "intrekken") }, 0},
		"stops":                      {func(w *world, room id.RoomID, _ id.EventID) { w.writes(anna, room, "stop") }, 0},
		"takes the message away":     {func(w *world, room id.RoomID, question id.EventID) { w.removes(anna, room, question) }, 0},
		"sends a photo that is held": {func(w *world, room id.RoomID, _ id.EventID) { w.passes(time.Minute); w.photographs(anna, room) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			room := w.registered(anna)
			w.clock = time.Date(2026, 3, 2, 21, 30, 0, 0, w.Zone)
			question := w.writes(anna, room, "Een vraag")
			change.does(w, room, question)
			for range 10 {
				w.passes(time.Hour)
			}
			require.Zero(t, w.times(room, notSent), "it is half past seven in the morning")
			w.passes(time.Hour)
			assert.Equal(t, change.want, w.times(room, notSent))
		})
	}
}

func (w *world) photographs(user id.UserID, room id.RoomID) {
	w.happens(user, room, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "foto.jpg", "url": "mxc://elders.example/foto"})
}

// Staff asked whom it is about: the patient owes us an answer, but no message waits for it yet.
func TestWhenNothingIsHeldNothingIsSaid(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "!derde")
	require.Equal(t, care.AskWhom, w.person(anna).Question, w.heard(talk))
	w.passes(2 * time.Hour)
	require.Zero(t, w.times(room, notSent))
	w.photographs(anna, room)
	w.passes(time.Hour)
	assert.Equal(t, 1, w.times(room, notSent))
}

func TestAReminderComesOnceWhateverStopsInBetween(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "Een vraag")
	w.restarts()
	w.clock = w.clock.Add(time.Hour)
	for range 2 { // stopped before its turn
		require.NoError(t, w.takeReminders(t.Context()))
	}
	w.restarts()
	assert.Equal(t, 1, w.times(room, notSent))

	back := w.cannotSend()
	w.passes(day)
	require.Zero(t, w.times(room, stillNot))
	w.restarts()
	back()
	w.passes(maxBackoff)
	assert.Equal(t, 1, w.times(room, stillNot))
	assert.Equal(t, 1, w.times(room, notSent))
}

// The answer was on its way when the reminder was.
func TestAReminderThatComesTooLateIsNotSaid(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "Een vraag")
	w.clock = w.clock.Add(time.Hour)
	w.arrives(anna, room, event.EventMessage, plainText("over mijzelf"))
	w.settles()
	assert.Zero(t, w.times(room, notSent))
	assert.Equal(t, 1, w.times(room, whomAsked))
}

func TestWhoStopsHalfwayWithRegisteringIsAskedOnceMore(t *testing.T) {
	const notReady = "Uw aanmelding is nog niet klaar"
	w := newWorld(t)
	w.moves(anna, "!chatanna:elders.example", botID, event.MembershipInvite)
	room := w.consulting(anna)
	w.moves(anna, room, anna, event.MembershipJoin)
	for _, answer := range []string{"1", "1", "1", "Anneke"} {
		w.writes(anna, room, answer)
	}
	w.passes(23 * time.Hour)
	require.Zero(t, w.times(room, notReady))
	for range 5 {
		w.passes(day)
	}
	assert.Equal(t, 1, w.times(room, notReady))
	assert.Equal(t, 2, w.times(room, "Wat is uw achternaam?"))
	w.writes(anna, room, "intrekken")
	w.passes(5 * day)
	assert.Equal(t, 1, w.times(room, notReady))
	assert.Equal(t, 1, w.times(room, "Wilt u toch beginnen?"), "that is an offer, nobody has to answer it")
}

func TestWhoDoesNotConfirmWhoTheyAreIsReminded(t *testing.T) {
	const noMessages = "geen berichten van u door aan de praktijk"
	w := newWorld(t)
	room, _ := w.talking(anna, "Een vraag")
	w.matrix.keys[anna] = Identity{Key: "first", First: "first"}
	w.writes(anna, room, "gewoon")
	w.renewsKeys(anna, "second", true)
	w.passes(time.Hour)
	w.passes(day)
	w.passes(day)
	assert.Equal(t, 2, w.times(room, noMessages))
	assert.Equal(t, 1, w.times(w.roomFor(store.RoomBeheer, linde), "geeft geen antwoord"))
}

func TestAPracticeMayRemindNobody(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.RemindAfter = 0 })
	room := w.registered(anna)
	w.writes(anna, room, "Een vraag")
	w.passes(3 * day)
	assert.Zero(t, w.times(room, notSent)+w.times(room, stillNot))
}

func TestAPhotoADayPutsOffNoReminder(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "Mijn wond")
	w.passes(time.Hour)
	for range 10 {
		w.passes(23 * time.Hour)
		w.photographs(anna, room)
	}
	assert.Equal(t, 1, w.times(room, notSent))
	assert.Equal(t, 1, w.times(room, stillNot))
	assert.Equal(t, 1, w.times(w.roomFor(store.RoomBeheer, linde), "geeft geen antwoord"))
}

// cannotSend lets the homeserver take nothing until the test says so.
func (w *world) cannotSend() (back func()) {
	broken := true
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if broken && call == "send" {
			return errors.New("the homeserver is away")
		}
		return nil
	}
	return func() { broken = false }
}

func TestAfterAnOutageThereIsOneReminderAndLaterTheOther(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.writes(anna, room, "Een vraag")
	back := w.cannotSend()
	w.passes(time.Hour)
	w.passes(day)
	back()
	w.passes(maxBackoff)
	assert.Equal(t, 1, w.times(room, notSent), w.heard(room))
	assert.Zero(t, w.times(room, stillNot))
	assert.NotContains(t, w.heard(beheer), "geeft geen antwoord", "they had no time to answer")
	w.passes(time.Hour)
	w.passes(day)
	assert.Equal(t, 1, w.times(room, notSent))
	assert.Equal(t, 1, w.times(room, stillNot))
	assert.Equal(t, 1, w.times(beheer, "geeft geen antwoord"))
}

func TestNobodyIsRemindedOfAQuestionThatTheyCouldNotSee(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	back := w.cannotSend()
	w.writes(anna, room, "Een vraag")
	w.passes(time.Hour)
	back()
	w.passes(maxBackoff)
	assert.Equal(t, 1, w.times(room, whomAsked))
	assert.Zero(t, w.times(room, notSent))
	w.passes(time.Hour)
	assert.Equal(t, 1, w.times(room, notSent))
}

func TestAPracticeThatWantsNoMoreRemindersSendsNone(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "Een vraag")
	w.RemindAfter = 0
	w.passes(3 * day)
	assert.Zero(t, w.times(room, notSent)+w.times(room, stillNot))
}

func TestWhatCouldNotBeSaidByDayWaitsForTheMorningAndHoldsUpNothing(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.clock = time.Date(2026, 3, 2, 20, 0, 0, 0, w.Zone)
	w.writes(anna, room, "Een vraag")
	back := w.cannotSend()
	w.passes(time.Hour)
	back()
	w.passes(6 * time.Hour) // three in the morning
	require.Zero(t, w.times(room, notSent))
	require.Equal(t, 1, w.times(room, whomAsked))
	w.writes(anna, room, "Is daar iemand?")
	require.Equal(t, 2, w.times(room, whomAsked), "who writes at night is answered at night")
	w.passes(5*time.Hour - time.Minute)
	require.Zero(t, w.times(room, notSent))
	w.passes(time.Minute)
	assert.Equal(t, 1, w.times(room, notSent), "at eight")
	assert.Equal(t, 3, w.times(room, whomAsked))
}

func TestWhoAnswersAtNightIsNotRemindedInTheMorning(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.clock = time.Date(2026, 3, 2, 20, 0, 0, 0, w.Zone)
	w.writes(anna, room, "Een vraag")
	back := w.cannotSend()
	w.passes(time.Hour)
	back()
	w.passes(6 * time.Hour)
	w.writes(anna, room, "over mijzelf")
	w.passes(day)
	assert.Zero(t, w.times(room, notSent))
	assert.Equal(t, 1, w.times(room, whomAsked))
}
