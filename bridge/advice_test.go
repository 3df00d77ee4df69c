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

// open from nine to five, and an answer within two working days.
func officeHours(s *Settings) {
	hours, err := care.HoursOf([]string{"mon-fri 09:00-17:00"}, nil, nil)
	if err != nil {
		panic(err)
	}
	s.AnswerDays = 2
	s.Practices[0].Hours, s.Practices[0].OutOfHours, s.Practices[0].Emergency = hours, "000 000 0001", "000 000 0002"
}

func TestTheFirstAnswerNamesTimeLastDayAndEmergencyLine(t *testing.T) {
	w := newWorld(t, officeHours) // Monday 2 March 2026, eleven o'clock in Amsterdam
	room, _ := w.talking(anna, "Een vraag")
	assert.Contains(t, w.heard(room), "ontvangen op 02-03-2026 om 11:00. U krijgt uiterlijk woensdag 4 maart antwoord.")
	assert.Contains(t, w.heard(room), "Bel 000 000 0002. Bel 112")
	assert.NotContains(t, w.heard(room), "De praktijk is nu dicht")
	w.writes(anna, room, "Nog iets")
	assert.Equal(t, 1, strings.Count(w.heard(room), "ontvangen op"), "once per conversation")
}

func TestOutOfHoursThePatientHearsWhenItIsReadAndWhomToCall(t *testing.T) {
	w := newWorld(t, officeHours)
	room := w.registered(anna)
	w.clock = time.Date(2026, 3, 27, 21, 0, 0, 0, time.UTC) // Friday night; on Sunday the clock is moved
	w.writes(anna, room, "Ik heb pijn op de borst")
	assert.Contains(t, w.heard(room), "De praktijk is nu dicht. Wij lezen uw bericht maandag 30 maart vanaf 09:00.\nKan uw klacht niet wachten? Bel de huisartsenpost: 000 000 0001. Bel 112")
	assert.Less(t, strings.Index(w.heard(room), "huisartsenpost"), strings.LastIndex(w.heard(room), "Over wie gaat uw vraag"), "before any question")
	w.writes(anna, room, "over mijzelf")
	w.passes(time.Second)
	assert.Contains(t, w.heard(room), "uiterlijk woensdag 1 april antwoord.\nDe praktijk is nu dicht. Wij lezen uw vraag maandag 30 maart vanaf 09:00.")
	before := len(w.said(room))
	w.writes(anna, room, "Hallo?")
	assert.Len(t, w.said(room), before)
}

func TestInAnOpenConversationThePatientHearsThatNobodyReadsNow(t *testing.T) {
	w := newWorld(t, officeHours)
	room, talk := w.talking(anna, "Een vraag") // Monday, in hours
	w.writes(fatima, talk, "Wij kijken ernaar.")
	w.clock = time.Date(2026, 3, 27, 21, 0, 0, 0, time.UTC) // Friday night, weeks later
	w.writes(anna, room, "nu ook druk op mijn borst")
	words := "De praktijk is nu dicht. Wij lezen uw bericht maandag 30 maart vanaf 09:00.\nKan uw klacht niet wachten? Bel de huisartsenpost: 000 000 0001. Bel 112"
	assert.Contains(t, w.heard(room), words)
	assert.Contains(t, w.heard(talk), "nu ook druk op mijn borst")
	w.clock = w.clock.AddDate(0, 0, 1)
	w.writes(anna, room, "Hallo?")
	assert.Equal(t, 1, strings.Count(w.heard(room), "De praktijk is nu dicht"), "once in this weekend")
	w.clock = time.Date(2026, 3, 30, 20, 0, 0, 0, time.UTC)
	w.writes(anna, room, "En nu?")
	assert.Contains(t, w.heard(room), "Wij lezen uw bericht dinsdag 31 maart vanaf 09:00.")
}

