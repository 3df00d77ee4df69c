package harness

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// bounded is the test's context with an end, so that a server that hangs is reported.
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

func start(t *testing.T, opts Options) *Homeserver {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	began := time.Now()
	h, err := StartHomeserver(bounded(t), opts)
	must(t, err)
	t.Logf("%s started in %v", h.Kind, time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func startPostgres(t *testing.T) *Postgres {
	t.Helper()
	began := time.Now()
	pg, err := StartPostgres(bounded(t), t.TempDir())
	must(t, err)
	t.Logf("PostgreSQL started in %v", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	return pg
}

// A database is what a kind of homeserver keeps its data in.
type database struct {
	kind     Kind
	postgres bool
}

var databases = map[string]database{
	"Dendrite with SQLite":    {kind: Dendrite},
	"Synapse with SQLite":     {kind: Synapse},
	"Synapse with PostgreSQL": {kind: Synapse, postgres: true},
}

// onEach runs a test on every homeserver with every database it can have. dirs are those in
// which what people write may end up besides the homeserver's own.
func onEach(t *testing.T, test func(t *testing.T, h *Homeserver, dirs ...string)) {
	for name, db := range databases {
		t.Run(name, func(t *testing.T) {
			if !db.postgres {
				test(t, start(t, Options{Kind: db.kind}))
				return
			}
			pg := startPostgres(t)
			uri, err := pg.NewDatabase(bounded(t), "synapse")
			must(t, err)
			test(t, start(t, Options{Kind: db.kind, PostgresURI: uri}), pg.Dir)
		})
	}
}

// A user of a homeserver who talks to it by plain requests.
type user struct {
	account
	h *Homeserver
}

func newUser(t *testing.T, h *Homeserver, localpart string) user {
	t.Helper()
	made, err := h.register(bounded(t), localpart, "secret-"+localpart, false)
	must(t, err)
	return user{made, h}
}

func (u user) do(t *testing.T, method, path string, in, out any) {
	t.Helper()
	must(t, u.h.request(bounded(t), method, "/_matrix/client/v3"+path, u.AccessToken, in, out))
}

func (u user) createRoom(t *testing.T) (roomPath string) {
	t.Helper()
	var made struct {
		RoomID string `json:"room_id"`
	}
	u.do(t, http.MethodPost, "/createRoom", map[string]any{"room_version": "10"}, &made)
	return "/rooms/" + url.PathEscape(made.RoomID)
}

func (u user) say(t *testing.T, roomPath, txn, body string) (eventID string) {
	t.Helper()
	var sent struct {
		EventID string `json:"event_id"`
	}
	u.do(t, http.MethodPut, roomPath+"/send/m.room.message/"+txn, map[string]any{"msgtype": "m.text", "body": body}, &sent)
	return sent.EventID
}

func TestAHomeserverKeepsItsDataOverARestartAndACrash(t *testing.T) {
	onEach(t, func(t *testing.T, h *Homeserver, _ ...string) {
		ctx := bounded(t)
		anna := newUser(t, h, "anna")
		room := anna.createRoom(t)
		event := anna.say(t, room, "1", "still there")
		for name, end := range map[string]func() error{"stop": h.Stop, "kill": h.Kill} {
			must(t, end())
			if h.Process() != nil {
				t.Fatalf("it runs after %s", name)
			}
			began := time.Now()
			must(t, h.Start(ctx))
			t.Logf("started after %s in %v", name, time.Since(began).Round(time.Millisecond))
			var got struct{ Content struct{ Body string } }
			anna.do(t, http.MethodGet, room+"/event/"+url.PathEscape(event), nil, &got)
			if got.Content.Body != "still there" {
				t.Errorf("after %s the message is %q", name, got.Content.Body)
			}
		}
	})
}

func TestAHomeserverGoesOnInItsDirectoryUnderItsName(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			opts := Options{Kind: kind, Dir: t.TempDir()}
			first := start(t, opts)
			anna := newUser(t, first, "anna")
			_, err := first.AdminToken(bounded(t))
			must(t, err)
			must(t, first.Stop())
			second := start(t, opts)
			if second.ServerName != first.ServerName || second.URL != first.URL {
				t.Errorf("%s at %s became %s at %s", first.ServerName, first.URL, second.ServerName, second.URL)
			}
			anna.do(t, http.MethodGet, "/account/whoami", nil, nil)
			_, err = second.AdminToken(bounded(t))
			must(t, err)
		})
	}
}

