package faults

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/kinds"
)

// A kind is a kind of message that the load sends. Each has to be one numbered message at the
// other side and in the HIS, or to say in m what else has to become of it.
type kind struct {
	name string
	send func(ctx context.Context, w *writer, m *message) error
}

// everyKind is what all tests of the relay share, and what people do besides with what was said.
var everyKind = slices.Concat(shared(), relations, attachments)

// plain is a text and nothing else.
var plain = everyKind[:1]

// shared are the kinds of the table of e2e/kinds.
func shared() (all []kind) {
	for _, k := range kinds.All {
		all = append(all, kind{k.Name, func(ctx context.Context, w *writer, m *message) (err error) {
			m.like, m.filed = k, k.Filed
			if k.Filed != "" {
				m.file = k.Bytes
			}
			m.id, err = k.Send(ctx, w.who, w.room, m.text())
			return err
		}})
	}
	return all
}

// relations are texts that have to do with each other, or with people.
var relations = []kind{
	{"reply", func(ctx context.Context, w *writer, m *message) (err error) {
		o := client.TextOptions{}
		if target := last(w.messages(), w.room, isThere); target != nil {
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
	{"reaction taken away", func(ctx context.Context, w *writer, m *message) (err error) {
		if m.id, err = w.who.SendText(ctx, w.room, m.text()); err != nil {
			return err
		}
		m.taken = "❤️"
		reaction, err := w.who.React(ctx, w.room, m.id, m.taken)
		if err == nil {
			_, err = w.who.Redact(ctx, w.room, reaction, "")
		}
		return err
	}},
	{"thread", func(ctx context.Context, w *writer, m *message) (err error) {
		root := last(w.messages(), w.room, (*message).standsAlone)
		if root == nil {
			m.id, err = w.who.SendText(ctx, w.room, m.text())
			return err
		}
		m.thread = root.text()
		m.id, err = kinds.SendInThread(ctx, w.who, w.room, root.id, m.text())
		return err
	}},
	{"mention", func(ctx context.Context, w *writer, m *message) (err error) {
		m.hidden = w.who.UserID
		m.id, err = kinds.SendMention(ctx, w.who, w.room, m.text())
		return err
	}},
}

// attachments are files that no two messages share, and what becomes of them.
var attachments = []kind{
	{"numbered photo", func(ctx context.Context, w *writer, m *message) (err error) {
		m.id, err = w.who.SendFile(ctx, w.room, m.photo())
		return err
	}},
	{"numbered file", func(ctx context.Context, w *writer, m *message) (err error) {
		m.file, m.filed = fmt.Appendf(nil, "bijlage %d van %s", m.n, w.word), m.attachment()+".csv"
		m.id, err = w.who.SendFile(ctx, w.room, client.File{Bytes: m.file, Name: m.filed, MimeType: "text/csv", Caption: m.text()})
		return err
	}},
	{"edit of a caption", func(ctx context.Context, w *writer, m *message) (err error) {
		id, sent, err := w.who.Attach(ctx, w.room, m.photo())
		if err != nil {
			return err
		}
		m.id, m.edited = id, m.better()
		return kinds.Recaption(ctx, w.who, w.room, id, sent, m.edited)
	}},
	{"removal of a photo", func(ctx context.Context, w *writer, m *message) (err error) {
		if m.id, err = w.who.SendFile(ctx, w.room, m.photo()); err == nil {
			m.gone = true
			_, err = w.who.Redact(ctx, w.room, m.id, "")
		}
		return err
	}},
}

// photo is one that no other message has.
func (m *message) photo() client.File {
	m.file, m.filed = picture(m.n), m.attachment()+".png"
	return client.File{Bytes: m.file, Name: m.filed, MimeType: "image/png", MsgType: "m.image", Caption: m.text()}
}

// A deck deals the kinds in an order of chance, every one once before any a second time: over its
// rounds a fault has them all.
type deck struct {
	random *rand.Rand
	left   []kind
	dealt  int
}

func (d *deck) deal(n int) (hand []kind) {
	for len(hand) < n {
		if len(d.left) == 0 {
			d.left = slices.Clone(everyKind)
			d.random.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
		}
		taken := min(n-len(hand), len(d.left))
		hand, d.left = append(hand, d.left[:taken]...), d.left[taken:]
	}
	d.dealt += n
	return hand
}

// isThrough says that every kind has been dealt.
func (d *deck) isThrough() bool { return d.dealt >= len(everyKind) }

// fewest are the kinds of one round, also of a fault that has many.
const fewest = 10

// hand is how many kinds each of so many rounds needs for all of them.
func hand(rounds int) int { return max(fewest, (len(everyKind)+rounds-1)/rounds) }

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
