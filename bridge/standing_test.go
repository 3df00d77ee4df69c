package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// saidWith finds the event in which the bot says something in a room, for the last time.
func (w *world) saidWith(room id.RoomID, words string) (found id.EventID) {
	w.Helper()
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	for _, e := range w.matrix.room(room).events {
		if m, ok := e.Content.Parsed.(*event.MessageEventContent); ok && e.Sender == botID && !e.gone && strings.Contains(m.Body, words) {
			found = e.ID
		}
	}
	require.NotEmpty(w, found, words)
	return found
}

// crosses checks that a reaction and a reply to an event come to point at another one at the other side.
func (w *world) crosses(who id.UserID, here id.RoomID, about id.EventID, there id.RoomID, want id.EventID) {
	w.Helper()
	w.reacts(who, here, about, "👍")
	assert.Equal(w, string(want), dug(w.lastOf(there, event.EventReaction), "m.relates_to", "event_id"))
	w.happens(who, here, event.EventMessage, replying("Daarop dit", about))
	got := w.lastOf(there, event.EventMessage)
	assert.Contains(w, got["body"], "Daarop dit")
	assert.Equal(w, string(want), dug(got, "m.relates_to", "m.in_reply_to", "event_id"))
}

func TestWhatACommandToldThePatientStandsForTheCommand(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Mijn oor doet pijn")
	w.passes(time.Second)
	typed := w.writes(fatima, talk, "!bellen")
	told := w.saidWith(consulting, "Hierover willen wij")
	w.passes(time.Second)
	w.reads(anna, consulting, told, "")
	assert.Equal(t, []fakeReceipt{{typed, ""}}, w.matrix.receipts)
	w.crosses(anna, consulting, told, talk, typed)
	w.crosses(fatima, talk, typed, consulting, told)
	replies := 0
	for _, letter := range w.letters() {
		if strings.Contains(letter, "Daarop dit") && strings.Contains(letter, "Antwoord op:") {
			replies++
		}
	}
	assert.Equal(t, 2, replies)

	w.edits(fatima, talk, typed, "Belt u ons maar niet")
	assert.Contains(t, w.heard(talk), editedCommand)
	assert.NotContains(t, w.heard(consulting), "maar niet")
	w.removes(fatima, talk, typed)
	assert.Contains(t, w.heard(consulting), "Hierover willen wij", "it was said")
	w.comes(devries, talk)
	assert.Contains(t, strings.Join(w.recapped(talk), "\n"), "Fatima, doktersassistent: Hierover willen wij")
}

func TestAnAdviceStaysWhenItsCommandIsRemovedBeforeItArrived(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(_ string, room id.RoomID) error {
		if room == consulting {
			return assert.AnError
		}
		return nil
	}
	typed := w.writes(fatima, talk, "!bellen")
	w.removes(fatima, talk, typed)
	w.matrix.fails = nil
	w.passes(maxBackoff)
	assert.Equal(t, 1, strings.Count(w.heard(consulting), "Hierover willen wij"))
}

// Its answer got lost, its echo was seen, and meanwhile its author left: it is there all the same.
func TestAnAdviceOfWhichTheAnswerGotLostStandsForItsCommandToo(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.lose = func(room id.RoomID) bool { return room == consulting }
	typed := w.writes(fatima, talk, "!bellen")
	w.matrix.lose = nil
	require.NoError(t, w.Store.RemoveStaff(t.Context(), string(fatima), w.clock))
	w.passes(maxBackoff)
	assert.Equal(t, string(typed), w.mirrorOf(w.saidWith(consulting, "Hierover willen wij"), talk))
	assert.NotContains(t, w.heard(talk), "✗")
}

func TestTheTwoPlacesOfAnAnswerOfTheHISStandForEachOther(t *testing.T) {
	for name, late := range map[string]bool{"both at once": false, "to the patient later": true} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, talk := asking(t)
			w.passes(time.Second)
			h.answers = append(h.answers, w.gp("Smeer het in"))
			if late {
				w.matrix.fails = func(call string, room id.RoomID) error {
					if call == "send" && room == consulting {
						return assert.AnError
					}
					return nil
				}
			}
			w.asks()
			w.matrix.fails = nil
			w.passes(maxBackoff)
			here, there := w.saidWith(talk, "Smeer het in"), w.saidWith(consulting, "Smeer het in")
			w.passes(time.Second)
			w.reads(anna, consulting, there, "")
			assert.Equal(t, []fakeReceipt{{here, ""}}, w.matrix.receipts, "staff see that the patient has read it")
			w.reads(fatima, talk, here, "")
			question, known, err := w.Store.MirrorOf(t.Context(), string(w.saidWith(talk, "Een vraag")), string(consulting))
			require.True(t, known, err)
			assert.Equal(t, fakeReceipt{id.EventID(question), ""}, w.matrix.receipts[1], "of their own words nobody has a receipt")
			w.crosses(anna, consulting, there, talk, here)
			w.crosses(fatima, talk, here, consulting, there)
			for _, item := range h.filed {
				assert.Zero(t, item.InReplyTo, "the system has the answer under a name of its own")
			}
			w.comes(devries, talk)
			all := strings.Join(w.recapped(talk), "\n")
			assert.Equal(t, 1, strings.Count(all, "P. Bakker, huisarts: Smeer het in"), all)
			w.removes(fatima, talk, here)
			assert.Contains(t, w.heard(consulting), "Smeer het in")
		})
	}
}

