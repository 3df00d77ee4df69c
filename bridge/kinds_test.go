package bridge

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// A side is one end of a conversation.
type side struct {
	who         id.UserID
	here, there id.RoomID
	name        string // as the other side sees it
}

// bothWays runs a test from the patient to staff and back, in an open conversation.
func bothWays(t *testing.T, test func(t *testing.T, w *world, s side)) {
	for _, who := range []id.UserID{anna, fatima} {
		t.Run("by "+who.Localpart(), func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			s := side{anna, consulting, talk, "Anneke de Berg"}
			if who == fatima {
				s = side{fatima, talk, consulting, "Fatima, doktersassistent"}
			}
			test(t, w, s)
		})
	}
}

// stored puts a file in the media repository, as a client does before it sends.
func (w *world) stored(data []byte) map[string]any {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	w.matrix.n++
	uri := "mxc://elders.example/upload" + string(rune('a'+w.matrix.n%26)) + strings.Repeat("x", w.matrix.n%7)
	w.matrix.files[uri] = data
	return map[string]any{"url": uri, "v": "v2"}
}

// lastOut is the newest event of the bot in a room, and its content.
func (w *world) lastOut(room id.RoomID) (kind string, content map[string]any) {
	w.Helper()
	return w.lastThat(room, func(event.Type) bool { return true })
}

func (w *world) lastOf(room id.RoomID, kind event.Type) map[string]any {
	w.Helper()
	_, content := w.lastThat(room, func(t event.Type) bool { return t == kind })
	return content
}

func (w *world) lastThat(room id.RoomID, ok func(event.Type) bool) (kind string, content map[string]any) {
	w.Helper()
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	for _, e := range slices.Backward(w.matrix.room(room).events) {
		if e.Sender == botID && !e.gone && ok(e.Type) {
			return e.Type.Type, e.Content.Raw
		}
	}
	require.Fail(w, "the bot said nothing")
	return "", nil
}

// dug is what lies at a path in content.
func dug(content map[string]any, path ...string) any {
	var value any = content
	for _, key := range path {
		m, _ := value.(map[string]any)
		value = m[key]
	}
	return value
}

func (w *world) fetched(file any) []byte {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	m, _ := file.(map[string]any)
	uri, _ := m["url"].(string)
	return w.matrix.files[uri]
}

func poll(question string, answers ...string) map[string]any {
	options := []any{}
	for _, a := range answers {
		options = append(options, map[string]any{"id": a, "org.matrix.msc1767.text": a})
	}
	return map[string]any{unstablePoll: map[string]any{
		"question": map[string]any{"org.matrix.msc1767.text": question}, "answers": options,
	}}
}

// what is what a client sends besides: nobody may find it at the other side.
const leak = "geheim-van-deze-kant"

