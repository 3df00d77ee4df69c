package app

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/crypto/canonicaljson"
)

// answers are a homeserver's, by method and path; what is not listed is an unknown endpoint.
type answers map[string]struct {
	status int
	body   string
}

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", theTime.Format(http.TimeFormat))
	answer, ok := a[r.Method+" "+r.URL.EscapedPath()]
	if !ok {
		answer.status, answer.body = http.StatusNotFound, `{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}`
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write([]byte(answer.body))
}

func probe(t *testing.T, handler http.Handler) *serverProbe {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := settings(t)
	c.Homeserver.URL = server.URL + "/"
	require.NoError(t, NewRegistration(c).Write(c.Registration))
	return newServerProbe(c)
}

const (
	versions = "GET /_matrix/client/versions"
	whoami   = "GET /_matrix/client/v3/account/whoami"
	pingPath = "POST /_matrix/client/v1/appservice/spreekkamer/ping"
	keyQuery = "POST /_matrix/client/v3/keys/query"
	admin    = "GET /_synapse/admin/v1/users/@spreekkamer:gp.example/admin"
	searches = "POST /_matrix/client/v3/search"
)

func TestTheHomeserverIsAskedAsTheBotAndOnlyWhereNeeded(t *testing.T) {
	var tokens []string
	p := probe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization")+" "+r.URL.Query().Get("user_id"))
		_, _ = w.Write([]byte(`{"user_id":"@spreekkamer:gp.example"}`))
	}))
	_, err := p.Clock(context.Background())
	require.NoError(t, err)
	user, err := p.Bot(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "@spreekkamer:gp.example", user)
	assert.Equal(t, []string{" ", "Bearer " + p.token + " @spreekkamer:gp.example"}, tokens)
}

func TestTheKindOfHomeserverIsFoundInItsOwnWay(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers answers
		want    string
	}{
		{"by federation", answers{"GET /_matrix/federation/v1/version": {200, `{"server":{"name":"Dendrite","version":"0.15.2"}}`}}, "Dendrite 0.15.2"},
		{"by Synapse's own endpoint", answers{"GET /_synapse/admin/v1/server_version": {200, `{"server_version":"1.163.2"}`}}, "Synapse 1.163.2"},
		{"by Dendrite's own endpoint", answers{"GET /_dendrite/monitor/up": {200, ``}}, "Dendrite of unknown version"},
		{"not at all", answers{versions: {200, `{}`}}, "a homeserver of unknown kind"},
		{"no homeserver", answers{}, " "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kind, version, err := probe(t, tt.answers).Version(context.Background())
			assert.Equal(t, tt.want, kind+" "+version)
			assert.Equal(t, tt.want == " ", err != nil, err)
		})
	}
}

