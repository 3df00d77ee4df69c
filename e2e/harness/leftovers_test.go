package harness

import (
	"bytes"
	"fmt"
	"io/fs"
"os/exec"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// filesWith lists the files below a directory that hold the word, with how often.
func filesWith(t *testing.T, dir, word string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a journal may vanish while we look
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		if n := bytes.Count(b, []byte(word)); n > 0 {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, fmt.Sprintf("%s (%d×)", rel, n))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestX(t *testing.T) {
	pg, err := StartPostgres(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pg.Stop() })
	uri, err := pg.NewDatabase(t.Context(), "x")
	for name, o := range map[string]Options{
		
		"dendrite-secure": {Kind: Dendrite},
		
		"synapse":         {Kind: Synapse},
		"synapsepg":       {Kind: Synapse, PostgresURI: uri},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, o)
			acc, err := h.register(t.Context(), "anna", "secret-anna", false)
			if err != nil {
				t.Fatal(err)
			}
			var room struct {
				RoomID string `json:"room_id"`
			}
			if err := h.request(t.Context(), http.MethodPost, "/_matrix/client/v3/createRoom", acc.AccessToken, map[string]any{"room_version": "10"}, &room); err != nil {
				t.Fatal(err)
			}
			var ids []string
			const n = 200
			for i := range n {
				var ev struct {
					EventID string `json:"event_id"`
				}
				path := "/_matrix/client/v3/rooms/" + url.PathEscape(room.RoomID)
				h.request(t.Context(), http.MethodPut, fmt.Sprintf("%s/send/m.room.message/a%d", path, i), acc.AccessToken, map[string]any{"msgtype": "m.text", "body": fmt.Sprintf("this is kanariepiet number %d %s", i, bytes.Repeat([]byte("long "), i/10))}, &ev)
				ids = append(ids, ev.EventID)
			}
			t.Log("after sending", filesWith(t, h.Dir, "kanariepiet"))
			for i, id := range ids {
				path := "/_matrix/client/v3/rooms/" + url.PathEscape(room.RoomID)
				if err := h.request(t.Context(), http.MethodPut, fmt.Sprintf("%s/redact/%s/b%d", path, url.PathEscape(id), i), acc.AccessToken, map[string]any{}, nil); err != nil {
					t.Fatal(err)
				}
			}
			b := time.Now()
			for range 5 {
				t.Log(time.Since(b).Round(time.Second), filesWith(t, h.Dir, "kanariepiet"), filesWith(t, pg.Dir, "kanariepiet"))
				time.Sleep(time.Second)
			}
			if h.Kind == Dendrite {
				for _, w := range []string{"anna", room.RoomID, "redact", "m.room", "event_id", "JSON"} {
					t.Log(w, filesWith(t, h.Dir, w))
				}
				out, _ := exec.Command("sh", "-c", "find "+h.Dir+"/jetstream -type f | xargs ls -la").CombinedOutput()
				t.Logf("%s", out)
				exec.Command("cp", "-r", h.Dir+"/jetstream", "/tmp/js").Run()
			}
			h.Stop()
			t.Log("stopped", filesWith(t, h.Dir, "kanariepiet"))
			h.Start(t.Context())
			t.Log("restarted", filesWith(t, h.Dir, "kanariepiet"))
		})
	}
}
