package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mau.fi/util/exsync"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"
)

// scripted is a homeserver whose every answer is written down beforehand, for what no real one
// can be made to say.
type scripted struct {
	mu    sync.Mutex
	paths map[string][]reply // by the end of the path, or a part that ends in "/"; the last reply stays
	asked []string
	since []string // what /sync was asked for
}

type reply struct {
	status int
	body   string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/sync") {
		s.since = append(s.since, r.URL.Query().Get("since"))
	}
	for end, replies := range s.paths {
		part := strings.HasSuffix(end, "/") && strings.Contains(r.URL.Path, end)
		if !part && !strings.HasSuffix(r.URL.Path, end) {
			continue
		}
		if len(replies) > 1 {
			s.paths[end] = replies[1:]
		}
		w.WriteHeader(replies[0].status)
		fmt.Fprint(w, replies[0].body)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, `{"errcode":"M_NOT_FOUND"}`)
}

// say sets the only answer of a path, and forgets what was asked.
func (s *scripted) say(end string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths, s.asked = map[string][]reply{end: {ok(string(body))}}, nil
}

func (s *scripted) count(end string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range s.asked {
		if strings.HasSuffix(path, end) {
			n++
		}
	}
	return n
}

// scriptedBot is a bot with keys and a database, whose homeserver says what it is told to.
func scriptedBot(t testing.TB, paths map[string][]reply) (*bot, *scripted) {
	t.Helper()
	s := &scripted{paths: paths}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	b := listening(t)
	b.opts.URL = server.URL
	var err error
	b.matrix, err = b.libraryClient("token")
	require.NoError(t, err)
	b.service = b.matrix
	b.matrix.DeviceID = "D"
	b.rooms = newStateStore(b.store.DB())
	b.matrix.StateStore = b.rooms
	b.sending = exsync.NewKeyedMutex[id.RoomID]()
	b.asked, b.reshared = newLimiter(askAgain, b.opts.Now), newLimiter(reshareEvery, b.opts.Now)
	b.awaited = newLimiter(reshareEvery, b.opts.Now)
	require.NoError(t, b.rooms.Upgrade(t.Context()))
	b.keys = newCryptoStore(b.store.DB(), b.user, "D", b.store.PickleKey())
	require.NoError(t, b.keys.DB.Upgrade(t.Context()))
	b.machine = crypto.NewOlmMachine(b.matrix, &b.libraryLog, b.keys, b.rooms)
	require.NoError(t, b.machine.Load(t.Context()))
	return b, s
}

func ok(body string) reply { return reply{http.StatusOK, body} }

const keysUploaded = `{"one_time_key_counts":{"signed_curve25519":50}}`

func messageJSON(event string) string {
	return fmt.Sprintf(`{"event_id":%q,"sender":"@anna:gp.example","type":"m.room.message","origin_server_ts":1700000000000,"content":{"body":"hi"}}`, event)
}

func TestOneHostileEventDoesNotStopTheOthers(t *testing.T) {
	hostile := []string{
		`7`, `null`, `{}`, `{"event_id":{}}`, `[[[[]]]]`, `{"event_id":"$x","sender":7,"type":"m.room.message"}`,
		`{"event_id":"$y","sender":"@a:b","type":"m.room.member","state_key":"@a:b","content":{"membership":[]}}`,
		`{"event_id":"$z","sender":"@a:b","type":"m.room.encryption","state_key":"","content":{"algorithm":{}}}`,
		`{"event_id":"$p","sender":"@a:b","type":"m.room.power_levels","state_key":"","content":{"users":"x"}}`,
	}
	toDevice := `{"type":"m.room.encrypted","sender":"@a:b","content":{"algorithm":"m.olm.v1.curve25519-aes-sha2","ciphertext":7}},` +
		`{"type":"m.room.encrypted","sender":"@a:b","content":"x"},{"type":7},9,{"type":"m.room_key_request","sender":"@a:b","content":{}},` +
		`{"type":"m.room_key","sender":"@a:b","content":{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!r","session_key":"x"}}`
	answer := fmt.Sprintf(`{"next_batch":"n2","to_device":{"events":[%s]},"device_one_time_keys_count":{"signed_curve25519":50},
		"rooms":{"join":{"!r:gp.example":{"state":{"events":[%s]},"timeline":{"events":[%s,%s],"limited":false}}},
		"invite":{"!i:gp.example":{"invite_state":{"events":[7,{"type":"m.room.member"},{"type":"m.room.member","state_key":"@bot:gp.example","content":{"membership":"invite"},"sender":"@anna:gp.example"}]}},
		"!j:gp.example":{"invite_state":{"events":[]}},"nonsense":{"invite_state":{}}}}}`,
		toDevice, strings.Join(hostile, ","), strings.Join(hostile, ","), messageJSON("$1"))
	b, _ := scriptedBot(t, map[string][]reply{"/sync": {ok(answer)}, "/keys/upload": {ok(keysUploaded)}, "/keys/query": {ok(`{}`)}})
	require.NoError(t, b.keep(t.Context(), "n1", nil))

	require.NoError(t, b.syncOnce(t.Context(), 0))
	assert.Len(t, b.inbox("m.room.message"), 1)
	rows := b.inbox("m.room.member")
	require.Len(t, rows, 2, "%+v", rows)
	assert.Equal(t, "user:@anna:gp.example", rows[0].Queue, "the invite")
	saved, err := b.store.Bot(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "n2", saved.NextBatch)
}

// flaky is a database that cannot be written to for a while.
type flaky struct {
	*store.Store
	fails int
}

