package client

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

func TestSmoke(t *testing.T) {
	ctx := t.Context()
	log := filepath.Join(t.TempDir(), "driver.log")
	began := time.Now()
	lap := func(what string) { t.Logf("%7v %s", time.Since(began).Round(time.Millisecond), what); began = time.Now() }
	d, err := StartDriver(ctx, log)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	lap("driver")
	for _, kind := range harness.Kinds {
		h, err := harness.StartHomeserver(ctx, harness.Options{Kind: kind, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Stop()
		lap(string(kind))
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range []string{"anna", "bram"} {
			_, err := h.CreateUser(ctx, n, "secret-"+n, false)
			must(err)
		}
		lap("users")
		anna, err := d.Login(ctx, h.URL, "anna", "secret-anna")
		must(err)
		lap("login")
		bram, err := d.Login(ctx, h.URL, "@bram:"+h.ServerName, "secret-bram")
		must(err)
		lap("login")
		room, err := anna.DirectChat(ctx, bram.UserID)
		must(err)
		lap("create")
		r2, err := bram.WaitInvite(ctx, anna.UserID)
		must(err)
		if r2 != room {
			t.Fatal(r2, room)
		}
		must(bram.Join(ctx, room))
		lap("join")
		must(anna.WaitMember(ctx, room, bram.UserID, "join"))
		id, err := anna.SendText(ctx, room, "hallo Bram")
		must(err)
		lap("send")
		ev, err := bram.WaitText(ctx, room, "hallo")
		must(err)
		lap("receive")
		t.Logf("%+v %s", ev, ev.Content)
		raw, err := bram.RawEvent(ctx, room, id)
		t.Logf("%s %v", raw, err)
		info, err := bram.EncryptionInfo(ctx, room, id)
		t.Logf("%+v %v", info, err)
		st, err := bram.CryptoStatus(ctx)
		t.Logf("%+v %v", st, err)
	}
}
