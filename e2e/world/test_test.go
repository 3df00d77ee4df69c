package world

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestARaceInTheLogOfTheBridgeIsSeen(t *testing.T) {
	log := filepath.Join(t.TempDir(), "bridge.log")
	if found := races(log); found != "" {
		t.Errorf("no bridge was started, but %q", found)
	}
	for text, want := range map[string]string{
		`{"level":"info"}` + "\n": "",
		`{"level":"info"}` + "\n==================\nWARNING: DATA RACE\nWrite at 0x1": "WARNING: DATA RACE\nWrite at 0x1",
	} {
		if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found := races(log); !strings.HasPrefix(found, want) || want == "" && found != "" {
			t.Errorf("in %q: %q", text, found)
		}
	}
}