// Keep fails some times.
func (f *flaky) Keep(ctx context.Context, batch store.Batch) (store.KeepResult, error) {
	if f.fails--; f.fails >= 0 {
		return store.KeepResult{}, errors.New("disk full")
	}
	return f.Store.Keep(ctx, batch)
}

func TestWhatCannotBeKeptComesAgain(t *testing.T) {
	answer := `{"next_batch":"n2","rooms":{"join":{"!r:gp.example":{"timeline":{"events":[` + messageJSON("$1") + `]}}}}}`
	b, _ := scriptedBot(t, map[string][]reply{"/sync": {ok(answer)}, "/keys/upload": {ok(keysUploaded)}})
	require.NoError(t, b.keep(t.Context(), "n1", nil))
	b.Client.store = &flaky{b.store, 2}
	for range 2 {
		assert.ErrorContains(t, b.syncOnce(t.Context(), 0), "disk full")
		saved, err := b.store.Bot(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "n1", saved.NextBatch, "the place in the stream waits for the rows")
		assert.Empty(t, b.inbox("m.room.message"))
	}
	for range 2 {
		require.NoError(t, b.syncOnce(t.Context(), 0))
	}
	assert.Len(t, b.inbox("m.room.message"), 1)
}

func TestAfterALostDatabaseOldMessagesAreNotAnsweredAgain(t *testing.T) {
	answer := `{"next_batch":"n1","rooms":{"join":{"!r:gp.example":{"timeline":{"events":[` + messageJSON("$new") + `],"limited":true,"prev_batch":"p"}}}}}`
	page := `{"chunk":[` + messageJSON("$old") + `]}`
	b, _ := scriptedBot(t, map[string][]reply{"/sync": {ok(answer)}, "/messages": {ok(page)}, "/keys/upload": {ok(keysUploaded)}})
	require.NoError(t, b.syncOnce(t.Context(), 0))
	assert.Len(t, b.inbox("m.room.message"), 1)
	assert.ElementsMatch(t, []string{"$old", "$new"}, b.ledger("!r:gp.example"), "they have to be redacted all the same")
}

func TestAnAnswerThatIsNone(t *testing.T) {
	for name, answer := range map[string]reply{
		"no place in the stream": ok(`{}`),
		"not JSON":               ok(`<html>`),
		"slow down":              {429, `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":3000}`},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := scriptedBot(t, map[string][]reply{"/sync": {answer}})
			err := b.syncOnce(t.Context(), 0)
			require.Error(t, err)
			assert.False(t, errors.Is(err, ErrPermanent))
		})
	}
}

func TestNamesAreNotKept(t *testing.T) {
	const member = `{"event_id":"$1","sender":"@anna:gp.example","type":"m.room.member","state_key":"@anna:gp.example",` +
		`"content":{"membership":"join","displayname":"Anna de Vries","avatar_url":"mxc://gp.example/photo"}}`
	b, _ := scriptedBot(t, map[string][]reply{"/members": {ok(`{"chunk":[` + member + `]}`), ok(`{"chunk":[]}`)}})
	nothing := func() {
		t.Helper()
		for table, columns := range map[string]string{"mx_user_profile": "displayname || avatar_url", "crypto_device": "name"} {
			var found string
			row := b.store.DB().RawDB.QueryRowContext(t.Context(), `SELECT COALESCE(GROUP_CONCAT(`+columns+`, ''), '') FROM `+table)
			require.NoError(t, row.Scan(&found))
			assert.Empty(t, found, table)
		}
	}
	b.updateState(t.Context(), b.parseAll("!r:gp.example", []json.RawMessage{json.RawMessage(member)}))
	require.NoError(t, b.keys.PutDevice(t.Context(), "@anna:gp.example", &id.Device{UserID: "@anna:gp.example", DeviceID: "A", Name: "Telefoon van Anna"}))
	require.NoError(t, b.keys.PutDevices(t.Context(), "@anna:gp.example", map[id.DeviceID]*id.Device{"B": {UserID: "@anna:gp.example", DeviceID: "B", Name: "Tablet van Anna"}}))
	nothing()
	for _, want := range [][]id.UserID{{"@anna:gp.example"}, nil} { // as the homeserver says, also when that is nobody
		users, err := b.members(t.Context(), "!r:gp.example")
		require.NoError(t, err)
		assert.Equal(t, want, users)
		known, err := b.rooms.GetRoomJoinedOrInvitedMembers(t.Context(), "!r:gp.example")
		require.NoError(t, err)
		assert.Len(t, known, len(want))
		nothing()
	}
}

func TestTheBotIsNotTheSenderOfTheRegistration(t *testing.T) {
	_, err := Connect(t.Context(), Options{Localpart: "spreekbot", SenderLocalpart: "spreekbot"})
	assert.ErrorContains(t, err, "sender_localpart")
}

func TestADatabaseOfAnotherBot(t *testing.T) {
	b, _ := scriptedBot(t, nil)
	b.user = "@other:gp.example"
	assert.ErrorContains(t, b.signIn(t.Context()), "a database of its own")
}

func TestTheDisplayNameIsSetOnlyWhenItDiffers(t *testing.T) {
	b, s := scriptedBot(t, map[string][]reply{"/displayname": {ok(`{"displayname":"Praktijk"}`)}})
	require.NoError(t, b.introduce(t.Context()))
	assert.Zero(t, s.count("/displayname"), "no name in the configuration leaves it alone")
	b.opts.DisplayName = "Praktijk"
	require.NoError(t, b.introduce(t.Context()))
	assert.Equal(t, 1, s.count("/displayname"))
	b.opts.DisplayName = "Praktijk Noord"
	require.NoError(t, b.introduce(t.Context()))
	assert.Equal(t, 3, s.count("/displayname"))
}
