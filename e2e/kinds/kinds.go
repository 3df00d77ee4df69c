// Package kinds is every kind of message that people send each other: how a client sends it,
// and what has to arrive at the other side. The tests of the relay and those that break things
// meanwhile send from this one table.
package kinds

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// A Kind is one kind of message.
type Kind struct {
	Name string
	// Send sends one that has the label in it, where people can see it.
	Send func(ctx context.Context, c *client.Client, room, label string) (event string, err error)
	// Type is the msgtype with which it has to arrive.
	Type string
	// Bytes are those of its file, as they have to arrive; nil: it has none.
	Bytes []byte
	// Small are the bytes of its thumbnail; nil: it has none.
	Small []byte
	// Content is what has to be in the content, by path.
	Content map[string]any
	// Filed is how the name of its file in the HIS ends.
	Filed string
}

const (
	voiceTime  = 2100.0
	videoTime  = 4200.0
	customHTML = "org.matrix.custom.html"
)

var wave = []any{0.0, 256.0, 1024.0, 128.0}

// Folder is where a photo lies on a phone; nobody else may see that. It is too long to be found by chance in a key.
const Folder = "DCIM-op-mijn-telefoon"

// All is the table.
var All = []Kind{
	{Name: "text", Type: "m.text", Send: text("m.text")},
	{Name: "text with formatting", Type: "m.text",
		Send: raw("m.room.message", func(label string) map[string]any {
			return map[string]any{"msgtype": "m.text", "body": "**" + label + "**", "format": customHTML,
				"formatted_body": "<b>" + label + "</b><script>x</script>"}
		})},
	{Name: "notice", Type: "m.text", Send: text("m.notice")},
	{Name: "emote", Type: "m.emote", Send: text("m.emote")},
	{Name: "photo with caption", Type: "m.image", Bytes: mediatest.JPEG(64, 48), Filed: "arm.jpg",
		Send:    file(client.File{Bytes: mediatest.JPEG(64, 48), Name: Folder + "/arm.jpg", MimeType: "image/jpeg", MsgType: "m.image"}),
		Content: map[string]any{"filename": "arm.jpg", "info.mimetype": "image/jpeg", "info.w": 64.0, "info.h": 48.0}},
	{Name: "photo that tells where it was taken", Type: "m.image", Bytes: mediatest.JPEG(32, 24), Filed: "been.jpg",
		Send: file(client.File{Bytes: mediatest.JPEGWithPlace(32, 24, 1), Name: "been.jpg", MimeType: "image/jpeg", MsgType: "m.image"})},
	{Name: "photo sent as a file", Type: "m.file", Bytes: mediatest.PNG(16, 16), Filed: "scan.png",
		Send: file(client.File{Bytes: mediatest.PNGWithPlace(16, 16, 1), Name: "scan.png", MimeType: "application/pdf"})},
	{Name: "video with thumbnail", Type: "m.video", Bytes: mediatest.MP4(), Small: mediatest.JPEG(20, 10), Filed: "film.mp4",
		Send: file(client.File{Bytes: mediatest.MP4(), Name: "film.mp4", MimeType: "video/mp4", MsgType: "m.video",
			Thumbnail: mediatest.JPEGWithPlace(20, 10, 1), ThumbnailType: "image/jpeg", Info: map[string]any{"duration": videoTime}}),
		Content: map[string]any{"info.duration": videoTime, "info.thumbnail_info.w": 20.0}},
	{Name: "voice message", Type: "m.audio", Bytes: mediatest.Voice(), Filed: "Voice message.ogg",
		Send: file(client.File{Bytes: mediatest.Voice(), Name: "Voice message.ogg", MimeType: "audio/ogg", MsgType: "m.audio",
			Info: map[string]any{"duration": voiceTime}, Extra: map[string]any{
				"org.matrix.msc1767.audio": map[string]any{"duration": voiceTime, "waveform": wave}, "org.matrix.msc3245.voice": map[string]any{}}}),
		Content: map[string]any{"info.duration": voiceTime, "org.matrix.msc3245.voice": map[string]any{},
			"org.matrix.msc1767.audio": map[string]any{"duration": voiceTime, "waveform": wave}}},
	{Name: "audio", Type: "m.audio", Bytes: mediatest.Voice(), Filed: "hartslag.ogg",
		Send: file(client.File{Bytes: mediatest.Voice(), Name: "hartslag.ogg", MimeType: "audio/ogg", MsgType: "m.audio"})},
	{Name: "file", Type: "m.file", Bytes: mediatest.PDF(), Filed: "brief.pdf",
		Send:    file(client.File{Bytes: mediatest.PDF(), Name: "brief.pdf", MimeType: "application/pdf"}),
		Content: map[string]any{"filename": "brief.pdf", "info.mimetype": "application/pdf"}},
	{Name: "location", Type: "m.location",
		Send: raw("m.room.message", func(label string) map[string]any {
			return map[string]any{"msgtype": "m.location", "body": label, "geo_uri": "geo:52.370,4.895;u=35", "org.matrix.msc3488.asset": map[string]any{"type": "m.self"}}
		}), Content: map[string]any{"geo_uri": "geo:52.370,4.895;u=35"}},
	{Name: "sticker", Type: "m.image", Bytes: mediatest.PNG(24, 24), Filed: ".png",
		Send: func(ctx context.Context, c *client.Client, room, label string) (string, error) {
			return c.SendFile(ctx, room, client.File{Bytes: mediatest.PNG(24, 24), Name: label, MimeType: "image/png", Sticker: true})
		}},
	{Name: "poll", Type: "m.text",
		Send: raw("org.matrix.msc3381.poll.start", func(label string) map[string]any {
			say := func(s string) map[string]any { return map[string]any{"org.matrix.msc1767.text": s} }
			maybe := say("morgen")
			maybe["id"] = "1"
			return map[string]any{"org.matrix.msc3381.poll.start": map[string]any{
				"kind": "org.matrix.msc3381.poll.disclosed", "max_selections": 1, "question": say(label), "answers": []any{maybe}}}
		})},
	{Name: "poll by its stable name", Type: "m.text",
		Send: raw("m.poll.start", func(label string) map[string]any {
			say := func(s string) []any { return []any{map[string]any{"body": s}} }
			return map[string]any{"m.poll": map[string]any{
				"kind": "m.disclosed", "question": map[string]any{"m.text": say(label)}, "answers": []any{map[string]any{"m.id": "1", "m.text": say("morgen")}}}}
		})},
}

