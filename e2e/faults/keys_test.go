package faults

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/store"
)

// A keptMessage is an encrypted message as someone kept it who had no business to.
type keptMessage struct {
	room       id.RoomID
	Session    id.SessionID `json:"session_id"`
	Ciphertext string       `json:"ciphertext"`
}

// someoneKeeps copies every encrypted message of both sides.
func someoneKeeps(t *testing.T, s *story.Story) (all []keptMessage) {
	t.Helper()
	for _, p := range places(s)[1:3] {
		for _, e := range p.who.Room(p.room).Timeline {
			if !e.Encrypted || !says(e) {
				continue
			}
			raw, err := p.who.RawEvent(bounded(t), p.room, e.ID)
			must(t, err)
			var event struct{ Content keptMessage }
			must(t, json.Unmarshal(raw, &event))
			if event.Content.Ciphertext != "" {
				event.Content.room = id.RoomID(p.room)
				all = append(all, event.Content)
			}
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d messages to keep", len(all))
	}
	return all
}

// readable counts the messages that open to whoever has a copy of the bridge's database and its
// master key.
func readable(t *testing.T, s *story.Story, kept []keptMessage) (n int) {
	t.Helper()
	dir := filepath.Dir(s.World.ConfigFile())
	stolen := filepath.Join(t.TempDir(), "stolen.db")
	live, err := sql.Open("sqlite3", filepath.Join(dir, "spreekkamer.db")+"?_busy_timeout=10000")
	must(t, err)
	defer live.Close()
	_, err = live.ExecContext(t.Context(), "VACUUM INTO ?", stolen)
	must(t, err)
	text, err := os.ReadFile(filepath.Join(dir, "master.key"))
	must(t, err)
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	must(t, err)
	db, err := store.Open(t.Context(), store.Options{Kind: store.SQLite, URI: stolen, Key: key, Log: zerolog.Nop()})
	must(t, err)
	defer db.Close()
	keys := crypto.NewSQLCryptoStore(db.DB(), nil, s.World.Bot, "", db.PickleKey())
	for _, m := range kept {
		session, err := keys.GetGroupSession(t.Context(), m.room, m.Session)
		if err != nil || session == nil {
			continue
		}
		if _, _, err := session.Internal.Decrypt([]byte(m.Ciphertext)); err == nil {
			n++
		}
	}
	return n
}
