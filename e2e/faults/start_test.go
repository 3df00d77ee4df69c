package faults

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// What is wrong at the start is refused with the reason, and nothing is touched.
func TestRefusedAtTheStart(t *testing.T) {
	w := world.InTest(t, world.Options{Kind: harness.Dendrite, Patients: 0})
	refused := func(t *testing.T, reason string) {
		t.Helper()
		out, err := w.Command(t.Context(), "run")
		if err == nil || !strings.Contains(out, reason) {
			t.Errorf("it said %q (%v), want %q", out, err, reason)
		}
	}
	t.Run("a second instance", func(t *testing.T) { refused(t, "address already in use") })
	if err := w.Bridge().Stop(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(filepath.Dir(w.ConfigFile()), "master.key")
	right, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("another key", func(t *testing.T) {
		other := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
		write(t, key, []byte(other))
		refused(t, "key")
	})
	t.Run("no key", func(t *testing.T) {
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		refused(t, "key")
	})
	write(t, key, right)
	t.Run("and with all in order it starts", func(t *testing.T) {
		if err := w.StartBridge(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