func TestAUserBecomesAdmin(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			ctx := bounded(t)
			h := start(t, Options{Kind: kind})
			anna, bram := newUser(t, h, "anna"), newUser(t, h, "bram")
			whois := "/_matrix/client/v3/admin/whois/" + url.PathEscape(bram.UserID)
			if err := h.request(ctx, http.MethodGet, whois, anna.AccessToken, nil, nil); err == nil {
				t.Error("anybody may use the admin API")
			}
			must(t, h.MakeAdmin(ctx, anna.UserID))
			login, err := h.login(ctx, "anna", "secret-anna")
			must(t, err)
			must(t, h.request(ctx, http.MethodGet, whois, login.AccessToken, nil, nil))
			token, err := h.AdminToken(ctx)
			must(t, err)
			must(t, h.request(ctx, http.MethodGet, whois, token, nil, nil))
			if err := h.MakeAdmin(ctx, "@nobody:"+h.ServerName); err == nil {
				t.Error("somebody who does not exist became admin")
			}
		})
	}
}

func TestWhatIsRedactedLeavesNoBytesInAnyFile(t *testing.T) {
	const canary = "kanariepiet"
	onEach(t, func(t *testing.T, h *Homeserver, dirs ...string) {
		anna := newUser(t, h, "anna")
		room := anna.createRoom(t)
		var events []string
		for i := range 20 {
			events = append(events, anna.say(t, room, fmt.Sprint("say", i), fmt.Sprint("a ", canary, " ", i)))
		}
		must(t, h.Scrub(bounded(t))) // so that it is in the files, and the search below finds what it should
		found, err := FilesHolding(canary, append(dirs, h.Dir)...)
		must(t, err)
		if len(found) == 0 {
			t.Fatal("the messages are in no file even before the redaction")
		}
		for i, event := range events {
			anna.do(t, http.MethodPut, fmt.Sprintf("%s/redact/%s/redact%d", room, url.PathEscape(event), i), map[string]any{}, nil)
		}
		began := time.Now()
		must(t, h.WaitGone(bounded(t), canary, dirs...))
		t.Logf("gone %v after the last redaction", time.Since(began).Round(time.Millisecond))
	})
}

func TestPostgresMakesDatabasesAndRestarts(t *testing.T) {
	ctx := bounded(t)
	pg := startPostgres(t)
	uri, err := pg.NewDatabase(ctx, `odd "name"`)
	must(t, err)
	db, err := sql.Open("postgres", uri)
	must(t, err)
	defer db.Close()
	var encoding, collation string
	must(t, db.QueryRowContext(ctx, "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()").
		Scan(&encoding, &collation))
	if encoding != "UTF8" || collation != "C" {
		t.Errorf("encoding %s, collation %s", encoding, collation)
	}
	_, err = db.ExecContext(ctx, "CREATE TABLE kept (n integer); INSERT INTO kept VALUES (7)")
	must(t, err)
	must(t, pg.Kill())
	began := time.Now()
	must(t, pg.Restart(ctx))
	t.Logf("restarted after a crash in %v", time.Since(began).Round(time.Millisecond))
	var n int
	must(t, db.QueryRowContext(ctx, "SELECT n FROM kept").Scan(&n))
	if n != 7 {
		t.Errorf("kept %d", n)
	}
}

func TestWhatIsMissingIsNamedWithItsRemedy(t *testing.T) {
	_, err := Tool("bin", "no-such-thing")
	if err == nil || err.Error() != filepath.Join("bin", "no-such-thing")+": not installed: run e2e/tools/install.sh" {
		t.Error(err)
	}
	root, err := Root()
	must(t, err)
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Error(err)
	}
}
