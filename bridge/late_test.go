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
	"github.com/spreekkamer/spreekkamer/store"
)

// locked is a text message whose key does not come.
func (w *world) locked(sender id.UserID, room id.RoomID, text string) id.EventID {
	w.Helper()
	return w.lockedEvent(sender, room, map[string]any{"msgtype": "m.text", "body": text})
}

func (w *world) lockedEvent(sender id.UserID, room id.RoomID, content map[string]any) id.EventID {
	w.Helper()
	e := w.arrives(sender, room, event.EventMessage, content)
	w.matrix.noKey[e] = true
	w.settles()
	return e
}

// unlock brings the keys of messages, as a client does that is asked again.
func (w *world) unlock(room id.RoomID, events ...id.EventID) {
	w.Helper()
	for _, e := range events {
		delete(w.matrix.noKey, e)
	}
	w.KeyArrived(room)
	w.settles()
}

// waiting is how many messages are parked.
func (w *world) isParked(e id.EventID) bool {
	w.Helper()
	_, parked, err := w.Store.ParkedEvent(w.Context(), string(e))
	require.NoError(w, err)
	return parked
}

// order says which of some words come in a text, in their order.
func order(text string, words ...string) (all []string) {
	for text != "" {
		first, at := "", len(text)
		for _, word := range words {
			if i := strings.Index(text, word); i >= 0 && i < at {
				first, at = word, i
			}
		}
		if first == "" {
			return all
		}
		all, text = append(all, first), text[at+len(first):]
	}
	return all
}

func TestAMissingKeyHoldsUpItsSenderForAWhileAndNobodyElse(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	first := w.locked(anna, consulting, "eerste")
	w.writes(anna, consulting, "tweede")
	w.writes(anna, consulting, "derde")
	w.writes(fatima, talk, "van Fatima")
	assert.Contains(t, w.heard(consulting), "van Fatima", "staff do not wait for the patient's key")
	assert.Empty(t, order(w.heard(talk), "eerste", "tweede", "derde"))
	w.passes(time.Minute)
	w.unlock(consulting, first)
	assert.Equal(t, []string{"eerste", "tweede", "derde"}, order(w.heard(talk), "eerste", "tweede", "derde"))
	assert.NotContains(t, w.heard(talk), "te laat", "it was in time")
	assert.NotContains(t, w.heard(consulting), "nog niet openen")
}

func TestStaffDoNotWaitForEachOthersKeys(t *testing.T) {
	w := newWorld(t)
	w.staff("@mark:praktijk.example", "Mark", care.Huisarts)
	consulting, talk := w.talking(anna, "Een vraag")
	w.locked(fatima, talk, "van Fatima")
	w.writes("@mark:praktijk.example", talk, "van Mark")
	w.writes(anna, consulting, "van de patiënt")
	assert.Contains(t, w.heard(consulting), "van Mark")
	assert.Contains(t, w.heard(talk), "van de patiënt")
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.locked(chef, beheer, "onder ons")
	w.writes(fatima, beheer, "!medewerkers")
	assert.Contains(t, w.heard(beheer), "Medewerkers van De Linde")
}

func TestAfterTheSetTimeBothSidesKnowAndLaterItPassesMarked(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	late := w.locked(anna, consulting, "verlaat woord")
	w.writes(anna, consulting, "achteraan")
	w.passes(3 * time.Minute)
	assert.Contains(t, w.heard(consulting), "Wij kunnen uw bericht van 11:00 nog niet openen")
	assert.Equal(t, []string{"gestuurd om 11:00", "achteraan"}, order(w.heard(talk), "gestuurd om 11:00", "achteraan"), "the gap is in its place")
	for range 5 {
		w.passes(time.Hour)
	}
	assert.Equal(t, 1, strings.Count(w.heard(talk), "Hier ontbreekt"), "once")
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "nog niet openen"), "once")
	w.writes(anna, consulting, "veel later")

	w.unlock(consulting, late)
	said := w.said(talk)
	assert.Equal(t, "Anneke de Berg: [te laat ontvangen, gestuurd op 02-03-2026 om 11:00] verlaat woord", said[len(said)-1])
	assert.Contains(t, w.heard(consulting), "Uw bericht van 11:00 konden wij nu toch openen")
	letters := w.letters()
	last := letters[len(letters)-1]
	assert.Contains(t, last, "verlaat woord")
	assert.Contains(t, last, "[te laat ontvangen, gestuurd op 02-03-2026 om 11:00]")
	assert.False(t, w.isParked(late))
	before := len(w.said(talk))
	w.unlock(consulting, late)
	w.passes(2 * time.Hour)
	assert.Len(t, w.said(talk), before, "and not twice")
}

