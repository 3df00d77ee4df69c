package faults

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// A kind is a kind of message that the load sends. Each has to be one numbered message at the
// other side and in the HIS, or to say in m what else has to become of it.
type kind struct {
	name string
	send func(ctx context.Context, w *writer, m *message) error
}

// kinds are all of them. The order of a round is chance.
var kinds = []kind{
	{"text", func(ctx context.Context, w *writer, m *message) (err error) {
		m.id, err = w.who.SendText(ctx, w.room, m.text())
		return err
	}},
	{"formatted text", func(ctx context.Context, w *writer, m *message) (err error) {
		m.id, err = w.who.SendTextWith(ctx, w.room, m.text(), client.TextOptions{HTML: "<b>" + m.text() + "</b>"})
		return err
	}},
	{"emote", func(ctx context.Context, w *writer, m *message) (err error) {
		m.id, err = w.who.SendRaw(ctx, w.room, "m.room.message", map[string]any{"msgtype": "m.emote", "body": m.text()})
		return err
	}},
	{"location", func(ctx context.Context, w *writer, m *message) (err error) {
		content := map[string]any{"msgtype": "m.location", "body": m.text(), "geo_uri": "geo:52.37,4.89"}
		m.id, err = w.who.SendRaw(ctx, w.room, "m.room.message", content)
		return err
	}},
	{"reply", func(ctx context.Context, w *writer, m *message) (err error) {
		o := client.TextOptions{}
		if target := last(w.messages(), w.room); target != nil {
			o.ReplyTo, m.answers = target.id, target.text()
		}
		m.id, err = w.who.SendTextWith(ctx, w.room, m.text(), o)
		return err
	}},
	{"reply and reaction to the other side", func(ctx context.Context, w *writer, m *message) (err error) {
		target, event := w.heard()
		if target == nil {
			m.id, err = w.who.SendText(ctx, w.room, m.text())
			return err
		}
		m.answers = target.text()
		if m.id, err = w.who.SendTextWith(ctx, w.room, m.text(), client.TextOptions{ReplyTo: event}); err == nil {
			target.praised = "🎉"
			_, err = w.who.React(ctx, w.room, event, target.praised)
		}
		return err
	}},
	{"edit", func(ctx context.Context, w *writer, m *message) (err error) {
		if m.id, err = w.who.SendText(ctx, w.room, m.text()); err == nil {
			m.edited = m.better()
			_, err = w.who.Edit(ctx, w.room, m.id, m.edited)
		}
		return err
	}},
	{"reaction", func(ctx context.Context, w *writer, m *message) (err error) {
		if m.id, err = w.who.SendText(ctx, w.room, m.text()); err == nil {
			m.keys = append(m.keys, "👍")
			_, err = w.who.React(ctx, w.room, m.id, "👍")
		}
		return err
	}},
	{"removal", func(ctx context.Context, w *writer, m *message) (err error) {
		if m.id, err = w.who.SendText(ctx, w.room, m.text()); err == nil {
			m.gone = true
			_, err = w.who.Redact(ctx, w.room, m.id, "")
		}
		return err
	}},
	{"photo", func(ctx context.Context, w *writer, m *message) (err error) {
		m.file = picture(m.n)
		m.id, err = w.who.SendImage(ctx, w.room, client.File{Bytes: m.file, Name: m.attachment() + ".png", MimeType: "image/png", Caption: m.text()})
		return err
	}},
	{"file", func(ctx context.Context, w *writer, m *message) (err error) {
		m.file = fmt.Appendf(nil, "bijlage %d van %s", m.n, w.word)
		m.id, err = w.who.SendFile(ctx, w.room, client.File{Bytes: m.file, Name: m.attachment() + ".csv", MimeType: "text/csv", Caption: m.text()})
		return err
	}},
}

// some are as many kinds, of chance.
func some(random *rand.Rand, n int) (chosen []kind) {
	for _, i := range random.Perm(len(kinds))[:n] {
		chosen = append(chosen, kinds[i])
	}
	return chosen
}

// attachment is the name of what comes with a message, without its ending.
func (m *message) attachment() string { return fmt.Sprintf("bijlage-%s-%d", m.side.word, m.n) }

// picture is a small picture, of another colour for each number.
func picture(n int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 2, 2))
	img.Set(0, 0, color.RGBA{byte(n), byte(n >> 8), 200, 255})
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // into memory it always works
	}
	return out.Bytes()
}

// samePicture says whether two pictures show the same; a picture may be encoded anew on its way.
func samePicture(a, b []byte) bool {
	one, err := png.Decode(bytes.NewReader(a))
	if err != nil {
		return false
	}
	other, _, err := image.Decode(bytes.NewReader(b))
	return err == nil && one.Bounds() == other.Bounds() && fmt.Sprint(one.At(0, 0).RGBA()) == fmt.Sprint(other.At(0, 0).RGBA())
}
