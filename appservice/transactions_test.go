package appservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// broken is a database that cannot be written to.
type broken struct{ *store.Store }

// Keep fails.
func (broken) Keep(context.Context, store.Batch) (store.KeepResult, error) {
	return store.KeepResult{}, errors.New("disk full")
}

// listening is a client that has a database but no homeserver.
func listening(t testing.TB) *bot {
	t.Helper()
	s := openStore(t, filepath.Join(t.TempDir(), "bot.db"))
	t.Cleanup(func() { s.Close() })
	require.NoError(t, s.SaveBot(t.Context(), store.Bot{UserID: string(botID), DeviceID: "D"}))
	c := &Client{
		opts: Options{
			HSToken: "hs-secret", Now: func() time.Time { return now }, Wake: func() {},
			Due: func(sent time.Time) time.Time { return sent.AddDate(0, 0, 30) },
		},
		store: s, user: botID, log: zerolog.Nop(), libraryLog: zerolog.Nop(), raw: newRawCache(cacheBytes), seen: newSeen(),
	}
	return &bot{t: t, Client: c, store: s}
}

func push(t *testing.T, b *bot, token, txn, body string) int {
	t.Helper()
	req := httptest.NewRequest("PUT", "/_matrix/app/v1/transactions/"+txn, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, req)
	return w.Code
}

func events(ids ...string) string {
	var all []string
	for _, id := range ids {
		all = append(all, fmt.Sprintf(`{"event_id":%q,"room_id":"!r:gp.example","sender":"@anna:gp.example",`+
			`"type":"m.room.message","origin_server_ts":1700000000000,"content":{"body":"hi"}}`, id))
	}
	return `{"events":[` + strings.Join(all, ",") + `]}`
}

func TestPutTransaction(t *testing.T) {
	for _, tt := range []struct {
		name, token, body string
		broken            bool
		status, kept      int
	}{
		{"kept before it is acknowledged", "hs-secret", events("$1", "$2"), false, http.StatusOK, 2},
		{"no events", "hs-secret", `{"events":[]}`, false, http.StatusOK, 0},
		{"other things beside", "hs-secret", `{"ephemeral":[{}],"to_device":7,` + events("$1")[1:], false, http.StatusOK, 1},
		{"the same event twice", "hs-secret", events("$1", "$1"), false, http.StatusOK, 1},
		{"one event of no form does not cost the others", "hs-secret", `{"events":[7,{"a":1},` + strings.TrimPrefix(events("$1"), `{"events":[`), false, http.StatusOK, 1},
		{"not acknowledged when not kept", "hs-secret", events("$1"), true, http.StatusServiceUnavailable, 0},
		{"a stranger", "guess", events("$1"), false, http.StatusForbidden, 0},
		{"nobody", "", events("$1"), false, http.StatusForbidden, 0},
		{"not JSON", "hs-secret", `{"events":[`, false, http.StatusBadRequest, 0},
		{"no object", "hs-secret", `[]`, false, http.StatusBadRequest, 0},
		{"no list of events", "hs-secret", `{}`, false, http.StatusBadRequest, 0},
		{"events is text", "hs-secret", `{"events":"x"}`, false, http.StatusBadRequest, 0},
		{"empty", "hs-secret", ``, false, http.StatusBadRequest, 0},
		{"huge", "hs-secret", events("$1") + strings.Repeat(" ", maxTransaction), false, http.StatusRequestEntityTooLarge, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := listening(t)
			if tt.broken {
				b.Client.store = broken{b.store}
			}
			assert.Equal(t, tt.status, push(t, b, tt.token, "1", tt.body))
			assert.Len(t, b.inbox("m.room.message"), tt.kept)
		})
	}
}

func TestAGrownTransactionWithTheSameID(t *testing.T) {
	b := listening(t)
	woken := 0
	b.opts.Wake = func() { woken++ }
	assert.Equal(t, 200, push(t, b, "hs-secret", "7", events("$1")))
	assert.Equal(t, 200, push(t, b, "hs-secret", "7", events("$1", "$2")), "Dendrite sends the same ID with more events")
	assert.Len(t, b.inbox("m.room.message"), 2)
	assert.Len(t, b.ledger("!r:gp.example"), 2)
	assert.Equal(t, 2, woken)
	assert.Zero(t, b.placed(), "the order comes from /sync")
	raw, ok := b.raw.get("!r:gp.example", "$2")
	assert.True(t, ok)
	assert.Contains(t, string(raw), `"$2"`)
}

func TestOtherRequestsOfTheHomeserver(t *testing.T) {
	b := listening(t)
	for _, tt := range []struct {
		method, path, token string
		status              int
	}{
		{"POST", "/_matrix/app/v1/ping", "hs-secret", 200},
		{"POST", "/_matrix/app/v1/ping", "guess", 403},
		{"GET", "/_matrix/app/v1/users/@x:gp.example", "hs-secret", 404},
		{"GET", "/_matrix/app/v1/rooms/%23x:gp.example", "hs-secret", 404},
		{"GET", "/_matrix/app/v1/users/@x:gp.example", "", 403},
		{"GET", "/", "hs-secret", 404},
		{"GET", "/_matrix/app/v1/transactions/1", "hs-secret", 404},
	} {
		t.Run(tt.method+" "+tt.path+" "+tt.token, func(t *testing.T) {
			req := httptest.NewRequest(tt.method, tt.path, strings.NewReader("{}"))
			req.Header.Set("Authorization", "Bearer "+tt.token)
			w := httptest.NewRecorder()
			b.Handler().ServeHTTP(w, req)
			assert.Equal(t, tt.status, w.Code)
		})
	}
	old := httptest.NewRequest("POST", "/_matrix/app/v1/ping?access_token=hs-secret", nil)
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, old)
	assert.Equal(t, 200, w.Code, "the token as it was sent before there was a header")
	b.opts.HSToken = ""
	assert.Equal(t, 403, push(t, b, "", "1", events("$1")), "no token configured lets nobody in")
}
