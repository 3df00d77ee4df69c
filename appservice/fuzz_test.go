package appservice

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

// The fuzz tests here look for input from outside that crashes intake or, worse, stops it: what
// cannot be kept would come again for ever. In testdata are bodies of the form that Synapse and
// Dendrite give them, with made-up people and keys; like every seed they run with the ordinary tests.

// recorded are the bodies in testdata whose name begins like this.
func recorded(f *testing.F, kind string) (bodies [][]byte) {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", kind+"*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		body, err := os.ReadFile(path)
		require.NoError(f, err)
		bodies = append(bodies, body)
	}
	return bodies
}

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
	for _, body := range recorded(f, "transaction") {
		f.Add(body)
	}
	b, _ := scriptedBot(f, nil)
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

// syncFrame is an answer of /sync with something in every place.
const syncFrame = `{"next_batch":"n2","to_device":{"events":[EVENT]},"device_one_time_keys_count":{"signed_curve25519":50},
	"device_lists":{"changed":["@anna:gp.example","x"]},"rooms":{
	"join":{ROOM:{"state":{"events":[EVENT]},"timeline":{"events":[EVENT,EVENT],"limited":LIMITED,"prev_batch":"p"},"ephemeral":{"events":[EVENT]}}},
	"leave":{ROOM:{"timeline":{"events":[EVENT]}}},"invite":{ROOM:{"invite_state":{"events":[EVENT]}}}}}`

// hostileFrames are answers that nobody should give around the events.
var hostileFrames = []string{
	``, `{}`, `[]`, `7`, `{"next_batch":7}`, `{"next_batch":"\u0000","rooms":null}`, `{"next_batch":"n2","device_lists":{"changed":["@\u0000:x","@a:b"]}}`,
	`{"next_batch":"n2","device_one_time_keys_count":{"signed_curve25519":-1,"curve25519":1e9}}`, `{"next_batch":"n2","rooms":{"join":{"":{},"x":{"timeline":{"limited":true}}}}}`,
	`{"next_batch":"n2","rooms":{"join":{"!r:a":{"ephemeral":{"events":[7,{"type":"m.typing","content":{"user_ids":["@a:b",""]}},{"type":"m.receipt","content":{"$e":{"m.read":{"@a:b":7}}}}]}}}}}`,
	`{"next_batch":"n2","rooms":{"join":{"!r:a":{"ephemeral":{"events":[{"type":"m.receipt","content":{"$e":{"m.read":{"@a:b":{"thread_id":{}}}},"x":7}}]}}}}}`,
}

// FuzzSync takes in whatever a homeserver answers to /sync: what others made up in it, and its own
// frame around that.
func FuzzSync(f *testing.F) {
	events := append([]string{
		`{"type":"m.room.encrypted","sender":"@a:b","content":{"algorithm":"m.olm.v1.curve25519-aes-sha2","ciphertext":{"x":{"type":0,"body":"y"}}}}`,
		`{"type":"m.room_key","sender":"@a:b","content":{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!r","session_key":"x"}}`,
		`{"type":"m.room_key_request","sender":"@bot:gp.example","content":{"action":"request","body":{},"requesting_device_id":"X"}}`,
		`{"type":"m.key.verification.request","sender":"@a:b","content":{"from_device":7,"methods":{}}}`,
		`{"type":"m.receipt","content":{"$e":{"m.read":{"@a:b":{"ts":1,"thread_id":"main"}}}}}`,
	}, hostileEvents...)
	for _, event := range events {
		f.Add([]byte(strings.NewReplacer("EVENT", event, "ROOM", `"!r:gp.example"`, "LIMITED", "false").Replace(syncFrame)), false)
		f.Add([]byte(strings.NewReplacer("EVENT", event, "ROOM", `"nonsense"`, "LIMITED", "true").Replace(syncFrame)), true)
	}
	for _, body := range hostileFrames {
		f.Add([]byte(body), false)
	}
	for _, body := range recorded(f, "sync") {
		f.Add(body, false)
		f.Add(body, true)
	}
	b, _ := scriptedBot(f, map[string][]reply{
		"/messages": {ok(`{"chunk":[]}`)}, "/keys/upload": {ok(keysUploaded)}, "/keys/query": {ok(`{}`)}, "/sync": {ok(`{"next_batch":"n2"}`)},
	})
	f.Fuzz(func(t *testing.T, body []byte, first bool) {
		var answer syncAnswer
		if json.Unmarshal(body, &answer) != nil {
			return // it is asked for again
		}
		since := "n1"
		if first {
			since = ""
		}
		b.OnTyping(func(_ id.RoomID, users []id.UserID) {
			require.LessOrEqual(t, len(users), mostReaders)
			for _, user := range users {
				require.True(t, usable(string(user), '@'))
			}
		})
		require.NoError(t, b.take(t.Context(), answer, since, ""), "the same answer would come again for ever")
		for room, news := range answer.Rooms.Join {
			require.LessOrEqual(t, len(readsIn(room, news.Ephemeral.Events)), mostReaders)
		}
		require.LessOrEqual(t, b.raw.bytes, cacheBytes)
		rows, gaps, err := b.collect(t.Context(), answer, since, "")
		require.NoError(t, err)
		require.LessOrEqual(t, len(rows)+len(gaps), len(body), "what is kept is in proportion")
	})
}

