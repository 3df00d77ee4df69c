package appservice

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func TestWhichHomeserver(t *testing.T) {
	for _, tt := range []struct {
		name  string
		paths map[string][]reply
		want  Server
		fails bool
	}{
		{"it says so", map[string][]reply{"/federation/v1/version": {ok(`{"server":{"name":"Conduit","version":"1"}}`)}}, Server{"Conduit", "1"}, false},
		{"Synapse behind a proxy", map[string][]reply{"/admin/v1/server_version": {ok(`{"server_version":"1.2"}`)}}, Server{"Synapse", "1.2"}, false},
		{"Dendrite without federation", map[string][]reply{"/monitor/up": {ok(``)}}, Server{"Dendrite", ""}, false},
		{"it does not tell", nil, Server{}, false},
		{"it is down", map[string][]reply{"": {{502, ""}}}, Server{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, s := scriptedBot(t, tt.paths)
			for range 2 {
				got, err := b.Server(t.Context())
				assert.Equal(t, tt.fails, err != nil, "%v", err)
				assert.Equal(t, tt.want, got)
			}
			if tt.want.Name != "" {
				assert.Equal(t, 1, s.count(pathOf(tt.paths)), "asked once")
			}
		})
	}
}

func pathOf(paths map[string][]reply) string {
	for path := range paths {
		return path
	}
	return ""
}

func TestErasingWhereNobodyKnowsHow(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"/federation/v1/version": {ok(`{"server":{"name":"Conduit","version":"1"}}`)}})
	b.opts.Domain = "gp.example"
	assert.ErrorIs(t, b.EraseMedia(t.Context(), "mxc://gp.example/x"), ErrCannotErase)
	assert.ErrorIs(t, b.EraseMedia(t.Context(), "not an address"), ErrPermanent)
	_, err := b.IsAdmin(t.Context())
	assert.ErrorIs(t, err, ErrCannotErase)
}

func TestSearchable(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply reply
		want  bool
		fails bool
	}{
		{"yes", ok(`{}`), true, false},
		{"Synapse has it switched off", reply{400, `{"errcode":"M_UNKNOWN"}`}, false, false},
		{"Dendrite has it switched off", reply{501, `{"errcode":"M_UNKNOWN"}`}, false, false},
		{"not known", reply{404, `{"errcode":"M_UNRECOGNIZED"}`}, false, false},
		{"down", reply{502, ``}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := scriptedBot(t, map[string][]reply{"/search": {tt.reply}})
			got, err := b.Searchable(t.Context())
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.fails, err != nil, "%v", err)
		})
	}
}

func TestPingWithoutRegistrationID(t *testing.T) {
	b, _ := scriptedBot(t, nil)
	assert.ErrorIs(t, b.Ping(t.Context()), ErrUnsupported)
}

func TestUploadAsTheHomeserverAllows(t *testing.T) {
	limit := ok(`{"m.upload.size":1000}`)
	stored := ok(`{"content_uri":"mxc://gp.example/late"}`)
	for _, tt := range []struct {
		name   string
		create reply
		upload reply
		uri    id.ContentURIString
		err    error
		fails  bool
	}{
		{"addresses first", ok(`{"content_uri":"mxc://gp.example/early"}`), ok(`{}`), "mxc://gp.example/early", nil, false},
		{"no addresses beforehand", reply{404, `{"errcode":"M_UNRECOGNIZED"}`}, stored, "mxc://gp.example/late", nil, false},
		{"no more addresses now", reply{429, `{"errcode":"M_LIMIT_EXCEEDED"}`}, stored, "mxc://gp.example/late", nil, false},
		{"down", reply{502, ``}, stored, "", nil, true},
		{"token gone", reply{401, `{"errcode":"M_UNKNOWN_TOKEN"}`}, stored, "", ErrUnknownToken, true},
		{"no address at all", reply{404, ``}, ok(`{}`), "", nil, true},
		{"refused", ok(`{"content_uri":"mxc://gp.example/early"}`), reply{413, `{"errcode":"M_TOO_LARGE"}`}, "", ErrTooLarge, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := scriptedBot(t, map[string][]reply{
				"/media/config": {limit}, "/create": {tt.create}, "/upload": {tt.upload}, "/upload/gp.example/early": {tt.upload},
			})
			var recorded id.ContentURIString
			file, err := b.Upload(t.Context(), []byte("photo"), func(uri id.ContentURIString) error { recorded = uri; return nil })
			if tt.fails {
				require.Error(t, err)
				assert.True(t, tt.err == nil || errors.Is(err, tt.err), "%v", err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.uri, file.URL)
			assert.Equal(t, tt.uri, recorded)
			assert.NotEmpty(t, file.Hashes.SHA256)
		})
	}
}