func text(msgtype string) func(context.Context, *client.Client, string, string) (string, error) {
	return raw("m.room.message", func(label string) map[string]any { return map[string]any{"msgtype": msgtype, "body": label} })
}

func raw(kind string, content func(label string) map[string]any) func(context.Context, *client.Client, string, string) (string, error) {
	return func(ctx context.Context, c *client.Client, room, label string) (string, error) {
		return c.SendRaw(ctx, room, kind, content(label))
	}
}

func file(f client.File) func(context.Context, *client.Client, string, string) (string, error) {
	return func(ctx context.Context, c *client.Client, room, label string) (string, error) {
		f.Caption = label
		return c.SendFile(ctx, room, f)
	}
}

// Has says that an event is a message with a label in it.
func Has(e client.Event, label string) bool {
	return e.IsMessage() && bytes.Contains(e.Content, []byte(label))
}

// Wait waits for the message with a label at the other side.
func Wait(ctx context.Context, c *client.Client, room, label string) (client.Event, error) {
	return c.WaitEvent(ctx, room, fmt.Sprintf("a message with %q", label), func(e client.Event) bool { return Has(e, label) })
}

// Check looks at what arrived: its type, its content and its bytes.
func (k Kind) Check(ctx context.Context, c *client.Client, e client.Event) error {
	if e.MsgType() != k.Type {
		return fmt.Errorf("%s arrived as %s", k.Name, e.MsgType())
	}
	for path, want := range k.Content {
		if got := At(e.Content, path); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%s: %s is %v, want %v", k.Name, path, got, want)
		}
	}
	if k.Bytes != nil {
		got, err := c.Download(ctx, e)
		if err := same(got, k.Bytes, err); err != nil {
			return fmt.Errorf("%s: %w", k.Name, err)
		}
	}
	if k.Small != nil {
		got, err := c.DownloadThumbnail(ctx, e)
		if err := same(got, k.Small, err); err != nil {
			return fmt.Errorf("%s: thumbnail: %w", k.Name, err)
		}
	}
	return nil
}

func same(got, want []byte, err error) error {
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%d bytes arrived that are not the %d that should", len(got), len(want))
	}
	return err
}

// At is what lies at a path in content. Names may have dots in them.
func At(content json.RawMessage, path string) any {
	var value any
	if json.Unmarshal(content, &value) != nil {
		return nil
	}
	return at(value, path)
}

func at(value any, path string) any {
	fields, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	if found, is := fields[path]; is {
		return found
	}
	for name, inside := range fields {
		if rest, is := strings.CutPrefix(path, name+"."); is {
			return at(inside, rest)
		}
	}
	return nil
}