func TestAnAnswerOfStaffCanComeLateToo(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(anna, consulting, "english")
	late := w.locked(fatima, talk, "verlaat antwoord")
	w.passes(3 * time.Minute)
	assert.Contains(t, w.heard(talk), "Wij kunnen uw bericht van 11:00 nog niet openen")
	assert.Contains(t, w.heard(consulting), "The practice sent you a message at 11:00 that has not arrived yet")
	w.passes(time.Hour)
	w.unlock(talk, late)
	said := w.said(consulting)
	assert.Equal(t, "Fatima, practice assistant: [received late, sent on 02-03-2026 at 11:00] verlaat antwoord", said[len(said)-1])
	assert.Contains(t, w.heard(talk), "Het is doorgegeven aan de patiënt")
}

func TestAFileKeepsItsNameAndItsCaptionWhenItIsMarked(t *testing.T) {
	for name, tt := range map[string]struct{ m, want event.MessageEventContent }{
		"file without words": {event.MessageEventContent{URL: "mxc://a/b", Body: "foto.jpg"}, event.MessageEventContent{URL: "mxc://a/b", Body: "[laat]", FileName: "foto.jpg"}},
		"file with words": {event.MessageEventContent{URL: "mxc://a/b", Body: "mijn arm", FileName: "foto.jpg"},
			event.MessageEventContent{URL: "mxc://a/b", Body: "[laat] mijn arm", FileName: "foto.jpg"}},
		"formatted text": {event.MessageEventContent{Body: "dag", Format: event.FormatHTML, FormattedBody: "<b>dag</b>"},
			event.MessageEventContent{Body: "[laat] dag", Format: event.FormatHTML, FormattedBody: "<em>[laat]</em> <b>dag</b>"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, &tt.want, marked(&tt.m, "[laat]"))
			assert.Same(t, &tt.m, marked(&tt.m, ""))
		})
	}
}

func TestOfAMessageThatIsRemovedBeforeItsKeyComesNothingIsLeft(t *testing.T) {
	for name, waits := range map[string]time.Duration{"at once": 0, "after both sides were told": time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			late := w.locked(anna, consulting, "teruggenomen")
			w.writes(anna, consulting, "achteraan")
			w.passes(waits)
			w.removes(anna, consulting, late)
			assert.False(t, w.isParked(late))
			w.unlock(consulting, late)
			w.passes(2 * time.Hour)
			assert.Equal(t, []string{"achteraan"}, order(w.heard(talk), "teruggenomen", "achteraan"))
			assert.NotContains(t, strings.Join(w.letters(), "\n"), "teruggenomen")
		})
	}
}

func TestAReactionAndAnEditOfAMissingMessageWaitForIt(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	late := w.locked(anna, consulting, "eerste woorden")
	w.edits(anna, consulting, late, "betere woorden")
	w.reacts(anna, consulting, late, "🙏")
	assert.Empty(t, w.left(talk, "woorden"))
	w.unlock(consulting, late)
	assert.Len(t, w.left(talk, "woorden"), 2)
	events := w.matrix.room(talk).events
	assert.Equal(t, "🙏", events[len(events)-1].Content.AsReaction().RelatesTo.Key)
	assert.Equal(t, []string{"eerste woorden", "betere woorden"}, order(w.heard(talk), "eerste woorden", "betere woorden"))
}

func TestAnEditStandsForAMessageThatIsMissing(t *testing.T) {
	for name, from := range map[string]id.UserID{"patient": anna, "staff": fatima} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			here, there := consulting, talk
			if from == fatima {
				here, there = talk, consulting
			}
			late := w.locked(from, here, "eerste kanarie")
			w.passes(time.Hour)
			w.edits(from, here, late, "tweede kanarie")
			assert.Len(t, w.left(there, "tweede kanarie"), 1, "it says all of it")
			w.unlock(here, late)
			w.passes(2 * time.Hour)
			assert.Empty(t, w.left(there, "eerste kanarie"), "what was edited is not shown after it")
			w.edits(from, here, late, "derde kanarie")
			assert.Contains(t, w.heard(there), "* ", "the next edit changes what is there")
			w.removes(from, here, late)
			w.sweeps()
			assert.Empty(t, w.left(there, "kanarie"), "and so does its removal")
		})
	}
}

