package faults

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

const (
	// canary is in every text and file name, so that it can be looked for in any file.
	canary = "kanarievogeltje"
	period = 20 * time.Second
)

// What people write is in no file of the bridge at any time, and nowhere any more once the
// period is over.
func TestRetention(t *testing.T) {
	each(t, world.Options{Retention: period}, func(t *testing.T, s *story.Story) {
		never := watch(t, filepath.Dir(s.World.ConfigFile()))
		saysCanaries(t, s)
		began := time.Now()
		secrets := ciphertexts(t, s)
		kept := someoneKeeps(t, s)
		if n := readable(t, s, kept); n != len(kept) {
			t.Fatalf("only %d of %d kept messages can be read while they may be", n, len(kept))
		}
		all := places(s)
		for _, p := range all {
			must(t, p.who.WaitFor(bounded(t), "everything in "+p.name+" to be redacted", func(c *client.Client) bool {
				return !slices.ContainsFunc(c.Room(p.room).Timeline, says)
			}))
		}
		gone := time.Since(began)
		reports(t, s)
		asked, state := 0, 0
		for _, p := range all {
			n, m := p.readBack(t)
			asked, state = asked+n, state+m
		}
		must(t, never())
		erased(t, s.World.Home)
		aDayLater(t, s.World.Home)
		if n := readable(t, s, kept); n > 0 {
			t.Errorf("the bridge's database and key still open %d of %d kept messages", n, len(kept))
		}
		for _, secret := range append(secrets, canary) {
			must(t, s.World.Home.WaitGone(bounded(t), secret))
		}
		must(t, s.World.Home.Stop())
		left, err := harness.FilesHolding(canary, s.World.Home.Dir, filepath.Dir(s.World.ConfigFile()))
		if err != nil || len(left) > 0 {
			t.Errorf("after the homeserver stopped the canary is in %q (%v)", left, err)
		}
		t.Logf("clients see nothing %v after the last message; %d events read back empty (beside %d of state); %d ciphertexts and the canary in no file; %d kept messages that nothing opens any more",
			gone.Round(time.Millisecond), asked, state, len(secrets), len(kept))
	})
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// saysCanaries lets both sides say the canary, in a text, an edit, a file's name and its caption.
func saysCanaries(t *testing.T, s *story.Story) {
	t.Helper()
	patient, staff := sides(s)
	for i, way := range [][2]side{{patient, staff}, {staff, patient}} {
		from, to := way[0], way[1]
		word := fmt.Sprintf("%s-%d", canary, i)
		text, err := from.who.SendText(t.Context(), from.room, word+"-tekst")
		must(t, err)
		_, err = to.who.WaitText(bounded(t), to.room, word+"-tekst")
		must(t, err)
		_, err = from.who.Edit(t.Context(), from.room, text, word+"-verbeterd")
		must(t, err)
		_, err = to.who.WaitText(bounded(t), to.room, word+"-verbeterd")
		must(t, err)
		_, err = from.who.SendFile(t.Context(), from.room, client.File{
			Bytes: []byte("the file says " + word), Name: word + ".txt", MimeType: "text/plain", Caption: word + "-bijschrift",
		})
		must(t, err)
		_, err = to.who.WaitText(bounded(t), to.room, word+"-bijschrift")
		must(t, err)
	}
	filesCanaries(t, s)
}

// ciphertexts are parts of what the homeserver keeps of what was just said, each in a file now.
func ciphertexts(t *testing.T, s *story.Story) (all []string) {
	t.Helper()
	must(t, s.World.Home.Scrub(bounded(t)))
	for _, p := range places(s)[1:3] {
		for _, e := range p.who.Room(p.room).Timeline {
			if !e.Encrypted || !strings.Contains(e.Body(), canary) {
				continue
			}
			raw, err := p.who.RawEvent(bounded(t), p.room, e.ID)
			must(t, err)
			var sent struct{ Content struct{ Ciphertext string } }
			must(t, json.Unmarshal(raw, &sent))
			if len(sent.Content.Ciphertext) < 100 {
				t.Fatalf("a message has the ciphertext %q", sent.Content.Ciphertext)
			}
			all = append(all, sent.Content.Ciphertext[20:80])
		}
	}
	for _, secret := range all {
		if files, err := harness.FilesHolding(secret, s.World.Home.Dir); err != nil || len(files) == 0 {
			t.Fatalf("a ciphertext is in no file even before it goes: %v", err)
		}
	}
	return all
}

// filesCanaries waits until the HIS has what was said: it is the one place where that stays.
func filesCanaries(t *testing.T, s *story.Story) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		files, err := filepath.Glob(filepath.Join(s.World.HIS, "*", "*", "*"+canary+"*"))
		must(t, err)
		if len(files) == 2 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the HIS folder has files %q", files)
		}
	}
}

