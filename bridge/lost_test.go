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
	noonToOne   = "tussen 02-03-2026 12:00 en 02-03-2026 13:00"
	sendAgain   = "Stuur het dan nog een keer"
	toldPatient = "De patiënt weet dit"
)

// losesBetween is that nothing will ever give what was sent in some rooms between noon and one; then
// something comes in again.
func (w *world) losesBetween(after []store.Event, rooms ...id.RoomID) {
	w.Helper()
	w.clock = time.Date(2026, 3, 2, 12, 0, 0, 0, w.Zone)
	w.keep()
	w.clock = w.clock.Add(time.Hour)
	b := store.Batch{NextBatch: "after", Events: after, Now: w.clock, Due: w.due}
	for i := range b.Events {
		b.Events[i].OriginAt = w.clock
	}
	for _, room := range rooms {
		b.Gaps = append(b.Gaps, store.Gap{RoomID: string(room), Since: "before", Place: "p", Lost: true})
	}
	_, err := w.Store.Keep(w.Context(), b)
	require.NoError(w, err)
	w.settles()
}

func TestOfWhatIsLostOfAPatientBothSidesHearOnceWhereItIsMissing(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	bobs := w.registered(bob)
	before := len(w.said(bobs))
	w.losesBetween([]store.Event{w.wrote(string(anna), string(room), "daarna")}, room)
	for range 3 {
		w.restarts()
		w.passes(time.Hour)
	}
	said := w.heard(room)
	assert.Equal(t, 1, strings.Count(said, noonToOne), said)
	assert.Contains(t, said, sendAgain)
	assert.Contains(t, said, "Bel 000 000 0000. Bel 112 bij levensgevaar.")
	shown := w.heard(talk)
	assert.Equal(t, []string{"Een vraag", noonToOne, "daarna"}, order(shown, "Een vraag", noonToOne, "daarna"), "in its place")
	assert.Contains(t, shown, "Hier ontbreken misschien berichten")
	assert.Contains(t, shown, toldPatient)
	assert.Len(t, w.said(bobs), before, "nothing of his is missing")
	assert.Len(t, w.alarmed("Van een kamer konden wij een deel"), 1, "Beheer hears as before")
}

func TestOfWhatIsLostOfStaffBothSidesHearOnce(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.losesBetween(nil, talk)
	w.passes(time.Hour)
	assert.Equal(t, 1, strings.Count(w.heard(talk), noonToOne), w.heard(talk))
	assert.Contains(t, w.heard(talk), sendAgain)
	assert.Equal(t, 1, strings.Count(w.heard(room), noonToOne), w.heard(room))
	assert.Contains(t, w.heard(room), "Wij vragen de praktijk")
	assert.NotContains(t, w.heard(room), sendAgain)
}

// The bot may have been removed from a room, and that is why it can read nothing there.
func TestWhereTheBotIsNotInTheRoomAnyMoreOnlyTheOtherSideHears(t *testing.T) {
	for _, gone := range []error{ErrRefused, ErrNotFound} {
		w := newWorld(t)
		room, talk := w.talking(anna, "Een vraag")
		out := room
		w.matrix.fails = func(call string, in id.RoomID) error {
			if in == out && (call == "joined" || call == "send") {
				return gone
			}
			return nil
		}
		before := len(w.said(room))
		w.losesBetween(nil, room)
		assert.Len(t, w.said(room), before)
		assert.Contains(t, w.heard(talk), noonToOne)
		assert.Contains(t, w.heard(talk), "konden dit niet aan de patiënt laten weten")
		assert.NotContains(t, w.heard(talk), toldPatient)

		out = talk
		before = len(w.said(talk))
		w.clock = w.clock.Add(-2 * time.Hour)
		w.losesBetween(nil, talk)
		assert.Len(t, w.said(talk), before)
		assert.Contains(t, w.heard(room), noonToOne)
		assert.NotContains(t, w.heard(room), "Wij vragen de praktijk", "nobody did")
		assert.NotContains(t, w.log.String(), "given up", "it is not even tried")
	}
}

func TestWhetherTheBotIsInTheRoomIsAskedUntilThereIsAnAnswer(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	away := true
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if away && call == "joined" {
			return errors.New("bad gateway")
		}
		return nil
	}
	w.losesBetween([]store.Event{w.wrote(string(anna), string(room), "daarna")}, room)
	require.NotContains(t, w.heard(talk), "daarna")
	away = false
	w.passes(maxBackoff)
	assert.Equal(t, []string{noonToOne, "daarna"}, order(w.heard(talk), noonToOne, "daarna"))
	assert.Equal(t, 1, strings.Count(w.heard(room), noonToOne))
}

func TestOnlyThoseHearOfALossWhomItConcerns(t *testing.T) {
	for name, tt := range map[string]struct {
		does           func(w *world) (lost, room, talk id.RoomID)
		patient, staff bool
	}{
		"nothing is talked about": {func(w *world) (lost, room, talk id.RoomID) {
			room = w.registered(anna)
			return room, room, ""
		}, true, false},
		"whom it is about is not known yet": {func(w *world) (lost, room, talk id.RoomID) {
			room = w.registered(anna)
			w.writes(anna, room, "Een vraag")
			return room, room, ""
		}, true, false},
		"in the middle of registering": {func(w *world) (lost, room, talk id.RoomID) {
			w.moves(anna, "!chatanna:elders.example", botID, event.MembershipInvite)
			room = w.consulting(anna)
			w.moves(anna, room, anna, event.MembershipJoin)
			return room, room, ""
		}, true, false},
		"closed, of the patient": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			w.writes(fatima, talk, "!sluiten")
			return room, room, talk
		}, true, false},
		"closed, of staff": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			w.writes(fatima, talk, "!sluiten")
			return talk, room, talk
		}, false, true},
		"withdrawn": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			w.writes(anna, room, "intrekken")
			require.Equal(w, care.Withdrawn, w.person(anna).State)
			return room, room, talk
		}, false, false},
		"left, of the patient": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			w.goesOut(anna, room)
			return room, room, talk
		}, false, true},
		"left, of staff": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			w.goesOut(anna, room)
			return talk, room, talk
		}, false, true},
		"the Balie": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			return w.roomFor(store.RoomBalie, linde), room, talk
		}, false, false},
		"the patient's own chat": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			return "!chatanna:elders.example", room, talk
		}, false, false},
		"a room that nobody knows": {func(w *world) (lost, room, talk id.RoomID) {
			room, talk = w.talking(anna, "Een vraag")
			return "!strange:elders.example", room, talk
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			lost, room, talk := tt.does(w)
			w.losesBetween(nil, lost)
			w.passes(time.Hour)
			assert.Equal(t, tt.patient, strings.Contains(w.heard(room), noonToOne), w.heard(room))
			if talk != "" {
				assert.Equal(t, tt.staff, strings.Contains(w.heard(talk), noonToOne), w.heard(talk))
			}
		})
	}
}

// A patient who waits for staff to look at the account can send nothing.
func TestWhoCannotSendAnythingIsNotAskedTo(t *testing.T) {
	active, awaiting := care.Person{State: care.Active}, care.Person{State: care.Awaiting}
	assert.Len(t, lostOfPatient(loss{Case: care.Case{Person: active}, told: true}), 1)
	assert.Empty(t, lostOfPatient(loss{Case: care.Case{Person: awaiting}, told: true}))
}
