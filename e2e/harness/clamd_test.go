package harness

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/media/clamd"
)

func TestTheVirusScannerFindsWhatItIsToldToFind(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	whole := []byte("a whole file that is harmful")
	daemon, err := StartClamd(ctx, t.TempDir(), whole)
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Stop()
	c, err := clamd.New(daemon.Address)
	if err != nil {
		t.Fatal(err)
	}
	if version, err := c.Version(ctx); err != nil || !strings.HasPrefix(version, "ClamAV 1.") {
		t.Errorf("version %q, %v", version, err)
	}
	for _, tt := range []struct {
		data []byte
		want string
	}{
		{[]byte("harmless"), ""},
		{nil, ""},
		{bytes.Repeat([]byte("harmless"), 1<<20), ""},
		{[]byte("x" + Harmful + "y"), HarmfulName},
		{append(bytes.Repeat([]byte("x"), 3<<20), Harmful...), HarmfulName},
		{whole, "Spreekkamer.Test.Whole"},
	} {
		// the daemon marks findings of signatures that are not signed by its makers
		if found, err := c.Scan(ctx, tt.data); err != nil || strings.TrimSuffix(found, ".UNOFFICIAL") != tt.want {
			t.Errorf("%d bytes: %q, %v; want %q", len(tt.data), found, err, tt.want)
		}
	}
	if _, err := c.Scan(ctx, make([]byte, 31<<20)); !errors.Is(err, clamd.ErrTooLarge) {
		t.Errorf("31 MB: %v", err)
	}
	if err := daemon.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := c.Scan(ctx, []byte("harmless")); err == nil {
		t.Error("a daemon that has stopped answers")
	}
	if err := daemon.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Scan(ctx, []byte("harmless")); err != nil {
		t.Errorf("after it was started again: %v", err)
	}
}