func TestAnswersBecomeFindings(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name    string
		answers answers
		ask     func(*serverProbe) (any, error)
		want    any
		err     string
	}{
		{"the time", answers{versions: {200, `{}`}}, func(p *serverProbe) (any, error) { return p.Clock(ctx) }, theTime, ""},
		{"a page for people", answers{versions: {200, `<html>`}}, func(p *serverProbe) (any, error) { return p.Clock(ctx) }, time.Time{}, "is homeserver.url right?"},
		{"stable room versions", answers{"GET /_matrix/client/v3/capabilities": {200,
			`{"capabilities":{"m.room_versions":{"available":{"10":"stable","org.x":"unstable"}}}}`}},
			func(p *serverProbe) (any, error) { return p.RoomVersions(ctx) }, []string{"10"}, ""},
		{"an upload limit", answers{"GET /_matrix/client/v1/media/config": {200, `{"m.upload.size":5}`}},
			func(p *serverProbe) (any, error) { return p.UploadLimit(ctx) }, int64(5), ""},
		{"no upload limit", answers{"GET /_matrix/client/v1/media/config": {200, `{}`}},
			func(p *serverProbe) (any, error) { return p.UploadLimit(ctx) }, int64(0), "cannot be seen"},
		{"an unknown token", answers{whoami: {401, `{"errcode":"M_UNKNOWN_TOKEN"}`}},
			func(p *serverProbe) (any, error) { return p.Bot(ctx) }, "", "401 M_UNKNOWN_TOKEN"},
		{"a bot that has no account yet", answers{whoami: {403, `{"errcode":"M_FORBIDDEN","error":"Application service has not registered this user"}`}},
			func(p *serverProbe) (any, error) { return p.Bot(ctx) }, "", "made at the first start"},
		{"a ping", answers{pingPath: {200, `{"duration_ms":1}`}}, func(p *serverProbe) (any, error) { return nil, p.Ping(ctx) }, nil, ""},
		{"no ping", answers{}, func(p *serverProbe) (any, error) { return nil, p.Ping(ctx) }, nil, "cannot be seen"},
		{"a ping that did not arrive", answers{pingPath: {502, `{"errcode":"M_CONNECTION_FAILED"}`}},
			func(p *serverProbe) (any, error) { return nil, p.Ping(ctx) }, nil, "502 M_CONNECTION_FAILED"},
		{"an administrator", answers{admin: {200, `{"admin":true}`}}, func(p *serverProbe) (any, error) { return p.Admin(ctx) }, true, ""},
		{"no administrator", answers{admin: {403, `{"errcode":"M_FORBIDDEN"}`}}, func(p *serverProbe) (any, error) { return p.Admin(ctx) }, false, ""},
		{"nothing to administrate", answers{}, func(p *serverProbe) (any, error) { return p.Admin(ctx) }, false, "only Synapse can erase media"},
		{"a search index", answers{searches: {200, `{}`}}, func(p *serverProbe) (any, error) { return p.Search(ctx) }, true, ""},
		{"search switched off", answers{searches: {400, `{"errcode":"M_UNKNOWN","error":"Search is disabled on this homeserver"}`}},
			func(p *serverProbe) (any, error) { return p.Search(ctx) }, false, ""},
		{"no search at all", answers{}, func(p *serverProbe) (any, error) { return p.Search(ctx) }, false, ""},
		{"search that fails", answers{searches: {500, ``}}, func(p *serverProbe) (any, error) { return p.Search(ctx) }, false, "answers 500"},
		{"what Dendrite keeps", answers{"GET /_matrix/federation/v1/version": {200, `{"server":{"name":"Dendrite"}}`}},
			func(p *serverProbe) (any, error) { return p.RedactedFor(ctx) }, time.Duration(0), ""},
		{"what Synapse keeps", answers{"GET /_matrix/federation/v1/version": {200, `{"server":{"name":"Synapse"}}`}},
			func(p *serverProbe) (any, error) { return p.RedactedFor(ctx) }, time.Duration(0), "redaction_retention_period"},
		{"what others keep", answers{"GET /_matrix/federation/v1/version": {200, `{"server":{"name":"tuwunel"}}`}},
			func(p *serverProbe) (any, error) { return p.RedactedFor(ctx) }, time.Duration(0), "documentation of tuwunel"},
		{"what nobody tells", answers{}, func(p *serverProbe) (any, error) { return p.RedactedFor(ctx) }, time.Duration(0), "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.ask(probe(t, tt.answers))
			assert.Equal(t, tt.want, got)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
		})
	}
}