// What was decided on Sunday night, while the homeserver was down, is said only where it is true still.
func TestThatThePracticeIsClosedIsNotSaidWhenItIsOpenAgain(t *testing.T) {
	words := "De praktijk is nu dicht"
	for name, tt := range map[string]struct {
		back time.Time
		says []string
	}{
		"that night":       {time.Date(2026, 3, 30, 6, 59, 0, 0, time.UTC), []string{words + ". Wij lezen uw bericht maandag 30 maart vanaf 09:00."}},
		"in the morning":   {time.Date(2026, 3, 30, 7, 30, 0, 0, time.UTC), nil},
		"the next evening": {time.Date(2026, 3, 30, 20, 0, 0, 0, time.UTC), []string{words + ". Wij lezen uw bericht dinsdag 31 maart vanaf 09:00."}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, officeHours)
			room, talk := w.talking(anna, "Een vraag")
			w.clock = time.Date(2026, 3, 29, 20, 0, 0, 0, time.UTC) // Sunday night
			w.matrix.fails = func(call string, in id.RoomID) error {
				if call == "send" && in == room {
					return assert.AnError
				}
				return nil
			}
			w.writes(anna, room, "nu ook druk op mijn borst")
			w.clock, w.matrix.fails = tt.back, nil
			w.passes(0)
			assert.Equal(t, len(tt.says), strings.Count(w.heard(room), words))
			for _, say := range tt.says {
				assert.Contains(t, w.heard(room), say)
			}
			w.writes(fatima, talk, "Bel ons")
			assert.Contains(t, w.heard(room), "Bel ons")
			w.clock = time.Date(2026, 4, 1, 20, 0, 0, 0, time.UTC)
			w.writes(anna, room, "En nu?")
			assert.Equal(t, len(tt.says)+1, strings.Count(w.heard(room), words), "in the next closure again")
		})
	}
}

func TestThePatientChoosesTheCategoryAndStaffCorrectIt(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.writes(anna, room, "Ik ben verhuisd")
	w.writes(anna, room, "praktische vraag")
	w.passes(time.Second)
	talk := w.talk(anna)
	assert.Contains(t, w.heard(talk), "Praktische vraag. Over wie het gaat, is niet gevraagd")
	assert.Contains(t, w.heard(w.roomFor(store.RoomBalie, linde)), "(praktische vraag)")
	assert.Contains(t, strings.Join(w.letters(), "\n"), "Praktische vraag")

	w.writes(fatima, talk, "!zorg")
	assert.Contains(t, w.heard(talk), "Dit is nu een zorgvraag, zegt Fatima. Over wie het gaat, is niet gevraagd.")
	c, _, err := w.Store.Conversation(t.Context(), w.person(anna).Current)
	require.NoError(t, err)
	assert.Equal(t, care.CareCategory, c.Category)
	w.writes(fatima, talk, "!zorg")
	assert.Contains(t, w.heard(talk), "Dat is het al.")
	w.writes(anna, room, "En mijn knie doet pijn")
	letters := w.letters()
	assert.Contains(t, letters[len(letters)-1], "Zorgvraag")
	w.writes(chef, talk, "!praktisch")
	assert.Contains(t, w.heard(talk), "Deze opdracht kennen wij hier niet", "beheer does not answer patients")
}

func TestOneCommandAsksThePatientToComeOrCall(t *testing.T) {
	for command, words := range map[string]string{"!langskomen": "bellen voor een afspraak", "!bellen": "Hierover willen wij u graag spreken"} {
		t.Run(command, func(t *testing.T) {
			w := newWorld(t)
			room, talk := w.talking(anna, "Mijn oor doet pijn")
			w.writes(fatima, talk, command)
			said := w.said(room)
			assert.Contains(t, said[len(said)-1], "Fatima, doktersassistent: ")
			assert.Contains(t, said[len(said)-1], words)
			assert.Contains(t, said[len(said)-1], "000 000 0000")
			letters := w.letters()
			assert.Contains(t, letters[len(letters)-1], words, "it is in the record as an answer of staff")
			assert.NotContains(t, letters[len(letters)-1], command)
			assert.Contains(t, w.heard(talk), "Dit gesprek blijft open")
			w.writes(anna, room, "Ik kan niet komen")
			assert.Contains(t, w.heard(talk), "Ik kan niet komen")

			before := len(w.said(room))
			w.writes(fatima, talk, "!sluiten")
			w.writes(fatima, talk, command)
			assert.Len(t, w.said(room), before+2, "that it is closed, and that it is filed: nothing after the end")
			assert.Contains(t, w.heard(talk), "Dit gesprek is niet open")
		})
	}
}