// watch looks for the canary in the files of the bridge all the time, until it is asked.
func watch(t *testing.T, dir string) (found func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for looks := 1; ; looks++ {
			files, err := harness.FilesHolding(canary, dir)
			if err == nil && len(files) > 0 {
				err = fmt.Errorf("look %d found the canary in %q", looks, files)
			}
			if err != nil || ctx.Err() != nil {
				result <- err
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}()
	return func() error { cancel(); return <-result }
}

// says tells whether an event, other than the state of the room, still says something.
func says(e client.Event) bool {
	return e.StateKey == nil && e.Type != "m.room.redaction" && !e.Redacted
}

// A place is a room as someone in it sees it.
type place struct {
	name, room string
	who        *client.Client
}

func places(s *story.Story) []place {
	return []place{
		{"the patient's own chat", s.Contact, s.Patient}, {"the consulting room", s.Consulting, s.Patient},
		{"the conversation", s.TalkRoom, s.Fatima}, {"Balie", s.Balie, s.Fatima}, {"Beheer", s.Beheer, s.Joost},
	}
}

// readBack asks the homeserver for all history of the room, and for each event by itself.
func (p place) readBack(t *testing.T) (messages, state int) {
	t.Helper()
	for from := ""; ; {
		var page struct {
			Chunk []json.RawMessage `json:"chunk"`
			End   string            `json:"end"`
		}
		where := "/rooms/" + url.PathEscape(p.room) + "/messages?dir=b&limit=100"
		if from != "" {
			where += "&from=" + url.QueryEscape(from)
		}
		must(t, p.who.Request(bounded(t), http.MethodGet, "", where, nil, &page))
		for _, raw := range page.Chunk {
			if p.isState(t, raw) {
				state++
			} else {
				messages++
			}
		}
		if page.End == "" || page.End == from || len(page.Chunk) == 0 {
			return messages, state
		}
		from = page.End
	}
}

// isState checks that an event says nothing, unless it is one of state or a redaction.
func (p place) isState(t *testing.T, raw json.RawMessage) bool {
	t.Helper()
	var e struct {
		ID       string          `json:"event_id"`
		Type     string          `json:"type"`
		StateKey *string         `json:"state_key"`
		Content  json.RawMessage `json:"content"`
	}
	must(t, json.Unmarshal(raw, &e))
	if strings.Contains(string(raw), canary) {
		t.Errorf("%s: the canary is in a %s", p.name, e.Type)
	}
	if e.StateKey != nil || e.Type == "m.room.redaction" {
		return true
	}
	single, err := p.who.RawEvent(bounded(t), p.room, e.ID)
	must(t, err)
	again := e
	must(t, json.Unmarshal(single, &again))
	for how, content := range map[string]json.RawMessage{"history": e.Content, "single event": again.Content} {
		if string(content) != "{}" {
			t.Errorf("%s: a %s still has content (%s): %.80s", p.name, e.Type, how, content)
		}
	}
	return false
}

var counts = regexp.MustCompile(`Berichten: (\d+) bewaard, (\d+) te verwijderen, (\d+) verwijderd, (\d+) nagekeken, (\d+) mislukt`)

// reports: staff can ask how retention stands; question and answer go in their turn.
func reports(t *testing.T, s *story.Story) {
	t.Helper()
	_, err := s.Joost.SendText(t.Context(), s.Beheer, "!bewaartermijn")
	must(t, err)
	answer, err := s.Joost.WaitText(bounded(t), s.Beheer, "Berichten:")
	must(t, err)
	match := counts.FindStringSubmatch(answer.Body())
	if match == nil {
		t.Fatalf("!bewaartermijn answers %q", answer.Body())
	}
	t.Logf("!bewaartermijn: %s", strings.ReplaceAll(answer.Body(), "\n", "; "))
	if match[4] == "0" || match[5] != "0" {
		t.Errorf("nothing verified, or something failed: %q", answer.Body())
	}
	must(t, s.Joost.WaitFor(bounded(t), "the answer to go too", func(c *client.Client) bool {
		return !slices.ContainsFunc(c.Room(s.Beheer).Timeline, says)
	}))
}

// aDayLater does what Dendrite does by itself: it copies messages, encrypted as they are, to the
// notifications of its user database, where no redaction reaches them, and deletes those after a
// day; after a month if they were highlighted, which must not happen.
func aDayLater(t *testing.T, h *harness.Homeserver) {
	t.Helper()
	if h.Kind != harness.Dendrite {
		return
	}
	db, err := sql.Open("sqlite3", filepath.Join(h.DataDirs.Database, "userapi.db")+"?_busy_timeout=10000&_secure_delete=on")
	must(t, err)
	defer db.Close()
	var all, highlighted int
	must(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*), COALESCE(SUM(highlight), 0) FROM userapi_notifications").Scan(&all, &highlighted))
	t.Logf("Dendrite's user database has %d notifications, %d of them highlighted", all, highlighted)
	withSecret := "SELECT COUNT(*) FROM userapi_notifications WHERE highlight AND notification_json LIKE '%ciphertext%'"
	must(t, db.QueryRowContext(t.Context(), withSecret).Scan(&highlighted))
	if highlighted > 0 {
		t.Errorf("%d messages stay for a month", highlighted)
	}
	_, err = db.ExecContext(t.Context(), "DELETE FROM userapi_notifications WHERE NOT highlight")
	must(t, err)
}

// erased: no file is left in the media folder, where the homeserver can erase them.
func erased(t *testing.T, h *harness.Homeserver) {
	t.Helper()
	var left []string
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		left = nil
		must(t, filepath.WalkDir(h.DataDirs.Media, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				left = append(left, path)
			}
			return err
		}))
		if len(left) == 0 || h.Kind == harness.Dendrite || time.Now().After(end) {
			break
		}
	}
	t.Logf("%d files are left in the media folder", len(left))
	if len(left) > 0 && h.Kind == harness.Synapse {
		t.Errorf("the media folder has %q", left)
	}
}