func TestOnlyTheBotsOwnRoomsCount(t *testing.T) {
	const rooms = "GET /_matrix/client/v3/rooms/%21"
	p := probe(t, answers{
		"GET /_matrix/client/v3/joined_rooms": {200, `{"joined_rooms":["!own:x","!theirs:x","!plain:x"]}`},
		rooms + "own:x/state": {200, `[{"type":"m.room.create","state_key":"","sender":"@spreekkamer:gp.example"},
			{"type":"m.room.power_levels","state_key":"","content":{"users":{"@spreekkamer:gp.example":100},"redact":60}}]`},
		rooms + "theirs:x/state": {200, `[{"type":"m.room.create","state_key":"","sender":"@patient:gp.example"}]`},
		rooms + "plain:x/state": {200, `[{"type":"m.room.create","state_key":"","sender":"@spreekkamer:gp.example"},
			{"type":"m.room.power_levels","state_key":"","content":{"users_default":7}}]`},
	})
	got, err := p.OwnRooms(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []RoomPower{{"!own:x", 100, 60}, {"!plain:x", 7, 50}}, got)

	_, err = probe(t, answers{}).OwnRooms(context.Background())
	require.ErrorContains(t, err, "404")
	_, err = probe(t, answers{"GET /_matrix/client/v3/joined_rooms": {200, `{"joined_rooms":["!gone:x"]}`}}).OwnRooms(context.Background())
	require.ErrorContains(t, err, "room !gone:x: ")
}

func TestWithoutARegistrationNothingCanBeAskedAsTheBot(t *testing.T) {
	p := newServerProbe(settings(t))
	_, err := p.Bot(context.Background())
	require.ErrorIs(t, err, ErrCannotTell)
}

func TestAHomeserverThatIsDownIsNamedWithoutTheRequest(t *testing.T) {
	p := probe(t, answers{})
	p.base = "http://127.0.0.1:1"
	_, err := p.Bot(context.Background())
	require.ErrorContains(t, err, "does not answer")
	assert.NotContains(t, err.Error(), "user_id")
}

// sign signs an object as Matrix does: over its canonical form without signatures.
func sign(t *testing.T, object map[string]any, by ed25519.PrivateKey) map[string]any {
	t.Helper()
	text, err := canonicaljson.Marshal(object)
	require.NoError(t, err)
	public := base64.RawStdEncoding.EncodeToString(by.Public().(ed25519.PublicKey))
	signature := base64.RawStdEncoding.EncodeToString(ed25519.Sign(by, text))
	object["signatures"] = map[string]any{"@spreekkamer:gp.example": map[string]any{"ed25519:" + public: signature}}
	return object
}

func key(seed byte) (ed25519.PrivateKey, map[string]any) {
	private := ed25519.NewKeyFromSeed([]byte{seed, 31: 0})
	public := base64.RawStdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	return private, map[string]any{"user_id": "@spreekkamer:gp.example", "keys": map[string]any{"ed25519:" + public: public}}
}

func TestADeviceIsSignedOnlyByTheWholeChain(t *testing.T) {
	master, masterKey := key(1)
	signer, signerKey := key(2)
	stranger, _ := key(3)
	_, otherSigner := key(2)
	good := func() map[string]any { return sign(t, map[string]any{"device_id": "A"}, signer) }
	for _, tt := range []struct {
		name    string
		devices map[string]any
		signer  any
		want    bool
	}{
		{"the chain is whole", map[string]any{"A": good()}, sign(t, signerKey, master), true},
		{"one of two devices is not signed", map[string]any{"A": good(), "B": map[string]any{}}, signerKey, false},
		{"a device is signed by a stranger", map[string]any{"A": sign(t, map[string]any{"device_id": "A"}, stranger)}, signerKey, false},
		{"the identity did not sign the signer", map[string]any{"A": good()}, sign(t, otherSigner, stranger), false},
		{"there is no identity", map[string]any{"A": good()}, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours := func(v any) map[string]any { return map[string]any{"@spreekkamer:gp.example": v} }
			body, err := json.Marshal(map[string]any{"device_keys": ours(tt.devices),
				"master_keys": ours(masterKey), "self_signing_keys": ours(tt.signer)})
			require.NoError(t, err)
			signed, err := probe(t, answers{keyQuery: {200, string(body)}}).Signed(context.Background())
			require.NoError(t, err)
			assert.Equal(t, tt.want, signed)
		})
	}
	_, err := probe(t, answers{keyQuery: {200, `{}`}}).Signed(context.Background())
	require.ErrorIs(t, err, ErrCannotTell)
}
