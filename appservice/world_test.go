package appservice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

// A world is a real homeserver with our registration, and a directory for one bot.
type world struct {
	*harness.Homeserver
	t       *testing.T
	dir     string
	port    int
	options Options
	db      store.Options // "": SQLite in dir
}

// eachServer runs a test on every kind of homeserver, side by side.
func eachServer(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for _, kind := range harness.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, kind))
		})
	}
}

func newWorld(t *testing.T, kind harness.Kind) *world {
	t.Helper()
	return newWorldWith(t, harness.Options{Kind: kind})
}

func newWorldWith(t *testing.T, o harness.Options) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.port = listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	o.Dir, o.Registrations = filepath.Join(w.dir, "hs"), []string{w.registration()}
	w.Homeserver, err = harness.StartHomeserver(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Stop() })
	w.options = Options{
		URL: w.URL, Domain: w.ServerName, Localpart: "spreekbot", DisplayName: "Praktijk Test",
		ASToken: "as-secret", HSToken: "hs-secret", SenderLocalpart: "sender-x7f", RegistrationID: "spreekkamer",
		RecoveryKeyFile: filepath.Join(w.dir, "recovery.key"),
		Log:             zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel),
		Now:             time.Now, Due: func(sent time.Time) time.Time { return sent.AddDate(0, 0, 30) },
	}
	return w
}

func (w *world) registration() string {
	only := func(regex string) []any { return []any{map[string]any{"regex": regex, "exclusive": true}} }
	text, err := json.Marshal(map[string]any{
		"id": "spreekkamer", "url": fmt.Sprintf("http://127.0.0.1:%d", w.port),
		"as_token": "as-secret", "hs_token": "hs-secret", "sender_localpart": "sender-x7f", "rate_limited": false,
		"namespaces": map[string]any{"users": only("@spreekbot:.*"), "aliases": only("#spreek-.*"), "rooms": []any{}},
	})
	require.NoError(w.t, err)
	path := filepath.Join(w.dir, "registration.yaml")
	require.NoError(w.t, os.WriteFile(path, text, 0o600))
	return path
}

// bot is one life of the bot: from Connect to a crash.
type bot struct {
	*Client
	t      testing.TB
	store  *store.Store
	cancel context.CancelFunc
	done   chan struct{}
	server *http.Server
}

func openStore(t testing.TB, path string) *store.Store {
	t.Helper()
	return openDatabase(t, store.Options{Kind: store.SQLite, URI: path})
}

func openDatabase(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	o.Key, o.Log = bytes.Repeat([]byte{7}, 32), zerolog.Nop()
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	return s
}

// connect brings the bot up; its database is that of the life before.
func (w *world) connect() *bot {
	w.t.Helper()
	if w.db.Kind == "" {
		w.db = store.Options{Kind: store.SQLite, URI: filepath.Join(w.dir, "bot.db")}
	}
	b := &bot{t: w.t, store: openDatabase(w.t, w.db)}
	w.options.Store = b.store
	var err error
	b.Client, err = Connect(w.t.Context(), w.options)
	require.NoError(w.t, err)
	w.t.Cleanup(b.stop)
	return b
}

// run starts intake by /sync and waits until it has caught up.
func (b *bot) run() *bot {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	b.cancel, b.done = cancel, make(chan struct{})
	go func() { defer close(b.done); _ = b.Run(ctx) }()
	select {
	case <-b.CaughtUp():
	case <-time.After(20 * time.Second):
		b.t.Fatal("not caught up")
	}
	return b
}

// serve listens for the homeserver's transactions.
func (b *bot) serve(port int) *bot {
	b.t.Helper()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(b.t, err)
	b.server = &http.Server{Handler: b.Handler()}
	go func() { _ = b.server.Serve(listener) }()
	return b
}

// stop ends this life; it may be called twice.
func (b *bot) stop() {
	if b.server != nil {
		b.server.Close()
	}
	if b.cancel != nil {
		b.cancel()
		<-b.done
		b.cancel = nil
	}
	if b.store != nil {
		b.Close()
		b.store.Close()
		b.store = nil
	}
}

// A turnRow is one row of the inbox.
type turnRow struct{ Event, Room, Type, Queue string }

// inbox returns the rows that have their place, in order.
func (b *bot) inbox(kind string) (rows []turnRow) {
	b.t.Helper()
	result, err := b.store.DB().RawDB.QueryContext(b.t.Context(),
		`SELECT event_id, room_id, type, queue FROM inbox WHERE type = $1 ORDER BY position, id`, kind)
	require.NoError(b.t, err)
	defer result.Close()
	for result.Next() {
		var r turnRow
		require.NoError(b.t, result.Scan(&r.Event, &r.Room, &r.Type, &r.Queue))
		rows = append(rows, r)
	}
	return rows
}

