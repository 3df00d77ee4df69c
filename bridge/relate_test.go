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

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// mirrorOf is what stands for an event in another room.
func (w *world) mirrorOf(e id.EventID, room id.RoomID) string {
	w.Helper()
	found, known, err := w.Store.MirrorOf(w.Context(), string(e), string(room))
	require.NoError(w, err)
	require.True(w, known, "nothing stands for %s", e)
	return found
}

func related(body, kind string, target id.EventID, more map[string]any) map[string]any {
	relation := map[string]any{"rel_type": kind, "event_id": string(target)}
	for key, value := range more {
		relation[key] = value
	}
	return map[string]any{"msgtype": "m.text", "body": body, "m.relates_to": relation}
}

func replying(body string, target id.EventID) map[string]any {
	return map[string]any{"msgtype": "m.text", "body": body, "m.relates_to": map[string]any{
		"m.in_reply_to": map[string]any{"event_id": string(target)},
	}}
}

func TestRepliesAndThreadsPointAtTheRightMessage(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		first := w.writes(s.who, s.here, "Eerste")
		w.happens(s.who, s.here, event.EventMessage, replying("> <@anna:elders.example> Eerste\n\nAntwoord", first))
		_, got := w.lastOut(s.there)
		assert.Equal(t, s.name+": Antwoord", got["body"])
		assert.Equal(t, w.mirrorOf(first, s.there), dug(got, "m.relates_to", "m.in_reply_to", "event_id"))

		reply := w.happens(s.who, s.here, event.EventMessage, related("In de draad", "m.thread", first, map[string]any{
			"is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": string(first)},
		}))
		_, got = w.lastOut(s.there)
		assert.Equal(t, map[string]any{
			"rel_type": "m.thread", "event_id": w.mirrorOf(first, s.there), "is_falling_back": true,
			"m.in_reply_to": map[string]any{"event_id": w.mirrorOf(first, s.there)},
		}, got["m.relates_to"])

		w.happens(s.who, s.here, event.EventMessage, related("Daarop", "m.thread", first, map[string]any{
			"is_falling_back": false, "m.in_reply_to": map[string]any{"event_id": string(reply)},
		}))
		_, got = w.lastOut(s.there)
		assert.Equal(t, w.mirrorOf(reply, s.there), dug(got, "m.relates_to", "m.in_reply_to", "event_id"))
		assert.Equal(t, false, dug(got, "m.relates_to", "is_falling_back"))

		var notice id.EventID
		for _, e := range w.matrix.rooms[s.here].events {
			if e.Sender == botID {
				notice = e.ID
			}
		}
		w.happens(s.who, s.here, event.EventMessage, replying("Op iets van de bot", notice))
		_, got = w.lastOut(s.there)
		assert.Equal(t, s.name+": Op iets van de bot", got["body"], "what was not carried is not pointed at")
	})
}

func TestAReplyToAnEarlierConversationIsQuoted(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "Smeer twee keer per dag @anna:elders.example")
	_, answer := w.lastOut(consulting)
	events := w.matrix.rooms[consulting].events
	earlier := events[len(events)-1].ID
	require.Contains(t, answer["body"], "Smeer twee keer")
	w.writes(fatima, talk, "!sluiten")
	w.happens(anna, consulting, event.EventMessage, replying("Het helpt niet", earlier))
	w.writes(anna, consulting, "over mijzelf")
	now := w.talk(anna)
	require.NotEqual(t, talk, now)
	_, got := w.lastOut(now)
	assert.Equal(t, "> Antwoord op een bericht uit gesprek 1: Fatima, doktersassistent: Smeer twee keer per dag Anneke de Berg\n\n"+
		"Anneke de Berg: Het helpt niet", got["body"])
	assert.NotContains(t, got, "m.relates_to")
}

