package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// marks are the bot's reactions under an event.
func (w *world) marks(room id.RoomID, target id.EventID) (keys []string) {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	for _, e := range w.matrix.room(room).events {
		if r, ok := e.Content.Parsed.(*event.ReactionEventContent); ok && r.RelatesTo.EventID == target && e.Sender == botID && !e.gone {
			keys = append(keys, r.RelatesTo.Key)
		}
	}
	return keys
}

// unknown is a message of a type that nobody knows.
var unknown = map[string]any{"msgtype": "org.example.hologram", "body": "x"}

func TestWhatDidNotArriveIsMarkedAndSaidToBothSides(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		w := newWorld(t)
		consulting, talk := w.talking(anna, "Een vraag")
		for _, way := range []struct {
			who         id.UserID
			here, there id.RoomID
			gap         string
		}{
			{anna, consulting, talk, "Hier ontbreekt een bericht van de patiënt"},
			{fatima, talk, consulting, "De praktijk stuurde u iets dat hier niet kan aankomen"},
		} {
			content := unknown
			if refuses {
				content = map[string]any{"msgtype": "m.text", "body": "te veel gevraagd"}
				w.matrix.fails = func(call string, room id.RoomID) error {
					if call == "send" && room == way.there {
						w.matrix.fails = nil
						return ErrRefused
					}
					return nil
				}
			}
			sent := w.happens(way.who, way.here, event.EventMessage, content)
			w.passes(time.Second)
			assert.Equal(t, []string{failedMark}, w.marks(way.here, sent))
			said := w.said(way.here)
			assert.Contains(t, said[len(said)-1], "is niet aangekomen", "to who sent it")
			assert.Contains(t, w.heard(way.there), way.gap)
			assert.NotContains(t, w.heard(way.here), way.gap)
		}
	}
}

func TestWhatArrivedIsMarkedOnlyWhenAsked(t *testing.T) {
	for _, asked := range []bool{false, true} {
		w := newWorld(t, func(s *Settings) { s.SentMark = asked })
		consulting, talk := w.talking(anna, "Een vraag")
		want := []string(nil)
		if asked {
			want = []string{sentMark}
		}
		said := w.writes(anna, consulting, "Nog een")
		assert.Equal(t, want, w.marks(consulting, said))
		answer := w.writes(fatima, talk, "Een antwoord")
		assert.Equal(t, want, w.marks(talk, answer))
		w.happens(anna, consulting, event.EventMessage, map[string]any{
			"msgtype": "m.text", "body": "* Nog drie", "m.new_content": map[string]any{"msgtype": "m.text", "body": "Nog drie"},
			"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": string(said)},
		})
		w.reacts(fatima, talk, w.last(talk), "👍")
		assert.Equal(t, want, w.marks(consulting, said), "an edit has no mark of its own")
		assert.LessOrEqual(t, strings.Count(strings.Join(w.marks(talk, answer), ""), sentMark), 1)
	}
}

// In the record: only staff see it, and only when the system has said so.
func TestWhatIsFiledIsMarkedForStaffWhenAsked(t *testing.T) {
	for _, asked := range []bool{false, true} {
		h := &keepingHIS{files: map[string][]byte{}}
		w := newWorld(t, asItComes(h), func(s *Settings) { s.FiledMark = asked })
		consulting, talk := w.talking(anna, "Een vraag")
		h.err = assert.AnError
		said := w.writes(anna, consulting, "Nog een")
		shown := w.left(talk, "Nog een")[0]
		answer := w.writes(fatima, talk, "Een antwoord")
		w.edits(anna, consulting, said, "Nog een, beter")
		assert.Empty(t, w.marks(talk, shown), "the HIS is away")
		h.err = nil
		w.passes(maxBackoff)
		want := []string(nil)
		if asked {
			want = []string{"✓ vastgelegd"}
		}
		assert.Equal(t, want, w.marks(talk, shown))
		assert.Equal(t, want, w.marks(talk, answer))
		assert.Empty(t, w.marks(consulting, said), "the patient hears it on asking, and at the end")
	}
}

// A mark that does not hold any more is worse than none; and a homeserver takes the same one only once.
func TestTheMarkGoesWhenTheMessageDoesNotBelongThere(t *testing.T) {
	w, h := withKeeping(t, func(s *Settings) { s.FiledMark = true })
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(anna, consulting, "Nog een")
	first, second := w.left(talk, "Een vraag")[0], w.left(talk, "Nog een")[0]
	w.replies(fatima, talk, first, "!vergissing")
	assert.Empty(t, w.marks(talk, first))
	h.err = certainRefusal(nil)
	w.writes(fatima, talk, "!dossier P-9 123456782")
	assert.Empty(t, w.marks(talk, second), "the right record has not got it")
	h.err = nil
	w.writes(fatima, w.balie(), "!opnieuw alles")
	assert.Equal(t, []string{"✓ vastgelegd"}, w.marks(talk, second))
	assert.Contains(t, w.heard(talk), "Dit bericht wordt in het HIS als vergissing aangemerkt")
}

// One reaction of the bot stands for both, and Synapse takes it only once.
func TestTwoOfStaffMayReactAlike(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.comes(devries, talk)
	w.moves(devries, talk, devries, event.MembershipJoin)
	shown := w.left(talk, "Een vraag")[0]
	w.reacts(fatima, talk, shown, "👍")
	w.reacts(devries, talk, shown, "👍")
	w.writes(fatima, talk, "Een antwoord")
	assert.Equal(t, []string{"👍"}, w.marks(consulting, w.left(consulting, "Een vraag")[0]))
	assert.NotEmpty(t, w.left(consulting, "Een antwoord"))
	assert.NotContains(t, w.heard(consulting), "kan aankomen")
	assert.NotContains(t, w.heard(talk), "niet aangekomen")
}

func TestAReactionThatLooksLikeAMarkOfOursArrives(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.SentMark = true })
	consulting, talk := w.talking(anna, "Een vraag")
	answer := w.writes(fatima, talk, "Een antwoord")
	require.Equal(t, []string{sentMark}, w.marks(talk, answer))
	w.reacts(anna, consulting, w.left(consulting, "Een antwoord")[0], "✓")
	assert.Equal(t, []string{sentMark, "✔️"}, w.marks(talk, answer))
}

func TestNobodySaysInTheBotsNameThatSomethingIsInTheRecord(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	answer := w.writes(fatima, talk, "Een antwoord")
	for _, key := range []string{"✓ vastgelegd", "✅ filed", "✔ Vastgelegd", "✅"} {
		w.reacts(anna, consulting, w.left(consulting, "Een antwoord")[0], key)
	}
	assert.Equal(t, []string{"✅"}, w.marks(talk, answer))
	assert.Contains(t, w.heard(consulting), "Dit soort bericht kunnen wij niet doorgeven.")
}
