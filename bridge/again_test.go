package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
)

// knows lets a patient have named people before: a child who turns 16 on 3 March 2026, and a
// partner.
func (w *world) knows(user id.UserID) {
	w.Helper()
	for i, d := range []care.Derde{
		{ID: "kid", Name: "Sofie", BirthDate: care.Date{Year: 2010, Month: 3, Day: 3}, Relation: "child", Ground: care.Parent},
		{ID: "partner", Name: "Bram", BirthDate: care.Date{Year: 1980, Month: 1, Day: 1}, Relation: "partner", Ground: care.Permission},
	} {
		d.Person, d.AttestedAt = w.person(user).ID, w.clock.Add(time.Duration(i)*time.Second)
		require.NoError(w, w.Store.SaveDerde(w.Context(), d))
	}
}

func TestAnAnswerMeansWhatWasShownAlsoWhenAnAttestationEndsInBetween(t *testing.T) {
	for name, answers := range map[string]func(w *world, room id.RoomID){
		"typed": func(w *world, room id.RoomID) { w.writes(anna, room, "3") },
		"tapped": func(w *world, room id.RoomID) {
			asked, _, err := w.Store.LastPrompt(w.Context(), w.person(anna).ID, care.AskWhom)
			require.NoError(w, err)
			assert.Equal(w, []string{"kid", "partner"}, asked.Offered)
			w.reacts(anna, room, id.EventID(asked.EventID), "3️⃣")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			room := w.registered(anna)
			w.knows(anna)
			w.writes(anna, room, "Een vraag")
			assert.Contains(t, w.heard(room), "2. Over Sofie\n3. Over Bram")
			w.clock = w.clock.AddDate(0, 0, 2)
			answers(w, room)
			w.passes(time.Second)
			assert.Contains(t, w.heard(w.talk(anna)), "Gaat over Bram")
		})
	}
}

func TestWhoWasOfferedAndIsSixteenByNowIsNotTaken(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.knows(anna)
	w.writes(anna, room, "Een vraag")
	w.clock = w.clock.AddDate(0, 0, 2)
	w.writes(anna, room, "2")
	assert.Contains(t, w.heard(room), "U kunt niet meer namens deze persoon schrijven")
	said := w.said(room)
	assert.Contains(t, said[len(said)-1], "1. Over mijzelf\n2. Over Bram\n3.", "numbered anew, and shown so")
}

func TestAnOpenConversationOfAChildEndsOnItsSixteenthBirthday(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.knows(anna)
	w.writes(anna, room, "Een vraag")
	w.writes(anna, room, "2")
	w.passes(time.Second)
	first := w.talk(anna)
	w.clock = w.clock.AddDate(0, 0, 2)
	w.writes(anna, room, "kanarie")
	assert.NotContains(t, w.heard(first), "kanarie")
	assert.Contains(t, w.heard(first), "Dit gesprek is gesloten")
	w.writes(anna, room, "over mijzelf")
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "Anneke de Berg: kanarie")
}

func TestStaffSayWithACommandThatItConcernsSomeoneElse(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Mijn buurvrouw hoest")
	w.writes(fatima, talk, "!derde anders")
	assert.Contains(t, w.heard(talk), "!derde, of: !derde stop")
	w.writes(fatima, talk, "!derde stop")
	assert.Contains(t, w.heard(talk), "gaat niet over iemand anders")
	w.writes(fatima, talk, "!derde")
	assert.Contains(t, w.heard(talk), "Fatima vraagt over wie het gaat")
	assert.Contains(t, w.heard(room), "Wij denken dat uw bericht over iemand anders gaat")
	w.writes(anna, room, "kanarie")
	assert.NotContains(t, w.heard(talk), "kanarie")
	for _, answer := range []string{"iemand anders", "Bep Buur", "1-1-1950", "iemand anders", "2"} {
		w.writes(anna, room, answer)
	}
	w.passes(time.Second)
	assert.NotEqual(t, talk, w.talk(anna))
	assert.Contains(t, w.heard(w.talk(anna)), "kanarie")
	w.writes(fatima, w.talk(anna), "!derde stop")
	w.writes(anna, room, "nog een kanarie")
	assert.Equal(t, care.AskWhom, w.person(anna).Question)
	assert.NotContains(t, w.heard(w.roomFor("conversation", conversationOf(w, "Bep Buur"))), "nog een kanarie")
}

// conversationOf is the conversation that concerns someone of a name.
func conversationOf(w *world, name string) string {
	w.Helper()
	all, err := w.Store.ConversationsOf(w.Context(), w.person(anna).ID)
	require.NoError(w, err)
	for _, c := range all {
		if d, named, err := w.derdeOf(w.Context(), c); err == nil && named && d.Name == name {
			return c.ID
		}
	}
	return ""
}

func TestWhenTheGroundHasEndedNothingPassesInEitherDirection(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.knows(anna)
	mine := w.writes(anna, room, "Een vraag")
	w.writes(anna, room, "2")
	w.passes(time.Second)
	talk := w.talk(anna)
	theirs := w.writes(fatima, talk, "Een antwoord")
	w.clock = w.clock.AddDate(0, 0, 2) // Sofie is 16
	w.writes(fatima, talk, "kanarie van Fatima")
	w.edits(fatima, talk, theirs, "kanarie in een wijziging")
	w.edits(anna, room, mine, "kanarie van Anna")
	assert.NotContains(t, w.heard(room)+w.heard(talk), "kanarie")
	assert.Equal(t, 2, strings.Count(w.heard(talk), "geldt niet meer. Als de patiënt weer schrijft"))
	assert.Contains(t, w.heard(room), "u kunt niet meer namens deze persoon schrijven")
	w.writes(fatima, talk, "!sluiten")
	w.knows(anna)
	w.writes(fatima, talk, "!derde stop")
	assert.Contains(t, w.heard(talk), "Fatima heeft vastgelegd dat de toestemming niet meer geldt")
}

func TestWhatWaitedToBeDeliveredWhileTheGroundEndedDoesNotPass(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.knows(anna)
	w.writes(anna, room, "Een vraag")
	w.writes(anna, room, "2")
	w.passes(time.Second)
	talk := w.talk(anna)
	w.matrix.fails = func(call string, to id.RoomID) error {
		if call == "send" && to == room {
			return assert.AnError
		}
		return nil
	}
	w.writes(fatima, talk, "kanarie")
	w.clock = w.clock.AddDate(0, 0, 2)
	w.matrix.fails = nil
	w.settles()
	assert.NotContains(t, w.heard(room), "kanarie")
	assert.Contains(t, w.heard(talk), "Dit is niet bij de patiënt gekomen")
}

func TestStaffAreToldThatThePatientLeft(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.moves(anna, room, anna, event.MembershipLeave)
	assert.Contains(t, w.heard(talk), "uit de spreekkamer gegaan")
}

func TestATapOnAQuestionThatWasAnsweredSaysSo(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Een vraag")
	asked, known, err := w.Store.LastPrompt(t.Context(), w.person(anna).ID, care.AskWhom)
	require.NoError(t, err)
	require.True(t, known)
	w.reacts(anna, room, id.EventID(asked.EventID), "2️⃣")
	assert.Equal(t, 1, strings.Count(w.heard(room), "Die vraag is al beantwoord"))
	assert.NotEmpty(t, w.person(anna).Current)
}