// kinds is every kind of message: what is sent, and what has to be in what arrives.
var kinds = []struct {
	name    string
	kind    event.Type
	file    []byte // put in "file"
	content map[string]any
	want    map[string]any // "SAID: x" is "<name of the speaker>: x"
	filed   string         // in the HIS
}{
	{"text", event.EventMessage, nil, map[string]any{"msgtype": "m.text", "body": "Dag", leak: leak},
		map[string]any{"msgtype": "m.text", "body": "SAID: Dag"}, "Dag"},
	{"text with formatting", event.EventMessage, nil,
		map[string]any{"msgtype": "m.text", "body": "**Dag**", "format": "org.matrix.custom.html", "formatted_body": "<b>Dag</b>"},
		map[string]any{"msgtype": "m.text", "body": "SAID: **Dag**"}, "**Dag**"},
	{"notice", event.EventMessage, nil, map[string]any{"msgtype": "m.notice", "body": "Let op"},
		map[string]any{"msgtype": "m.text", "body": "SAID: Let op"}, "Let op"},
	{"emote", event.EventMessage, nil, map[string]any{"msgtype": "m.emote", "body": "zwaait"},
		map[string]any{"msgtype": "m.emote", "body": "SAID: zwaait"}, "zwaait"},
	{"photo with caption", event.EventMessage, mediatest.JPEG(40, 30),
		map[string]any{"msgtype": "m.image", "filename": "DCIM/foto.jpg", "body": "Mijn arm", "info": map[string]any{"w": 1, "mimetype": "text/html", leak: leak}},
		map[string]any{"msgtype": "m.image", "body": "SAID: Mijn arm", "filename": "foto.jpg", "info.w": 40.0, "info.mimetype": "image/jpeg"}, "Mijn arm"},
	{"photo that is no photo", event.EventMessage, mediatest.PDF(),
		map[string]any{"msgtype": "m.image", "body": "foto.jpg"},
		map[string]any{"msgtype": "m.file", "filename": "foto.jpg.pdf", "info.mimetype": "application/pdf"}, "foto.jpg.pdf"},
	{"voice message", event.EventMessage, mediatest.Voice(),
		map[string]any{"msgtype": "m.audio", "body": "Voice message", "info": map[string]any{"duration": 2100},
			"org.matrix.msc1767.audio": map[string]any{"duration": 2100, "waveform": []any{0, 512, -3, 5000}}, "org.matrix.msc3245.voice": map[string]any{}},
		map[string]any{"msgtype": "m.audio", "filename": "Voice message.ogg", "info.mimetype": "audio/ogg", "info.duration": 2100.0,
			"org.matrix.msc1767.audio.duration": 2100.0, "org.matrix.msc1767.audio.waveform": []any{0.0, 512.0, 0.0, 1024.0},
			"org.matrix.msc3245.voice": map[string]any{}}, "Voice message.ogg"},
	{"video", event.EventMessage, mediatest.MP4(),
		map[string]any{"msgtype": "m.video", "body": "film.mp4", "info": map[string]any{"duration": 900, "w": 640, "h": 480}},
		map[string]any{"msgtype": "m.video", "filename": "film.mp4", "info.duration": 900.0, "info.w": 640.0}, "film.mp4"},
	{"file", event.EventMessage, mediatest.PDF(), map[string]any{"msgtype": "m.file", "body": "brief.pdf"},
		map[string]any{"msgtype": "m.file", "filename": "brief.pdf", "body": "NAME"}, "brief.pdf"},
	{"location", event.EventMessage, nil,
		map[string]any{"msgtype": "m.location", "body": "Hier", "geo_uri": "geo:52.37,4.89;u=35;" + leak, "org.matrix.msc3488.location": map[string]any{"uri": leak}},
		map[string]any{"msgtype": "m.location", "body": "SAID: Hier", "geo_uri": "geo:52.37,4.89;u=35"}, "geo:52.37,4.89;u=35"},
	{"sticker", event.EventSticker, mediatest.PNG(8, 8), map[string]any{"body": "lachend gezicht"},
		map[string]any{"msgtype": "m.image", "filename": "lachend gezicht.png", "info.w": 8.0}, "lachend gezicht.png"},
	{"poll", event.Type{Type: unstablePoll, Class: event.MessageEventType}, nil, poll("Wanneer past het?", "maandag", "dinsdag"),
		map[string]any{"msgtype": "m.text", "body": "SAID: Peiling: Wanneer past het?\n1. maandag\n2. dinsdag"}, "1. maandag\n2. dinsdag"},
	{"poll by its stable name", event.Type{Type: stablePoll, Class: event.MessageEventType}, nil,
		map[string]any{"m.poll": map[string]any{
			"question": map[string]any{"m.text": []any{map[string]any{"body": "Wie?"}}},
			"answers": []any{map[string]any{"m.id": "1", "m.text": []any{
				map[string]any{"mimetype": "text/html", "body": "<b>ik</b>"}, map[string]any{"mimetype": "text/plain", "body": "ik"},
			}}},
		}},
		map[string]any{"body": "SAID: Peiling: Wie?\n1. ik"}, "1. ik"},
}

