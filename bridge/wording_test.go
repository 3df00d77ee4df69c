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

// keeping is a world whose HIS gets one document on closing, in which a patient has asked something.
func keeping(t *testing.T) (w *world, h *keepingHIS, consulting, talk id.RoomID) {
	t.Helper()
	h = &keepingHIS{files: map[string][]byte{}}
	w = newWorld(t, onClosing(h))
	consulting, talk = w.talking(anna, "Een vraag")
	return w, h, consulting, talk
}

// shows is a photo with words below it.
func (w *world) shows(sender id.UserID, room id.RoomID, name, caption string, data []byte) id.EventID {
	w.Helper()
	return w.happens(sender, room, event.EventMessage, photo(w, name, caption, data))
}

// showsAnew changes the words of a photo, or the photo: clients send both.
func (w *world) showsAnew(sender id.UserID, room id.RoomID, target id.EventID, name, caption string, data []byte) {
	w.Helper()
	content := photo(w, name, "* "+caption, data)
	content["m.new_content"] = photo(w, name, caption, data)
	content["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": string(target)}
	w.happens(sender, room, event.EventMessage, content)
}

func photo(w *world, name, caption string, data []byte) map[string]any {
	return map[string]any{
		"msgtype": "m.image", "filename": name, "body": caption, "file": w.stored(data), "info": map[string]any{"mimetype": "image/jpeg"},
	}
}

// names are the files of the document, as its words and as its attachments have them.
func (h *keepingHIS) names(t *testing.T) (said, attached []string) {
	t.Helper()
	require.NotEmpty(t, h.filed)
	last := h.filed[len(h.filed)-1]
	for _, s := range last.Closing.Said {
		said = append(said, s.Files...)
	}
	for _, a := range last.Attachments {
		attached = append(attached, a.Name)
	}
	return said, attached
}

func TestTheDocumentHasTheLastWordsBelowAPhotoAndThePhotoOnce(t *testing.T) {
	small, large := mediatest.JPEG(40, 30), mediatest.JPEG(80, 60)
	for _, tt := range []struct {
		name  string
		who   id.UserID
		photo []byte // of the edit
		gone  bool   // the chat, before the end
	}{
		{"of the patient", anna, small, false},
		{"of staff", fatima, small, false},
		{"with another photo", anna, large, false},
		{"when the chat has gone", anna, small, true},
		{"with another photo, when the chat has gone", anna, large, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, h, consulting, talk := keeping(t)
			room := map[id.UserID]id.RoomID{anna: consulting, fatima: talk}[tt.who]
			said := w.shows(tt.who, room, "plek.jpg", "Mijn rug", small)
			w.showsAnew(tt.who, room, said, "plek.jpg", "Mijn arm", small)
			w.showsAnew(tt.who, room, said, "plek.jpg", "Mijn been", tt.photo)
			if tt.gone {
				w.passes(31 * day)
				w.sweeps()
				assert.Empty(t, w.left(room, "Mijn"))
			}
			w.writes(fatima, talk, "!sluiten")
			require.Len(t, h.filed, 1)
			assert.Equal(t, "Mijn been", h.filed[0].Closing.Said[1].Text)
			assert.Len(t, h.filed[0].Closing.Said, 2)
			inWords, attached := h.names(t)
			assert.Equal(t, []string{"plek.jpg"}, inWords)
			assert.Equal(t, []string{"plek.jpg"}, attached)
			assert.Equal(t, string(tt.photo), string(h.files["plek.jpg"]))
			w.noneKept(talk)
		})
	}
}

// Who takes back a message takes back every wording of it, also one that the bridge had sealed.
func TestWhatIsRemovedBeforeTheEndIsNotInTheDocumentInAnyWording(t *testing.T) {
	for name, tt := range map[string]struct {
		who   id.UserID
		swept bool // the bridge has removed the edits before the end
	}{
		"patient, at once": {anna, false}, "patient, later": {anna, true}, "staff, at once": {fatima, false}, "staff, later": {fatima, true},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, talk := keeping(t)
			room := map[id.UserID]id.RoomID{anna: consulting, fatima: talk}[tt.who]
			words := w.writes(tt.who, room, "kanarie een")
			w.edits(tt.who, room, words, "kanarie twee")
			w.edits(tt.who, room, words, "kanarie drie")
			shown := w.shows(tt.who, room, "kanarie.jpg", "kanarie vier", mediatest.JPEG(40, 30))
			w.showsAnew(tt.who, room, shown, "kanarie.jpg", "kanarie vijf", mediatest.JPEG(40, 30))
			w.removes(tt.who, room, words)
			w.removes(tt.who, room, shown)
			if tt.swept {
				w.sweeps()
			}
			w.writes(fatima, talk, "Een antwoord")
			w.writes(fatima, talk, "!sluiten")
			assert.Equal(t, []string{"Anneke de Berg: Een vraag", "Fatima: Een antwoord"}, h.texts(t))
			assert.Empty(t, h.files)
			w.noneKept(talk)
		})
	}
}

func TestAnEditThatIsTakenBackLeavesTheWordsBefore(t *testing.T) {
	w, h, consulting, talk := keeping(t)
	said := w.writes(anna, consulting, "Op mijn arm")
	w.edits(anna, consulting, said, "Op mijn been")
	w.removes(anna, consulting, w.edits(anna, consulting, said, "Op mijn kanarie"))
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, []string{"Anneke de Berg: Een vraag", "Anneke de Berg: Op mijn been"}, h.texts(t))
}

func TestTheDocumentHasTheLastWordsOfAMessageThatWasNeverOpened(t *testing.T) {
	w, h, consulting, talk := keeping(t)
	late := w.locked(anna, consulting, "eerste")
	w.passes(time.Hour)
	w.edits(anna, consulting, late, "tweede")
	w.edits(anna, consulting, late, "derde")
	w.writes(fatima, talk, "!sluiten")
	assert.Equal(t, "Een vraag|derde", strings.ReplaceAll(strings.Join(h.texts(t), "|"), "Anneke de Berg: ", ""))
}

// The HIS is away while a message is written, changed and removed: it gets none of the wordings,
// though the bridge sealed what it had not filed before it removed it.
func TestWhatIsRemovedBeforeItIsFiledComesIntoTheRecordInNoWording(t *testing.T) {
	for name, swept := range map[string]bool{"at once": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			h := &keepingHIS{files: map[string][]byte{}}
			w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
			consulting, talk := w.talking(anna, "Een vraag")
			h.err = assert.AnError
			w.writes(anna, consulting, "Dit gaat voor")
			said := w.writes(anna, consulting, "kanarie een")
			w.edits(anna, consulting, said, "kanarie twee")
			w.removes(anna, consulting, said)
			if swept {
				w.sweeps()
			}
			h.err = nil
			w.passes(maxBackoff)
			require.Len(t, h.filed, 2)
			assert.Equal(t, "Dit gaat voor", h.filed[1].Text)
			w.noneKept(talk)
		})
	}
}

func TestAnEditOfWhatIsInTheRecordIsFiledAlsoWhenItsChatHasGone(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, _ := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "Op mijn arm")
	h.err = assert.AnError
	w.edits(anna, consulting, said, "Op mijn been")
	w.passes(31 * day)
	w.sweeps()
	h.err = nil
	w.passes(maxBackoff)
	require.Len(t, h.filed, 3)
	assert.Equal(t, "Op mijn been", h.filed[2].Text)
}
