package bridge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

func TestABSNThatStaffWriteStaysWhereItIs(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag")
	const told = "want er staat een burgerservicenummer in"
	w.writes(fatima, talk, "Uw nummer is 1234 56 782")
	assert.Equal(t, 1, strings.Count(w.heard(talk), told))
	said := w.writes(fatima, talk, "Bel ons op 020 123 4567, om 10:30")
	w.edits(fatima, talk, said, "Uw nummer is 123456782")
	assert.Equal(t, 2, strings.Count(w.heard(talk), told))
	assert.Contains(t, w.heard(consulting), "Fatima, doktersassistent: Bel ons op 020 123 4567, om 10:30")
	assert.NotContains(t, w.heard(consulting), "Uw nummer is")
	assert.Equal(t, []string{"message 0", "message 0"}, kindsOf(h.filed))
	assert.Contains(t, h.filed[1].Text, "020 123 4567")
}

// hiddenBSN are messages with a BSN in another place than their plain text.
func (w *world) hiddenBSN() map[string]map[string]any {
	file := w.stored(mediatest.PNG(8, 8))
	return map[string]map[string]any{
		"formatted":          {"msgtype": "m.text", "body": "kanarie", "format": "org.matrix.custom.html", "formatted_body": "kanarie 1234<b>567</b>82"},
		"a link":             {"msgtype": "m.text", "body": "kanarie", "format": "org.matrix.custom.html", "formatted_body": `<a href="https://x.example/123456782">kanarie</a>`},
		"a caption":          {"msgtype": "m.image", "body": "kanarie 123456782", "filename": "foto.png", "file": file},
		"the name of a file": {"msgtype": "m.image", "body": "kanarie", "filename": "1234.56.782.png", "file": file},
		"the name of a place": {"msgtype": "m.location", "body": "kanarie", "geo_uri": "geo:52.1,5.1",
			"org.matrix.msc3488.location": map[string]any{"uri": "geo:52.1,5.1", "description": "kanarie 123456782"}},
	}
}

func TestABSNIsFoundWhereverInAMessageItIs(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	sends := map[string]func(who id.UserID, room id.RoomID) id.EventID{
		"an answer of a poll": func(who id.UserID, room id.RoomID) id.EventID {
			return w.happens(who, room, event.Type{Type: unstablePoll, Class: event.MessageEventType}, poll("kanarie?", "ja", "123456782"))
		},
	}
	for name, content := range w.hiddenBSN() {
		sends[name] = func(who id.UserID, room id.RoomID) id.EventID {
			return w.happens(who, room, event.EventMessage, content)
		}
	}
	told := 0
	for name, send := range sends {
		fromPatient := send(anna, consulting)
		gone, err := w.matrix.Gone(t.Context(), consulting, fromPatient)
		require.NoError(t, err)
		assert.True(t, gone, name)
		send(fatima, talk)
		told++
		assert.Equal(t, told, strings.Count(w.heard(talk), "want er staat een burgerservicenummer in"), name)
	}
	assert.NotContains(t, w.heard(talk)+w.heard(consulting), "kanarie")

	said := w.writes(anna, consulting, "gewoon")
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.text", "body": "* kanarie 123456782", "m.new_content": map[string]any{"msgtype": "m.text", "body": "kanarie"},
		"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": string(said)},
	})
	assert.NotContains(t, w.heard(talk), "kanarie", "what older clients show of an edit counts too")
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.location", "body": "hier ben ik", "geo_uri": "geo:52.123456782,5.123456782",
	})
	assert.Contains(t, w.heard(talk), "hier ben ik", "coordinates are no BSN")
}

// The names that phones give to photos hold the day and the time.
func TestTheTimeInTheNameOfAPhotoIsNoBSN(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	file := w.stored(mediatest.PNG(8, 8))
	for _, name := range []string{"PXL_20261125_123456782.jpg", "signal-2026-11-25-11-12-22-333.jpg", "IMG_20261125_101530.jpg"} {
		w.happens(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.image", "body": name, "file": file})
		w.happens(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "vlek", "filename": name, "file": file})
	}
	assert.NotContains(t, w.heard(consulting), "burgerservicenummer")
	assert.Equal(t, 3, strings.Count(w.heard(talk), "vlek"))
	for _, name := range []string{"123456782.jpg", "bsn_123456782.jpg", "20269925_123456782.jpg"} {
		w.happens(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.image", "body": name, "file": file})
	}
	assert.Equal(t, 3, strings.Count(w.heard(consulting), "burgerservicenummer"))
}