func TestEveryKindOfMessageReachesTheOtherSideAndTheHIS(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		for _, k := range kinds {
			t.Run(k.name, func(t *testing.T) {
				content := maps.Clone(k.content)
				if k.file != nil {
					content["file"] = w.stored(k.file)
				}
				w.happens(s.who, s.here, k.kind, content)
				kind, got := w.lastOut(s.there)
				assert.Equal(t, event.EventMessage.Type, kind)
				for path, want := range k.want {
					if said, is := want.(string); is {
						want = strings.Replace(strings.Replace(said, "SAID", s.name, 1), "NAME", s.name, 1)
					}
					keys := []string{path}
					if dot := strings.LastIndex(path, "."); dot > 0 && got[path] == nil {
						keys = []string{path[:dot], path[dot+1:]}
					}
					assert.Equal(t, want, dug(got, keys...), path)
				}
				if k.file != nil {
					assert.Equal(t, string(k.file), string(w.fetched(got["file"])), "the bytes")
					assert.NotEqual(t, dug(content, "file", "url"), dug(got, "file", "url"), "a file of its own")
				}
				text, err := json.Marshal(got)
				require.NoError(t, err)
				assert.NotContains(t, string(text), leak)
				assert.Contains(t, strings.Join(w.letters(), "\n"), k.filed)
			})
		}
		assert.NotContains(t, w.heard(s.here)+w.heard(s.there), "niet aangekomen")
	})
}

func TestAVideoBringsItsSmallPictureAlong(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		w.happens(s.who, s.here, event.EventMessage, map[string]any{
			"msgtype": "m.video", "body": "film.mp4", "file": w.stored(mediatest.MP4()),
			"info": map[string]any{"thumbnail_file": w.stored(mediatest.JPEGWithPlace(40, 30, 1)), "thumbnail_info": map[string]any{"w": 40, "h": 30}},
		})
		_, got := w.lastOut(s.there)
		assert.Equal(t, string(mediatest.JPEG(40, 30)), string(w.fetched(dug(got, "info", "thumbnail_file"))), "cleaned too")
		assert.EqualValues(t, 40, dug(got, "info", "thumbnail_info", "w"))

		w.happens(s.who, s.here, event.EventMessage, map[string]any{
			"msgtype": "m.video", "body": "film2.mp4", "file": w.stored(mediatest.MP4()),
			"info": map[string]any{"thumbnail_file": w.stored(mediatest.Program())},
		})
		_, got = w.lastOut(s.there)
		assert.Equal(t, "film2.mp4", got["filename"], "without a good small picture the video still arrives")
		assert.Nil(t, dug(got, "info", "thumbnail_file"))
	})
}

func TestOnlyTheBotKnowsWhoIsWho(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world, s side) {
		w.happens(s.who, s.here, event.EventMessage, map[string]any{
			"msgtype": "m.text", "body": "bot: dag", "format": "org.matrix.custom.html",
			"formatted_body": `<a href="https://matrix.to/#/` + string(botID) + `">bot</a>: dag`,
			"m.mentions":     map[string]any{"user_ids": []any{string(botID), string(fatima), string(anna)}},
		})
		_, got := w.lastOut(s.there)
		assert.Equal(t, s.name+": De Linde: dag", got["body"])
		if s.who == anna {
			assert.Empty(t, got["m.mentions"])
		} else {
			assert.Equal(t, map[string]any{"user_ids": []any{string(anna)}}, got["m.mentions"], "an answer rings at the patient")
		}
	})
}

func TestTheHISGetsWhatStaffSee(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.file", "body": "DCIM/IMG_1.pdf", "file": w.stored(mediatest.JPEGWithPlace(40, 30, 1)), "info": map[string]any{"mimetype": "application/pdf"},
	})
	files := w.filed("*.jpg")
	require.Len(t, files, 1)
	for name, data := range files {
		assert.True(t, strings.HasSuffix(name, "IMG_1.pdf.jpg"), name)
		assert.Equal(t, string(mediatest.JPEG(40, 30)), data)
	}
	assert.Contains(t, strings.Join(w.bundles(), ""), `"contentType":"image/jpeg"`)
}