func TestEditsFollowAlsoSeveralTimesAndOfCaptions(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		said := w.writes(s.who, s.here, "Een")
		for _, text := range []string{"Twee", "Drie"} {
			w.edits(s.who, s.here, said, text)
			_, got := w.lastOut(s.there)
			assert.Equal(t, s.name+": "+text, dug(got, "m.new_content", "body"))
			assert.Equal(t, w.mirrorOf(said, s.there), dug(got, "m.relates_to", "event_id"))
			assert.Empty(t, got["m.mentions"], "a change does not ring")
			assert.Contains(t, strings.Join(w.letters(), "\n"), text)
		}
		photo := map[string]any{"msgtype": "m.image", "filename": "foto.png", "body": "Mijn arm", "file": w.stored(mediatest.PNG(8, 8))}
		sent := w.happens(s.who, s.here, event.EventMessage, photo)
		better := map[string]any{"msgtype": "m.image", "filename": "foto.png", "body": "Mijn been", "file": photo["file"]}
		w.happens(s.who, s.here, event.EventMessage, map[string]any{
			"msgtype": "m.image", "body": "* Mijn been", "m.new_content": better,
			"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": string(sent)},
		})
		_, got := w.lastOut(s.there)
		assert.Equal(t, s.name+": Mijn been", dug(got, "m.new_content", "body"))
		assert.Equal(t, string(mediatest.PNG(8, 8)), string(w.fetched(dug(got, "m.new_content", "file"))))
	})
}

func TestReactionsComeAndGo(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		said := w.writes(s.who, s.here, "Een")
		reacted := w.reacts(s.who, s.here, said, "👍")
		kind, got := w.lastOut(s.there)
		assert.Equal(t, event.EventReaction.Type, kind)
		assert.Equal(t, w.mirrorOf(said, s.there), dug(got, "m.relates_to", "event_id"))
		w.removes(s.who, s.here, reacted)
		kind, _ = w.lastOut(s.there)
		assert.Equal(t, event.EventMessage.Type, kind, "the reaction is gone")
		w.reacts(s.who, s.here, said, "mxc://elders.example/emoji")
		assert.NotContains(t, w.heard(s.there), "elders.example")
		assert.Contains(t, w.heard(s.here), "Dit soort bericht kunnen wij niet doorgeven")
	})
}

func TestARemovedPhotoIsErasedOnBothSidesAtOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		sent := w.happens(s.who, s.here, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "foto.png", "file": w.stored(mediatest.PNG(8, 8))})
		require.Len(t, w.matrix.files, 2)
		w.removes(s.who, s.here, sent)
		w.sweeps()
		assert.Empty(t, w.matrix.files)
	})
}

func TestAnEditThatHasBecomeACommandIsNeitherPassedOnNorCarriedOut(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	const told = "want zij begint met een uitroepteken"
	said := w.writes(fatima, talk, "Komt u morgen")
	w.edits(fatima, talk, said, " !sluiten")
	assert.Contains(t, w.heard(talk), told)
	missing := w.locked(fatima, talk, "onbekend")
	w.edits(fatima, talk, missing, "!notitie kanarie")
	w.passes(time.Hour)
	assert.Equal(t, 2, strings.Count(w.heard(talk), told), "nor when it stands for a message that is missing")
	assert.Empty(t, order(w.heard(consulting)+strings.Join(w.letters(), ""), "!sluiten", "kanarie"))
	assert.NotEmpty(t, w.person(anna).Current, "the conversation is still open")
	w.unlock(talk, missing)
	assert.Contains(t, w.heard(consulting), "onbekend", "what it edits still comes")
	w.edits(fatima, talk, said, "Komt u overmorgen")
	assert.Contains(t, w.heard(consulting), "Komt u overmorgen")
}

// What someone does with a message that is still on its way follows it: nothing of it is lost.
func TestWhatIsDoneWithAMessageThatHasNotArrivedYetFollowsIt(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		w.matrix.fails = func(call string, room id.RoomID) error {
			if call == "send" && room == s.there {
				return errors.New("away")
			}
			return nil
		}
		said := w.writes(s.who, s.here, "Eerst dit")
		gone := w.writes(s.who, s.here, "kanarie")
		w.edits(s.who, s.here, said, "Toen dat")
		w.reacts(s.who, s.here, said, "👍")
		w.removes(s.who, s.here, gone)
		require.NotContains(t, w.heard(s.there), "Eerst dit")
		w.matrix.fails = nil
		for range 3 {
			w.passes(maxBackoff)
		}
		assert.Equal(t, []string{"Eerst dit", "Toen dat"}, order(w.heard(s.there), "Eerst dit", "Toen dat"))
		assert.Equal(t, w.mirrorOf(said, s.there), dug(w.lastOf(s.there, event.EventReaction), "m.relates_to", "event_id"))
		assert.Empty(t, w.left(s.there, "kanarie"))
		for _, text := range []string{"niet doorgegeven", "niet aangekomen"} {
			assert.NotContains(t, w.heard(s.here), text)
		}
	})
}