// FuzzHistory reads a page of a room's past: it ends, and what it gives has usable names.
func FuzzHistory(f *testing.F) {
	for _, event := range hostileEvents {
		f.Add([]byte(`{"chunk":[` + event + `,` + hostileEvents[7] + `],"end":"e"}`))
	}
	for _, body := range append(recorded(f, "messages"), []byte(`{"chunk":7}`), []byte(`{"chunk":[{}],"end":"p"}`), []byte(`{"end":{}}`), nil) {
		f.Add(body)
	}
	b, s := scriptedBot(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		s.say("/messages", body)
		events, next, err := b.History(t.Context(), "!r:gp.example", "p")
		if err != nil {
			require.Regexp(t, `^read earlier events of !r:gp.example: (malformed JSON|unreadable answer \(HTTP 200\)|[a-z ]+)$`, err.Error())
			return
		}
		require.NotEqual(t, "p", next, "it would go round")
		require.LessOrEqual(t, len(events), len(body))
		for _, e := range events {
			require.True(t, usable(e.ID, '$') && usable(e.RoomID, '!') && usable(e.Sender, '@') && usable(e.Type, 0))
			require.False(t, e.OriginAt.After(now))
		}
		all, err := b.walkBack(t.Context(), "!r:gp.example", "p", "", longestHistory)
		require.NoError(t, err)
		require.LessOrEqual(t, len(all), 2*len(body))
		require.LessOrEqual(t, s.count("/messages"), 3, "the same page again is the end")
	})
}

// FuzzKeys looks up devices: whatever the answer says, only those of who was asked for become known.
func FuzzKeys(f *testing.F) {
	for _, body := range append(recorded(f, "keys"), []byte(`{}`), []byte(`7`), []byte(`{"device_keys":{"@anna:gp.example":7}}`),
		[]byte(`{"device_keys":{"@bas:gp.example":{"X":{}}},"failures":{"@anna:gp.example":7}}`), []byte(`{"master_keys":{"@anna:gp.example":{"keys":{"":""}}}}`)) {
		f.Add([]byte(strings.ReplaceAll(string(body), "example.org", "gp.example")))
	}
	b, s := scriptedBot(f, nil)
	asked, other := id.UserID("@anna:gp.example"), id.UserID("@bas:gp.example")
	f.Fuzz(func(t *testing.T, body []byte) {
		s.say("/keys/query", body)
		if err := b.fetchKeys(t.Context(), []id.UserID{asked}); err != nil {
			require.LessOrEqual(t, len(said(err)), 2*longestError)
			require.NotRegexp(t, `@[^ ]+:`, said(err))
		}
		for user, own := range map[id.UserID]bool{asked: true, other: false, b.user: false} {
			devices, err := b.keys.GetDevices(t.Context(), user)
			require.NoError(t, err)
			require.True(t, own || len(devices) == 0, "%s was not asked for", user)
			for name, device := range devices {
				require.Equal(t, user, device.UserID)
				require.Equal(t, name, device.DeviceID)
			}
		}
	})
}
