package appservice

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The fuzz tests here look for input from outside that crashes intake or, worse, stops it: what
// cannot be kept would come again for ever. Bodies that real servers sent are in testdata/fuzz;
// like every seed they run with the ordinary tests.

// hostileEvents are events as nobody should send them, next to one that is as it should be.
var hostileEvents = []string{
	`{}`, `7`, `null`, `"x"`, `[[[[]]]]`, `{"event_id":{}}`, `{"event_id":"$x","sender":7,"type":"m.room.message"}`,
	`{"event_id":"$1","room_id":"!r:a","sender":"@a:b","type":"m.room.message","origin_server_ts":1,"content":{"body":"hi"}}`,
	`{"event_id":"$1\u0000","room_id":"!r\ud800:a","sender":"@a:b","type":"m.room.encrypted","content":{"algorithm":7}}`,
	`{"event_id":"$2","room_id":"!r:a","sender":"@a:b","type":"m.room.redaction","redacts":7,"content":{"redacts":"$1"}}`,
	`{"event_id":"$3","room_id":"!r:a","sender":"@a:b","type":"m.room.member","state_key":null,"content":{"membership":[]}}`,
	`{"event_id":"$4","room_id":"!r:a","sender":"@a:b","type":"m.room.member","state_key":{},"content":{"membership":"join"},"unsigned":7}`,
	`{"event_id":"$5","room_id":"!r:a","sender":"@a:b","type":"m.reaction","content":{"m.relates_to":{"rel_type":"m.annotation","event_id":[],"key":1}}}`,
	`{"event_id":"$6","room_id":"!r:a","sender":"@a:b","type":"x","origin_server_ts":1e308,"content":{"body":"hi"},"unsigned":{"redacted_because":{}}}`,
	`{"event_id":"$7","room_id":"!r:a","sender":"@bot:gp.example","type":"m.room.encrypted","content":{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"x","session_id":"y"}}`,
	`{"event_id":"$8","room_id":"!r:a","sender":"@a:b","type":"m.room.encryption","state_key":"","content":{"algorithm":{}}}`,
	`{"event_id":"$9","room_id":"!r:a","sender":"@a:b","type":"m.room.power_levels","state_key":"","content":{"users":"x"}}`,
}

func FuzzEvent(f *testing.F) {
	for _, seed := range hostileEvents {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, kept := parse(raw, "")
		if !kept {
			return
		}
		for _, id := range []string{string(e.ID), string(e.Room), string(e.Sender), e.Type} {
			require.NotEmpty(t, id)
			require.LessOrEqual(t, len(id), longestID)
		}
		row := e.row(botID, now)
		require.False(t, row.OriginAt.After(now), "a clock that is ahead keeps nothing longer")
		require.False(t, e.Sender == botID && row.ForInbox, "what the bot did itself is no news")
		require.LessOrEqual(t, len(row.Target), longestID)
		e.mautrixEvent()
	})
}

func FuzzTransaction(f *testing.F) {
	for _, seed := range []string{`{}`, `{"events":null}`, `{"events":{}}`, `{"events":[`, `[]`, "\xff", `{"events":[],"ephemeral":[7],"to_device":7}`} {
		f.Add([]byte(seed))
	}
	for _, event := range hostileEvents {
		f.Add([]byte(`{"events":[` + event + `,` + hostileEvents[7] + `]}`))
	}
	b := fuzzed(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		req := httptest.NewRequest(http.MethodPut, "/_matrix/app/v1/transactions/1", bytes.NewReader(body))
		req.Header.Set("Authorization", "Bearer hs-secret")
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, req)
		var txn struct{ Events []json.RawMessage }
		if json.Unmarshal(body, &txn) == nil && txn.Events != nil {
			assert.Equal(t, http.StatusOK, w.Code, "the homeserver would send it again for ever: %s", w.Body)
		} else {
			assert.Equal(t, http.StatusBadRequest, w.Code)
		}
	})
}

// A homeserver hands on what others made up: events, and what is sent to the bot's device. The
// frame around them is its own.
func FuzzSync(f *testing.F) {
	for _, event := range hostileEvents {
		f.Add([]byte(event), "!r:gp.example", false)
		f.Add([]byte(event), "nonsense", true)
	}
	for _, toDevice := range []string{
		`{"type":"m.room.encrypted","sender":"@a:b","content":{"algorithm":"m.olm.v1.curve25519-aes-sha2","ciphertext":{"x":{"type":0,"body":"y"}}}}`,
		`{"type":"m.room_key","sender":"@a:b","content":{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!r","session_key":"x"}}`,
		`{"type":"m.room_key_request","sender":"@bot:gp.example","content":{"action":"request","body":{},"requesting_device_id":"X"}}`,
		`{"type":"m.key.verification.request","sender":"@a:b","content":{"from_device":7,"methods":{}}}`,
	} {
		f.Add([]byte(toDevice), "!r:gp.example", false)
	}
	b := fuzzed(f, map[string][]reply{
		"/messages": {ok(`{"chunk":[]}`)}, "/keys/upload": {ok(keysUploaded)}, "/keys/query": {ok(`{}`)}, "/sync": {ok(`{"next_batch":"n2"}`)},
	})
	f.Fuzz(func(t *testing.T, event []byte, room string, limited bool) {
		if !json.Valid(event) || !utf8.ValidString(room) {
			return
		}
		name, err := json.Marshal(room)
		require.NoError(t, err)
		body := strings.NewReplacer("EVENT", string(event), "ROOM", string(name), "LIMITED", string(marshal(limited))).Replace(
			`{"next_batch":"n2","to_device":{"events":[EVENT]},"device_one_time_keys_count":{"signed_curve25519":50},"rooms":{
			"join":{ROOM:{"state":{"events":[EVENT]},"timeline":{"events":[EVENT,EVENT],"limited":LIMITED,"prev_batch":"p"}}},
			"leave":{ROOM:{"timeline":{"events":[EVENT]}}},"invite":{ROOM:{"invite_state":{"events":[EVENT]}}}}}`)
		var answer syncAnswer
		require.NoError(t, json.Unmarshal([]byte(body), &answer))
		require.NoError(t, b.takeDeviceNews(t.Context(), answer.deviceNews))
		rows, gaps, err := b.collect(t.Context(), answer, "n1", "")
		require.NoError(t, err)
		require.NoError(t, b.keepBatch(t.Context(), store.Batch{NextBatch: answer.NextBatch, Gaps: gaps}, rows), "the same answer would come again for ever")
	})
}

// fuzzed is a bot with keys and a database for a fuzz test.
func fuzzed(f *testing.F, paths map[string][]reply) *bot {
	f.Helper()
	b, _ := scriptedBot(f, paths)
	return b
}