func TestTheUploadLimitIsRemembered(t *testing.T) {
	b, s := scriptedBot(t, map[string][]reply{"/media/config": {ok(`{"m.upload.size":3}`)}})
	clock := now
	b.opts.Now = func() time.Time { return clock }
	for range 3 {
		_, err := b.Upload(t.Context(), []byte("photo"), nil)
		assert.ErrorIs(t, err, ErrTooLarge)
	}
	assert.Equal(t, 1, s.count("/media/config"))
	clock = clock.Add(limitAge)
	_, err := b.UploadLimit(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, s.count("/media/config"))
}

func TestADownloadThatIsARefusal(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"/download/gp.example/x": {ok(`{"errcode":"M_LIMIT_EXCEEDED","error":"slow down"}`)}})
	_, err := b.Download(t.Context(), "mxc://gp.example/x", &event.EncryptedFileInfo{}, 1000)
	require.Error(t, err)
	assert.ErrorIs(t, err, ErrUndecryptable, "without a content type only the hash tells")
	for _, tt := range []struct {
		contentType, body string
		refusal           bool
	}{
		{"application/json", `{"errcode":"M_LIMIT_EXCEEDED"}`, true},
		{"application/json; charset=utf-8", `{"errcode":"M_LIMIT_EXCEEDED"}`, true},
		{"application/json", `{"someone's":"file"}`, false},
		{"application/json", `{"errcode":7}`, false},
		{"image/png", `{"errcode":"M_LIMIT_EXCEEDED"}`, false},
	} {
		assert.Equal(t, tt.refusal, isRefusal(tt.contentType, []byte(tt.body)), "%s %s", tt.contentType, tt.body)
	}
}

func TestSentLooksBackNoFurtherThanItMust(t *testing.T) {
	own := func(event, txn string, at time.Time) string {
		return `{"event_id":"` + event + `","sender":"@bot:gp.example","type":"m.reaction","origin_server_ts":` +
			strconv.FormatInt(at.UnixMilli(), 10) + `,"content":{"nl.spreekkamer.marker":"` + txn + `"}}`
	}
	page := func(end string, events ...string) reply {
		body := `{"chunk":[`
		for i, e := range events {
			if i > 0 {
				body += ","
			}
			body += e
		}
		return ok(body + `],"end":"` + end + `"}`)
	}
	lying := `{"event_id":"$a","sender":"@anna:gp.example","type":"m.room.message","origin_server_ts":5,"content":{"nl.spreekkamer.marker":"sk-1"}}`
	recent, old := now.Add(-time.Minute), now.Add(-time.Hour)
	for _, tt := range []struct {
		name  string
		pages []reply
		want  id.EventID
		asked int
	}{
		{"on the first page", []reply{page("e1", own("$1", "sk-1", recent))}, "$1", 1},
		{"on the second", []reply{page("e1", own("$2", "sk-2", recent)), page("e2", own("$1", "sk-1", recent))}, "$1", 2},
		{"others' clocks and markers do not count", []reply{page("e1", lying, own("$1", "sk-1", recent))}, "$1", 1},
		{"not before the first attempt", []reply{page("e1", own("$2", "sk-2", old)), page("e2", own("$2", "sk-2", old), own("$1", "sk-1", old))}, "", 2},
		{"on the newest page whatever the clock said", []reply{page("e1", own("$2", "sk-2", old), own("$1", "sk-1", old))}, "$1", 1},
		{"the room's start", []reply{page("", own("$2", "sk-2", recent))}, "", 1},
		{"nothing visible", []reply{page("e1")}, "", 1},
		{"no end in sight", []reply{page("e1", lying), page("e2", lying), page("e1", lying), page("e2", lying), page("e1", lying), page("e2", lying), page("e1", lying), page("e2", lying), page("e1", lying), page("e2", lying), page("e1", lying), page("e2", lying)}, "", sentPages},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, s := scriptedBot(t, map[string][]reply{"/messages": tt.pages})
			got, found, err := b.Sent(t.Context(), "!r:gp.example", "sk-1", recent)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.want != "", found)
			assert.Equal(t, tt.asked, s.count("/messages"))
		})
	}
	b, _ := scriptedBot(t, map[string][]reply{"/messages": {{http.StatusBadGateway, ""}}})
	_, err := b.Resend(t.Context(), "!r:gp.example", event.EventReaction, map[string]any{}, "sk-1", recent)
	assert.Error(t, err, "not knowing is no reason to send again")
}