// overtaken returns the events that came after what was sent later, and are marked so.
func (b *bot) overtaken() map[string]bool {
	b.t.Helper()
	result, err := b.store.DB().RawDB.QueryContext(b.t.Context(), `SELECT event_id FROM inbox WHERE overtaken`)
	require.NoError(b.t, err)
	defer result.Close()
	events := map[string]bool{}
	for result.Next() {
		var event string
		require.NoError(b.t, result.Scan(&event))
		events[event] = true
	}
	return events
}

// ledger returns the events of a room that have to be gone one day.
func (b *bot) ledger(room id.RoomID) (events []string) {
	b.t.Helper()
	result, err := b.store.DB().RawDB.QueryContext(b.t.Context(), `SELECT event_id FROM ledger WHERE room_id = $1`, room)
	require.NoError(b.t, err)
	defer result.Close()
	for result.Next() {
		var event string
		require.NoError(b.t, result.Scan(&event))
		events = append(events, event)
	}
	return events
}

// placed counts the messages that /sync has given a place.
func (b *bot) placed() (n int) {
	b.t.Helper()
	row := b.store.DB().RawDB.QueryRowContext(b.t.Context(),
		`SELECT COUNT(*) FROM inbox WHERE type = 'm.room.message' AND position IS NOT NULL`)
	require.NoError(b.t, row.Scan(&n))
	return n
}

// until waits for something that happens by itself.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.After(time.Minute) // a Dendrite that was killed tells of some things only half a minute after it is back
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// A person is a user with nothing but HTTP: no encryption, no library.
type person struct {
	t     *testing.T
	url   string
	ID    id.UserID
	token string
	txn   int
}

var people sync.Mutex

func (w *world) person(localpart string) *person {
	w.t.Helper()
	people.Lock()
	defer people.Unlock()
	_, err := w.CreateUser(w.t.Context(), localpart, "secret-"+localpart, false)
	require.NoError(w.t, err)
	p := &person{t: w.t, url: w.URL, ID: id.NewUserID(localpart, w.ServerName)}
	p.token = p.must("POST", "/_matrix/client/v3/login", map[string]any{
		"type": "m.login.password", "identifier": map[string]any{"type": "m.id.user", "user": localpart}, "password": "secret-" + localpart,
	})["access_token"].(string)
	return p
}

// ask sends a request and returns status and answer.
func (p *person) ask(method, path string, body any) (int, map[string]any) {
	p.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(p.t, err)
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, bytes.NewReader(data))
	require.NoError(p.t, err)
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	var answer map[string]any
	_ = json.Unmarshal(raw, &answer)
	return resp.StatusCode, answer
}

func (p *person) must(method, path string, body any) map[string]any {
	p.t.Helper()
	status, answer := p.ask(method, path, body)
	require.Equal(p.t, http.StatusOK, status, "%s %s: %v", method, path, answer)
	return answer
}

// createRoom makes a direct chat with the bot, not encrypted.
func (p *person) createRoom(invite id.UserID) id.RoomID {
	p.t.Helper()
	answer := p.must("POST", "/_matrix/client/v3/createRoom", map[string]any{
		"preset": "private_chat", "is_direct": true, "invite": []id.UserID{invite}, "room_version": "10",
	})
	return id.RoomID(answer["room_id"].(string))
}

// say writes readably into a room.
func (p *person) say(room id.RoomID, text string) id.EventID {
	p.t.Helper()
	p.txn++
	path := fmt.Sprintf("/_matrix/client/v3/rooms/%s/send/m.room.message/t%d", url.PathEscape(string(room)), p.txn)
	answer := p.must("PUT", path, map[string]any{"msgtype": "m.text", "body": text})
	return id.EventID(answer["event_id"].(string))
}

func (p *person) room(room id.RoomID, rest string) string {
	return "/_matrix/client/v3/rooms/" + url.PathEscape(string(room)) + rest
}

// event returns an event as this person's clients see it. Dendrite takes an event a moment before it
// gives it to who asks.
func (p *person) event(room id.RoomID, event id.EventID) (answer map[string]any) {
	p.t.Helper()
	until(p.t, "the event to be there", func() bool {
		status, found := p.ask("GET", p.room(room, "/event/"+url.PathEscape(string(event))), nil)
		answer = found
		return status == http.StatusOK
	})
	return answer
}

// timeline returns the newest events of a room that are no state, newest first.
func (p *person) timeline(room id.RoomID) (events []map[string]any) {
	p.t.Helper()
	answer := p.must("GET", p.room(room, "/messages?dir=b&limit=100"), nil)
	for _, e := range answer["chunk"].([]any) {
		if _, state := e.(map[string]any)["state_key"]; !state {
			events = append(events, e.(map[string]any))
		}
	}
	return events
}

func (p *person) join(room id.RoomID) {
	p.t.Helper()
	p.must("POST", "/_matrix/client/v3/join/"+url.PathEscape(string(room)), map[string]any{})
}