func TestALateMessageBeforeTheAnswerToWhomIsHeld(t *testing.T) {
	w := newWorld(t)
	consulting := w.registered(anna)
	late := w.locked(anna, consulting, "over mijzelf") // no answer: nobody had asked
	w.passes(time.Hour)
	w.writes(anna, consulting, "Een vraag")
	w.unlock(consulting, late)
	assert.Equal(t, care.AskWhom, w.person(anna).Question, "it is still asked")
	w.writes(anna, consulting, "over mijzelf")
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "Anneke de Berg: [te laat ontvangen, gestuurd op 02-03-2026 om 11:00] over mijzelf")
}

func TestALateAnswerToTheQuestionThatIsOpenCounts(t *testing.T) {
	w := newWorld(t)
	consulting := w.registered(anna)
	w.writes(anna, consulting, "Een vraag")
	w.passes(time.Minute)
	late := w.locked(anna, consulting, "over mijzelf")
	w.passes(time.Hour)
	w.unlock(consulting, late)
	w.passes(time.Second)
	assert.Contains(t, w.heard(w.talk(anna)), "Een vraag")
	assert.NotContains(t, w.heard(w.talk(anna)), "over mijzelf")
}

func TestALateMessageOfAClosedConversationGoesThereAndStaffArePointedToIt(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	late := w.locked(anna, consulting, "hoort bij de eerste")
	w.passes(time.Hour)
	w.writes(fatima, talk, "!sluiten")
	w.passes(time.Hour)
	w.writes(anna, consulting, "Een andere vraag")
	w.writes(anna, consulting, "over mijzelf")
	w.passes(time.Second)
	second := w.talk(anna)
	w.unlock(consulting, late)
	assert.Contains(t, w.heard(talk), "hoort bij de eerste")
	assert.Contains(t, w.heard(talk), "nadat het gesprek was gesloten")
	assert.NotContains(t, w.heard(second), "hoort bij de eerste")
	assert.Contains(t, w.heard(consulting), "is al gesloten. De praktijk heeft uw bericht")
}

func TestOnceWithdrawnALateMessageIsRemoved(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	late := w.locked(anna, consulting, "mag niet meer")
	w.passes(time.Hour)
	w.writes(anna, consulting, "intrekken")
	w.unlock(consulting, late)
	assert.NotContains(t, w.heard(talk), "mag niet meer")
	assert.NotContains(t, strings.Join(w.letters(), "\n"), "mag niet meer")
	gone, err := w.matrix.Gone(t.Context(), consulting, late)
	require.NoError(t, err)
	assert.True(t, gone)
	assert.Contains(t, w.heard(consulting), "hebben het weggehaald")
}

func TestALateWithdrawalCounts(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	w.passes(time.Minute)
	late := w.locked(anna, consulting, "intrekken")
	w.passes(time.Hour)
	w.unlock(consulting, late)
	assert.Equal(t, care.Withdrawn, w.person(anna).State)
}

func TestALateCommandIsNotCarriedOut(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	beheer := w.roomFor(store.RoomBeheer, linde)
	closing, adding := w.locked(fatima, talk, "!sluiten"), w.locked(chef, beheer, "!medewerker+ @x:praktijk.example beheer X")
	w.passes(time.Hour)
	assert.Contains(t, w.heard(beheer), "Was het een opdracht?")
	w.unlock(talk, closing)
	w.unlock(beheer, adding)
	assert.NotEmpty(t, w.person(anna).Current, "the conversation is still open")
	for _, room := range []id.RoomID{talk, beheer} {
		assert.Contains(t, w.heard(room), "Wij hebben hem niet uitgevoerd")
	}
}

func TestAKeyThatNeverComesIsWaitedForUntilTheMessageGoes(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	late := w.locked(anna, consulting, "nooit")
	for range 30 {
		w.passes(24 * time.Hour)
		require.True(t, w.isParked(late))
	}
	w.passes(24 * time.Hour)
	w.sweeps()
	assert.False(t, w.isParked(late))
	w.unlock(consulting, late)
	assert.NotContains(t, w.heard(talk), "nooit")
}

func TestWhatNoKeyCanOpenIsToldAtOnce(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(call string, room id.RoomID) error {
		if call == "read" && room == consulting {
			return ErrUnreadable
		}
		return nil
	}
	broken := w.writes(anna, consulting, "kapot")
	assert.False(t, w.isParked(broken))
	assert.Contains(t, w.heard(consulting), "Wij konden dit bericht niet openen")
	assert.Contains(t, w.heard(talk), "Wij konden het niet openen")
}

func TestKeysAreLookedForLessAndLessOften(t *testing.T) {
	assert.Equal(t, time.Second, keyBackoff(-1))
	assert.Equal(t, 8*time.Second, keyBackoff(3))
	assert.Equal(t, maxKeyBackoff, keyBackoff(90))
}