func TestAReplyToACopiedAnswerNamesTheCopy(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writesInHIS("Smeer het in.")
	w.asks()
	w.happens(anna, consulting, event.EventMessage, replying("Dank u", w.saidWith(consulting, "Smeer het in")))
	w.happens(fatima, talk, event.EventMessage, replying("Graag gedaan", w.saidWith(talk, "Smeer het in")))
	var mark string
	for _, letter := range w.letters() {
		if strings.Contains(letter, "\nSmeer het in.") {
			_, rest, _ := strings.Cut(letter, "Kenmerk:")
			mark = strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0])
		}
	}
	require.NotEmpty(t, mark)
	replies := 0
	for _, letter := range w.letters() {
		if _, rest, is := strings.Cut(letter, "Antwoord op:"); is && strings.HasPrefix(strings.TrimSpace(rest), "het bericht met kenmerk "+mark) {
			replies++
		}
	}
	assert.Equal(t, 2, replies, w.letters())
}

func TestACopyInARecapStandsForWhatItRepeats(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.passes(time.Second)
	question := w.writes(anna, consulting, "Nog een vraag")
	w.passes(time.Second)
	w.writes(fatima, talk, "!bellen")
	w.passes(time.Minute)
	w.comes(devries, talk)
	told := w.saidWith(consulting, "Hierover willen wij")
	copied := w.saidWith(talk, ": Nog een vraag")
	w.crosses(devries, talk, copied, consulting, question)
	w.crosses(devries, talk, w.saidWith(talk, ": Hierover willen wij"), consulting, told)
	letters := w.letters()
	assert.Contains(t, letters[len(letters)-1], "Antwoord op:")

	root := w.saidWith(talk, "Eerdere berichten")
	w.happens(devries, talk, event.EventMessage, related("Zomaar in de draad", "m.thread", root, map[string]any{
		"is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": string(copied)},
	}))
	got := w.lastOf(consulting, event.EventMessage)
	assert.Contains(t, got["body"], "Zomaar in de draad")
	assert.NotContains(t, got, "m.relates_to", "it answers nothing in particular")
	letters = w.letters()
	assert.NotContains(t, letters[len(letters)-1], "Antwoord op:")
}

func TestARecapSaysPollsAndStickersOfStaff(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.passes(time.Minute)
	w.happens(fatima, talk, event.Type{Type: unstablePoll, Class: event.MessageEventType}, poll("Wanneer past het?", "maandag", "dinsdag"))
	w.passes(time.Minute)
	picture := w.stored(mediatest.PNG(8, 8))
	w.happens(fatima, talk, event.EventSticker, map[string]any{"body": "lachend gezicht", "file": picture, "info": map[string]any{"mimetype": "image/png"}})
	w.passes(time.Minute)
	w.comes(devries, talk)
	said := w.recapped(talk)
	require.Len(t, said, 3, w.heard(talk))
	assert.Regexp(t, `Fatima: .*Wanneer past het\?\n1\. maandag\n2\. dinsdag`, said[1])
	sticker := w.lastOf(talk, event.EventMessage)
	assert.Equal(t, "m.image", sticker["msgtype"])
	assert.Equal(t, picture["url"], dug(sticker, "file", "url"))
	assert.Contains(t, sticker["body"], "lachend gezicht")
}

// One side has an answer already, and the other will have it: what is said about it waits
// for that.
func TestAReactionToAnAnswerThatIsAtOneSideYetGoesBehindIt(t *testing.T) {
	for name, patientHasIt := range map[string]bool{"the patient has it": true, "staff have it": false} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, talk := asking(t)
			h.answers = append(h.answers, w.gp("Smeer het in"))
			who, here, there := anna, consulting, talk
			if !patientHasIt {
				who, here, there = fatima, talk, consulting
			}
			w.matrix.fails = func(call string, room id.RoomID) error {
				if call == "send" && room == there {
					return assert.AnError
				}
				return nil
			}
			w.asks()
			w.reacts(who, here, w.saidWith(here, "Smeer het in"), "👍")
			w.matrix.fails = nil
			w.passes(maxBackoff)
			want := w.saidWith(there, "Smeer het in")
			assert.Equal(t, string(want), dug(w.lastOf(there, event.EventReaction), "m.relates_to", "event_id"))
		})
	}
}
