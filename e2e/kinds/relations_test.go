package kinds

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

func relations(t *testing.T, s side) {
	for _, r := range []struct {
		name string
		test func(t *testing.T, ctx context.Context, s side)
	}{
		{"a reply", reply}, {"a thread", thread}, {"edits", edits}, {"an edit of a caption", captionEdit},
		{"reactions", reactions}, {"the removal of a photo", removal}, {"a mention", mention},
	} {
		t.Run(r.name, func(t *testing.T) { r.test(t, limited(t), s) })
	}
}

// said sends a text, and returns it as it was sent and as it arrived.
func said(t *testing.T, ctx context.Context, s side, text string) (sent string, arrived client.Event) {
	t.Helper()
	sent = value(s.from.SendText(ctx, s.here, text+" "+s.name))(t)
	return sent, value(Wait(ctx, s.to, s.there, text+" "+s.name))(t)
}

func reply(t *testing.T, ctx context.Context, s side) {
	target, mirrored := said(t, ctx, s, "hierop wordt geantwoord")
	value(s.from.SendTextWith(ctx, s.here, "> <"+s.from.UserID+"> hierop wordt geantwoord\n\nhet antwoord "+s.name, client.TextOptions{
		ReplyTo: target,
		HTML:    "<mx-reply><blockquote>" + s.from.UserID + "</blockquote></mx-reply>het antwoord " + s.name,
	}))(t)
	got := value(Wait(ctx, s.to, s.there, "het antwoord "+s.name))(t)
	if got.RelatesTo.ReplyTo.EventID != mirrored.ID || strings.Contains(got.Body(), "hierop") {
		t.Errorf("arrived %q, about %q", got.Body(), got.RelatesTo.ReplyTo.EventID)
	}
}

func thread(t *testing.T, ctx context.Context, s side) {
	root, mirrored := said(t, ctx, s, "hier begint een draad")
	value(SendInThread(ctx, s.from, s.here, root, "in de draad "+s.name))(t)
	got := value(Wait(ctx, s.to, s.there, "in de draad "+s.name))(t)
	if got.RelatesTo.Type != "m.thread" || got.RelatesTo.EventID != mirrored.ID {
		t.Errorf("arrived as %+v", got.RelatesTo)
	}
}

func edits(t *testing.T, ctx context.Context, s side) {
	sent, arrived := said(t, ctx, s, "eerste woorden")
	for _, text := range []string{"tweede woorden ", "derde woorden "} {
		value(s.from.Edit(ctx, s.here, sent, text+s.name))(t)
		got := value(s.to.WaitText(ctx, s.there, text+s.name))(t)
		if got.ID != arrived.ID {
			t.Errorf("%q became another message", text)
		}
	}
}

func captionEdit(t *testing.T, ctx context.Context, s side) {
	picture := mediatest.PNG(12, 12)
	photo := client.File{Bytes: picture, Name: "knie.png", MimeType: "image/png", MsgType: "m.image", Caption: "mijn been " + s.name}
	sent, content, err := s.from.Attach(ctx, s.here, photo)
	must(t, err)
	arrived := value(Wait(ctx, s.to, s.there, "mijn been "+s.name))(t)
	must(t, Recaption(ctx, s.from, s.here, sent, content, "mijn knie "+s.name))
	got := value(s.to.WaitText(ctx, s.there, "mijn knie "+s.name))(t)
	if got.ID != arrived.ID || got.MsgType() != "m.image" {
		t.Errorf("the edit arrived as %+v", got)
	}
	if data := value(s.to.Download(ctx, got))(t); !bytes.Equal(data, picture) {
		t.Error("the photo changed with its caption")
	}
}

func reactions(t *testing.T, ctx context.Context, s side) {
	sent, arrived := said(t, ctx, s, "hierop wordt gereageerd")
	own := value(s.from.React(ctx, s.here, sent, "👍"))(t)
	has := func(n int) func(client.Event) bool {
		return func(e client.Event) bool { return e.ID == arrived.ID && len(e.Reactions) == n }
	}
	value(s.to.WaitEvent(ctx, s.there, "the reaction", has(1)))(t)
	value(s.from.Redact(ctx, s.here, own, ""))(t)
	value(s.to.WaitEvent(ctx, s.there, "no reaction", has(0)))(t)
}

func removal(t *testing.T, ctx context.Context, s side) {
	sent := value(s.from.SendImage(ctx, s.here, client.File{Bytes: mediatest.PNG(9, 9), Name: "weg.png", MimeType: "image/png", Caption: "moet weg " + s.name}))(t)
	arrived := value(Wait(ctx, s.to, s.there, "moet weg "+s.name))(t)
	value(s.from.Redact(ctx, s.here, sent, ""))(t)
	must(t, s.to.WaitRedacted(ctx, s.there, arrived.ID))
}

// mention sends what names people of this side by their addresses.
func mention(t *testing.T, ctx context.Context, s side) {
	value(SendMention(ctx, s.from, s.here, s.name))(t)
	got := value(Wait(ctx, s.to, s.there, "noem mij "+s.name))(t)
	if strings.Contains(string(got.Content), s.from.UserID) {
		t.Errorf("arrived: %s", got.Content)
	}
}
