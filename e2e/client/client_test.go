package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

// bounded is the test's context with an end.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value is must for calls that return something too.
func value[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func startDriver(t *testing.T) *client.Driver {
	t.Helper()
	d, err := client.StartDriver(bounded(t), filepath.Join(t.TempDir(), "driver.log"))
	must(t, err)
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func startHomeserver(t *testing.T, opts harness.Options) *harness.Homeserver {
	t.Helper()
	opts.Dir = t.TempDir()
	h, err := harness.StartHomeserver(bounded(t), opts)
	must(t, err)
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func login(t *testing.T, d *client.Driver, h *harness.Homeserver, localpart string) *client.Client {
	t.Helper()
	ctx := bounded(t)
	userID, err := h.CreateUser(ctx, localpart, "secret-"+localpart, false)
	must(t, err)
	return value(d.Login(ctx, h.URL, userID, "secret-"+localpart))(t)
}

// chat is an encrypted room with the two in it, both knowing that.
func chat(t *testing.T, host, guest *client.Client) (room string) {
	t.Helper()
	ctx := bounded(t)
	room = value(host.DirectChat(ctx, guest.UserID))(t)
	if invited := value(guest.WaitInvite(ctx, host.UserID))(t); invited != room {
		t.Fatalf("invited to %s, want %s", invited, room)
	}
	must(t, guest.Join(ctx, room))
	must(t, host.WaitMember(ctx, room, guest.UserID, "join"))
	return room
}

// onEachKind runs a test on each kind of homeserver.
func onEachKind(t *testing.T, test func(t *testing.T, h *harness.Homeserver)) {
	for _, kind := range harness.Kinds {
		t.Run(string(kind), func(t *testing.T) { test(t, startHomeserver(t, harness.Options{Kind: kind})) })
	}
}

func picture(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 {
		m.Set(i, i*3/4, color.RGBA{R: 200, A: 255})
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, m))
	return b.Bytes()
}

func TestTwoPeopleTalkEncrypted(t *testing.T) {
	onEachKind(t, func(t *testing.T, h *harness.Homeserver) {
		ctx, d := bounded(t), startDriver(t)
		anna, bram := login(t, d, h, "anna"), login(t, d, h, "bram")
		room := chat(t, anna, bram)

		began := time.Now()
		id := value(anna.SendText(ctx, room, "Goedemorgen"))(t)
		hello := value(bram.WaitText(ctx, room, "Goedemorgen"))(t)
		t.Logf("a first message took %v", time.Since(began).Round(time.Millisecond))
		if hello.ID != id || hello.Sender != anna.UserID || !hello.Encrypted || hello.MsgType() != "m.text" {
			t.Errorf("got %+v", hello)
		}
		assertSealed(t, bram, room, id, "Goedemorgen")
		if info := value(bram.EncryptionInfo(ctx, room, id))(t); info.Colour != "NONE" || info.DecryptionError != "" {
			t.Errorf("a message of a signed device shows %+v", info)
		}

		answer := value(bram.SendTextWith(ctx, room, "Dag", client.TextOptions{HTML: "<b>Dag</b>", ReplyTo: id}))(t)
		got := value(anna.WaitText(ctx, room, "Dag"))(t)
		if got.ID != answer || got.HTML() != "<b>Dag</b>" || got.RelatesTo.ReplyTo.EventID != id {
			t.Errorf("got %+v", got)
		}

		value(bram.SendTextWith(ctx, room, "Nog iets", client.TextOptions{TxnID: "my-own"}))(t)
		value(anna.WaitText(ctx, room, "Nog iets"))(t)

		value(anna.Edit(ctx, room, id, "Goedemiddag"))(t)
		edited := value(bram.WaitText(ctx, room, "Goedemiddag"))(t)
		if edited.ID != id || len(bram.Room(room).Messages()) != 3 {
			t.Errorf("the edit is %+v; messages %q", edited, bram.Room(room).Bodies())
		}

		value(bram.React(ctx, room, id, "👍"))(t)
		reacted := value(anna.WaitEvent(ctx, room, "a reaction", func(e client.Event) bool { return e.ID == id && len(e.Reactions) == 1 }))(t)
		if r := reacted.Reactions[0]; r.Key != "👍" || r.Sender != bram.UserID {
			t.Errorf("got %+v", r)
		}

		must(t, bram.ReadReceipt(ctx, room, id))
		must(t, anna.WaitFor(ctx, "a receipt", func(c *client.Client) bool { return c.Room(room).Receipts[bram.UserID] == id }))
		must(t, bram.Typing(ctx, room, true))
		must(t, anna.WaitFor(ctx, "typing", func(c *client.Client) bool { return c.Room(room).Typing[bram.UserID] }))

		value(anna.Redact(ctx, room, id, "mistake"))(t)
		must(t, bram.WaitRedacted(ctx, room, id))
		if bodies := bram.Room(room).Bodies(); strings.Join(bodies, "|") != "Dag|Nog iets" {
			t.Errorf("after the redaction there are %q", bodies)
		}
		if e, _ := bram.Room(room).Event(id); !strings.Contains(string(e.Was), "body") {
			t.Errorf("what was removed said %s", e.Was)
		}
		if raw := value(bram.RawEvent(ctx, room, id))(t); strings.Contains(string(raw), "ciphertext") {
			t.Errorf("the homeserver still has %s", raw)
		}
	})
}

func assertSealed(t *testing.T, c *client.Client, room, event, words string) {
	t.Helper()
	var raw struct {
		Type    string
		Content struct{ Ciphertext string }
	}
	b := value(c.RawEvent(bounded(t), room, event))(t)
	must(t, json.Unmarshal(b, &raw))
	if raw.Type != "m.room.encrypted" || raw.Content.Ciphertext == "" || bytes.Contains(b, []byte(words)) {
		t.Errorf("on the homeserver the event is %s", b)
	}
}

func TestAttachmentsAreEncryptedInEncryptedRoomsOnly(t *testing.T) {
	onEachKind(t, func(t *testing.T, h *harness.Homeserver) {
		ctx, d, plain := bounded(t), startDriver(t), picture(t)
		anna, bram := login(t, d, h, "anna"), login(t, d, h, "bram")
		sealed := chat(t, anna, bram)
		open := value(anna.CreateRoom(ctx, map[string]any{"invite": []string{bram.UserID}}, false))(t)
		must(t, bram.WaitFor(ctx, "an invitation", func(c *client.Client) bool { return c.Room(open).Membership == "invite" }))
		must(t, bram.Join(ctx, open))
		for _, room := range []string{sealed, open} {
			value(anna.SendImage(ctx, room, client.File{Bytes: plain, Name: "rash.png", MimeType: "image/png", Caption: "my arm",
				Info: map[string]any{"w": 64, "h": 48}}))(t)
			got := value(bram.WaitText(ctx, room, "my arm"))(t)
			if b := value(bram.Download(ctx, got))(t); !bytes.Equal(b, plain) {
				t.Errorf("downloaded %d bytes, not the %d that were sent", len(b), len(plain))
			}
			_, hasFile := got.Map()["file"]
			if got.MsgType() != "m.image" || got.Map()["filename"] != "rash.png" || hasFile != (room == sealed) {
				t.Errorf("the content is %s", got.Content)
			}
		}
		found := value(harness.FilesHolding(string(plain), h.DataDirs.Media))(t)
		if len(found) != 1 {
			t.Errorf("the picture lies readable in %q, want only the one of the open room", found)
		}
	})
}

func TestADeviceThatIsNotSignedIsShownAndCanBeShutOut(t *testing.T) {
	h, d, ctx := startHomeserver(t, harness.Options{Kind: harness.Synapse}), startDriver(t), bounded(t)
	anna := login(t, d, h, "anna")
	bramID := value(h.CreateUser(ctx, "bram", "secret-bram", false))(t)
	as := func(o client.LoginOptions) *client.Client {
		o.BaseURL, o.UserID, o.Password = h.URL, bramID, "secret-bram"
		return value(d.LoginWith(ctx, o))(t)
	}
	signed, unsigned := as(client.LoginOptions{}), as(client.LoginOptions{Identity: client.UnsignedDevice})
	second := as(client.LoginOptions{})
	for c, want := range map[*client.Client]bool{signed: true, unsigned: false, second: true} {
		if s := value(c.CryptoStatus(ctx))(t); s.DeviceSigned != want {
			t.Errorf("device %s is signed: %v, want %v", c.DeviceID, s.DeviceSigned, want)
		}
	}
	room := chat(t, anna, signed)
	strict := value(d.LoginWith(ctx, client.LoginOptions{BaseURL: h.URL, UserID: anna.UserID, Password: "secret-anna", SignedOnly: true}))(t)
	for c, want := range map[*client.Client]string{signed: "NONE", second: "NONE", unsigned: "RED"} {
		must(t, c.WaitFor(ctx, "being in the room", func(c *client.Client) bool { return c.Room(room).Membership == "join" }))
		id := value(c.SendText(ctx, room, "from "+c.DeviceID))(t)
		got := value(anna.WaitEvent(ctx, room, "a shield", func(e client.Event) bool { return e.ID == id && e.Shield != nil }))(t)
		if got.Shield.Colour != want {
			t.Errorf("a message of %s shows %+v, want %s", c.DeviceID, *got.Shield, want)
		}
	}
	refused := value(strict.WaitEvent(ctx, room, "what an unsigned device sent", func(e client.Event) bool { return e.DecryptionError != "" }))(t)
	if refused.DecryptionError != "UNSIGNED_SENDER_DEVICE" || strings.Contains(refused.Body(), "from") {
		t.Errorf("a strict client shows %+v", refused)
	}
	id := value(strict.SendText(ctx, room, "for signed devices"))(t)
	value(signed.WaitText(ctx, room, "for signed devices"))(t)
	value(unsigned.WaitEvent(ctx, room, "a message without its key", func(e client.Event) bool { return e.ID == id && e.DecryptionError != "" }))(t)
	assertSigned(t, anna, bramID, map[string]bool{signed.DeviceID: true, second.DeviceID: true, unsigned.DeviceID: false})
	reset := as(client.LoginOptions{Identity: client.ResetIdentity})
	assertSigned(t, reset, bramID, map[string]bool{signed.DeviceID: false, second.DeviceID: false, unsigned.DeviceID: false,
		reset.DeviceID: true})
}

func assertSigned(t *testing.T, c *client.Client, user string, want map[string]bool) {
	t.Helper()
	got := map[string]bool{}
	for _, device := range value(c.Devices(bounded(t), user))(t) {
		got[device.ID] = device.Signed
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s sees signed devices %v, want %v", c.UserID, got, want)
	}
}

func TestAClientThatWasDeafHearsEverythingInOrder(t *testing.T) {
	onEachKind(t, func(t *testing.T, h *harness.Homeserver) {
		ctx, d := bounded(t), startDriver(t)
		anna, bram := login(t, d, h, "anna"), login(t, d, h, "bram")
		room := chat(t, anna, bram)
		must(t, bram.PauseSync(ctx))
		const n = 60 // more than one answer to /sync holds
		var want []string
		began := time.Now()
		for i := range n {
			want = append(want, fmt.Sprintf("message %d", i))
			value(anna.SendText(ctx, room, want[i]))(t)
		}
		t.Logf("sent %.0f messages a second", n/time.Since(began).Seconds())
		must(t, bram.ResumeSync(ctx))
		value(bram.WaitText(ctx, room, want[n-1]))(t)
		must(t, bram.Backfill(ctx, room))
		if got := bram.Room(room).Bodies(); strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("got %q", got)
		}
	})
}

func TestClientsOutliveARestartOfTheHomeserver(t *testing.T) {
	onEachKind(t, func(t *testing.T, h *harness.Homeserver) {
		ctx, d := bounded(t), startDriver(t)
		anna, bram := login(t, d, h, "anna"), login(t, d, h, "bram")
		room := chat(t, anna, bram)
		value(anna.SendText(ctx, room, "before"))(t)
		value(bram.WaitText(ctx, room, "before"))(t)
		must(t, h.Kill())
		if _, err := anna.SendText(ctx, room, "into the void"); err == nil {
			t.Error("a message was sent to a homeserver that is down")
		}
		must(t, h.Start(ctx))
		began := time.Now()
		value(anna.SendText(ctx, room, "after"))(t)
		value(bram.WaitText(ctx, room, "after"))(t)
		t.Logf("heard again after %v", time.Since(began).Round(time.Millisecond))
	})
}

func TestAFailureSaysWhatTheHomeserverSaid(t *testing.T) {
	h, d, ctx := startHomeserver(t, harness.Options{Kind: harness.Dendrite}), startDriver(t), bounded(t)
	anna, bram := login(t, d, h, "anna"), login(t, d, h, "bram")
	room := value(anna.CreateRoom(ctx, map[string]any{"preset": "public_chat",
		"power_level_content_override": map[string]any{"events_default": 50}}, true))(t)
	must(t, bram.Join(ctx, room))
	_, err := bram.SendText(ctx, room, "may I?")
	if client.Errcode(err) != "M_FORBIDDEN" || !strings.Contains(err.Error(), "status 403") {
		t.Errorf("error %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = bram.WaitText(short, room, "never said")
	if err == nil || !strings.Contains(err.Error(), `a message with "never said"`) || !strings.Contains(err.Error(), "m.room.power_levels") {
		t.Errorf("error %v", err)
	}
	if _, err := d.Login(ctx, h.URL, "anna", "wrong"); client.Errcode(err) != "M_FORBIDDEN" {
		t.Errorf("error %v", err)
	}
	must(t, bram.Leave(ctx, room))
	must(t, anna.WaitMember(ctx, room, bram.UserID, "leave"))
	if m := value(anna.Members(ctx, room))(t); m[bram.UserID] != "leave" || m[anna.UserID] != "join" {
		t.Errorf("members %v", m)
	}
	must(t, bram.Logout(ctx))
	if _, _, err := bram.Whoami(ctx); err == nil {
		t.Error("a client works after it logged out")
	}
}

func TestHomeserversFederate(t *testing.T) {
	for _, pair := range [][2]harness.Kind{
		{harness.Dendrite, harness.Dendrite}, {harness.Dendrite, harness.Synapse},
		{harness.Synapse, harness.Dendrite}, {harness.Synapse, harness.Synapse},
	} {
		t.Run(fmt.Sprintf("from %s to %s", pair[0], pair[1]), func(t *testing.T) {
			ctx, d := bounded(t), startDriver(t)
			anna := login(t, d, startHomeserver(t, harness.Options{Kind: pair[0], Federation: true}), "anna")
			bram := login(t, d, startHomeserver(t, harness.Options{Kind: pair[1], Federation: true}), "bram")
			began := time.Now()
			room := chat(t, anna, bram)
			t.Logf("together in a room after %v", time.Since(began).Round(time.Millisecond))
			began = time.Now()
			id := value(anna.SendText(ctx, room, "over there"))(t)
			value(bram.WaitText(ctx, room, "over there"))(t)
			value(bram.SendText(ctx, room, "and back"))(t)
			value(anna.WaitText(ctx, room, "and back"))(t)
			t.Logf("there and back in %v", time.Since(began).Round(time.Millisecond))
			value(anna.Redact(ctx, room, id, ""))(t)
			must(t, bram.WaitRedacted(ctx, room, id))
		})
	}
}
