package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// lastIn is the last event of a room.
func (w *world) lastIn(room id.RoomID) *fakeEvent {
	events := w.matrix.room(room).events
	return events[len(events)-1]
}

// arrivesUnknown brings a message to the other side, and the bridge does not hear that it did: it
// was killed, or the answer got lost.
func (w *world) arrivesUnknown(sender id.UserID, from, to id.RoomID, text string) id.EventID {
	w.Helper()
	w.matrix.lose = func(room id.RoomID) bool { return room == to }
	w.writes(sender, from, text)
	w.matrix.lose = nil
	require.Contains(w, w.said(to)[len(w.said(to))-1], text, "it is there")
	return w.lastIn(to).ID
}

func TestWhoAnswersFasterThanTheBridgeKnowsThatSomethingArrivedAnswersThat(t *testing.T) {
	for name, who := range map[string]struct{ writes, answers id.UserID }{
		"staff": {anna, fatima}, "patient": {fatima, anna},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			from, to := consulting, talk
			if who.answers == anna {
				from, to = talk, consulting
			}
			shown := w.arrivesUnknown(who.writes, from, to, "Er is meer")
			said := w.matrix.room(from).events[len(w.matrix.room(from).events)-1].ID
			w.reacts(who.answers, to, shown, "👍")
			w.happens(who.answers, to, event.EventMessage, map[string]any{
				"msgtype": "m.text", "body": "Goed om te weten",
				"m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": string(shown)}},
			})
			for range 5 {
				w.passes(5 * time.Second)
			}
			reacted, replied := 0, 0
			for _, e := range w.matrix.room(from).events {
				if e.Sender != botID {
					continue
				}
				if e.Type == event.EventReaction && e.Content.AsReaction().RelatesTo.EventID == said {
					reacted++
				}
				if m, ok := e.Content.Parsed.(*event.MessageEventContent); ok && m.RelatesTo.GetReplyTo() == said {
					replied++
				}
			}
			assert.Equal(t, 1, reacted, "the reaction")
			assert.Equal(t, 1, replied, "the reply")
		})
	}
}

func TestATapOnAQuestionOfWhichTheBridgeDoesNotKnowThatItArrivedCounts(t *testing.T) {
	w := newWorld(t)
	room := w.registered(anna)
	w.matrix.lose = func(id.RoomID) bool { return true }
	w.writes(anna, room, "Een vraag")
	w.matrix.lose = nil
	require.Contains(t, w.heard(room), "Over wie gaat uw vraag?")
	w.reacts(anna, room, w.lastIn(room).ID, "1️⃣")
	for range 5 {
		w.passes(5 * time.Second)
	}
	assert.Contains(t, w.heard(w.talk(anna)), "Een vraag")
}
