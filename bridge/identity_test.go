package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// renewsKeys gives someone a new master key, as after a reset; heard: /sync told of it.
func (w *world) renewsKeys(user id.UserID, key string, heard bool) {
	w.Helper()
	w.matrix.keys[user] = Identity{Key: key, First: "first"}
	if !heard {
		return
	}
	for range 2 { // it may be told again
		require.NoError(w, w.IdentityChanged(w.Context(), user, key))
	}
	w.settles()
}

func TestWhoseKeysWereRenewedIsStoppedAndGoesOnAfterACheck(t *testing.T) {
	for name, heard := range map[string]bool{"by the list of devices": true, "by the first message": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			w.matrix.keys[anna] = Identity{Key: "first", First: "first"}
			w.writes(anna, consulting, "gewoon")
			beheer := w.roomFor(store.RoomBeheer, linde)

			w.renewsKeys(anna, "second", heard)
			w.writes(anna, consulting, "Kanarie")
			assert.Equal(t, care.Unconfirmed, w.person(anna).State)
			assert.NotContains(t, w.heard(talk), "Kanarie")
			assert.Equal(t, 1, strings.Count(w.heard(beheer), "zijn opnieuw gemaakt"), "staff are told once")
			assert.Contains(t, w.heard(talk), "niet meer zeker of dit nog de patiënt is")
			w.writes(fatima, talk, "geheim")
			assert.NotContains(t, w.heard(consulting), "geheim", "nor does anything go to them")

			if !heard {
				w.writes(anna, consulting, "Anneke de Berg")
			}
			w.writes(anna, consulting, "31-5-1980")
			said := "Anneke de Berg, geboren 31-05-1980\nBij ons bekend"
			if heard { // what they wrote first was taken for their name: staff see that
				said = "Kanarie, geboren 31-05-1980\nBij ons bekend"
			}
			assert.Contains(t, w.heard(beheer), said)
			assert.False(t, w.matrix.room(consulting).open, "the room is muted until staff have looked")
			w.writes(anna, consulting, "nog iets")
			assert.NotContains(t, w.heard(talk), "nog iets")

			w.writes(chef, beheer, "!bevestigen "+code(w.person(anna)))
			assert.Equal(t, care.Active, w.person(anna).State)
			assert.Contains(t, w.heard(consulting), "U kunt weer verder. Chef heeft uw gegevens gecontroleerd.")
			w.writes(anna, consulting, "daar ben ik weer")
			w.writes(fatima, talk, "welkom terug")
			assert.Contains(t, w.heard(talk), "daar ben ik weer")
			assert.Contains(t, w.heard(consulting), "welkom terug")

			w.renewsKeys(anna, "third", heard)
			w.writes(anna, consulting, "wie is dit")
			assert.Equal(t, care.Unconfirmed, w.person(anna).State, "a later change counts again")
		})
	}
}

func TestAnIdentityThatComesBackIsAskedAboutEachTime(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	beheer := w.roomFor(store.RoomBeheer, linde)
	for n, key := range []string{"second", "first", "second", "first"} {
		w.passes(time.Minute)
		w.renewsKeys(anna, key, true)
		require.Equal(t, care.Unconfirmed, w.person(anna).State, "change %d", n+1)
		w.writes(anna, consulting, "Anneke de Berg")
		w.writes(anna, consulting, "31-5-1980")
		w.passes(time.Minute)
		w.writes(chef, beheer, "!bevestigen "+code(w.person(anna)))
		require.Equal(t, care.Active, w.person(anna).State)
	}
}

func TestNothingOfThePracticeGoesToAnIdentityThatNobodyConfirmed(t *testing.T) {
	for name, says := range map[string]func(w *world, h *talkingHIS, talk id.RoomID){
		"staff write": func(w *world, _ *talkingHIS, talk id.RoomID) { w.writes(fatima, talk, "geheim") },
		"the HIS answers": func(w *world, h *talkingHIS, _ id.RoomID) {
			h.answers = append(h.answers, w.gp("geheim"))
			w.asks()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, talk := asking(t)
			w.renewsKeys(anna, "second", false) // they have done nothing yet that would show it
			says(w, h, talk)
			assert.NotContains(t, w.heard(consulting), "geheim")
			assert.Equal(t, care.Unconfirmed, w.person(anna).State, "they are asked who they are")
			assert.Contains(t, w.heard(talk), "niet meer zeker of dit nog de patiënt is")
			assert.Contains(t, w.heard(talk)+w.heard(w.balie()), map[string]string{
				"staff write": "Dit bericht is niet aangekomen bij de patiënt", "the HIS answers": "De patiënt heeft het niet gekregen",
			}[name])
		})
	}
}

func TestAnIdentityIsConfirmedOnlyAfterAnAnswer(t *testing.T) {
	w := newWorld(t)
	w.talking(anna, "Een vraag")
	w.renewsKeys(anna, "second", true)
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.writes(chef, beheer, "!bevestigen "+code(w.person(anna)))
	assert.Contains(t, w.heard(beheer), "heeft naam en geboortedatum nog niet gegeven")
	w.writes(chef, beheer, "!bevestigen")
	assert.Contains(t, w.heard(beheer), "!bevestigen CODE")
	assert.Equal(t, care.Unconfirmed, w.person(anna).State)
}

func TestWithdrawingIsHeardFromWhomeverItComes(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	w.renewsKeys(anna, "second", false)
	w.writes(anna, consulting, "intrekken")
	assert.Equal(t, care.Withdrawn, w.person(anna).State)
}

func TestATapOfSomeoneWhoseKeysWereRenewedIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	consulting := w.registered(anna)
	w.writes(anna, consulting, "Een vraag")
	asked, known, err := w.Store.LastPrompt(t.Context(), w.person(anna).ID, care.AskWhom)
	require.NoError(t, err)
	require.True(t, known)
	w.renewsKeys(anna, "second", false)
	w.reacts(anna, consulting, id.EventID(asked.EventID), "1️⃣")
	assert.Equal(t, care.Unconfirmed, w.person(anna).State)
	assert.Equal(t, care.AskIdentityName, w.person(anna).Question)
}

func TestBeheerHearsOfNewKeysOfStaff(t *testing.T) {
	w := newWorld(t)
	w.renewsKeys(fatima, "second", true)
	assert.Equal(t, 1, strings.Count(w.heard(w.roomFor(store.RoomBeheer, linde)), "De sleutels van Fatima zijn opnieuw gemaakt"))
	w.renewsKeys("@stranger:elders.example", "second", true)
}

func TestWhoIsApprovedWithOtherKeysThanTheFirstIsNotAskedAgain(t *testing.T) {
	w := newWorld(t)
	w.matrix.keys[anna] = Identity{Key: "second", First: "first"}
	consulting, talk := w.talking(anna, "Een vraag")
	require.NoError(t, w.IdentityChanged(t.Context(), anna, "second"))
	w.settles()
	w.writes(anna, consulting, "ik ben het")
	assert.Contains(t, w.heard(talk), "ik ben het")
}
