package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// server answers with what a test says, and remembers what it was asked.
type server struct {
	*httptest.Server
	asked  []*http.Request
	bodies []string
}

func serve(t testing.TB, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.asked, s.bodies = append(s.asked, r), append(s.bodies, string(body))
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		io.WriteString(w, body) //nolint:errcheck // a test
	}
}

func client(t testing.TB, s rest.Settings) *rest.Client {
	t.Helper()
	c, err := rest.New(s)
	require.NoError(t, err)
	return c
}

const failed = `{"resourceType":"OperationOutcome","issue":[
	{"severity":"warning","code":"informational","diagnostics":"HAPI-9999 fine"},
	{"severity":"error","code":"invariant","diagnostics":"HAPI-0574: Jan de Vries 999990019","expression":["Bundle.entry[2].resource.birthDate","Jan de Vries"]},
	{"severity":"error","code":"invariant","diagnostics":"PAT-20417 has no BSN"},
	{"severity":"error","code":"invariant","diagnostics":"No record for HAPI-20417"}]}`

// Each answer, and what the connector makes of it.
func TestWhatAnAnswerMeans(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		kind   string
		body   string
		code   rest.Code
		final  bool
		where  string
	}{
		{"what we sent is wrong", 422, rest.MediaType, failed, rest.CodeInvalid, true, "invariant, Bundle.entry[2].resource.birthDate, HAPI-0574, invariant, invariant"},
		{"what we sent is no FHIR", 400, "application/json", failed, rest.CodeInvalid, true, "invariant, Bundle.entry[2].resource.birthDate, HAPI-0574, invariant, invariant"},
		{"too large", 413, rest.MediaType, "{}", rest.CodeTooLarge, true, ""},
		{"there twice", 412, rest.MediaType, "", rest.CodeDouble, true, ""},
		{"a proxy's page", 400, "text/html", "<html>Bad Request</html>", rest.CodeNotFHIR, false, ""},
		{"a proxy that finds it too large", 413, "text/html", "<html>", rest.CodeNotFHIR, false, ""},
		{"at the same time as another", 409, rest.MediaType, failed, rest.CodeConflict, false, "invariant, Bundle.entry[2].resource.birthDate, HAPI-0574, invariant, invariant"},
		{"not logged in", 401, "text/plain", "", rest.CodeLogin, false, ""},
		{"not allowed", 403, rest.MediaType, "", rest.CodeLogin, false, ""},
		{"not there", 404, rest.MediaType, "{}", rest.CodeMissing, false, ""},
		{"taken away", 410, "text/plain", "", rest.CodeMissing, false, ""},
		{"too many", 429, rest.MediaType, "", rest.CodeBusy, false, ""},
		{"later", 503, "text/html", "", rest.CodeBusy, false, ""},
		{"broken", 500, rest.MediaType, "not JSON", rest.CodeBroken, false, ""},
		{"elsewhere", 302, "text/html", "", rest.CodeElsewhere, false, ""},
		{"a welcome page", 200, "text/html", "<html>Welkom</html>", rest.CodeNotFHIR, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, says(tt.status, tt.kind, tt.body))
			_, err := client(t, rest.Settings{Base: s.URL}).Do(t.Context(), rest.Request{Method: "GET", Path: "Task/1"})
			var got *rest.Error
			require.ErrorAs(t, err, &got)
			require.ErrorIs(t, err, tt.code)
			assert.Equal(t, tt.final, got.Final())
			assert.Equal(t, tt.where, got.Where)
			assert.NotContains(t, err.Error(), "Jan")
			assert.NotContains(t, err.Error(), "99999")
			assert.NotContains(t, err.Error(), "20417")
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere := serve(t, says(200, rest.MediaType, "{}"))
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	_, err := client(t, rest.Settings{Base: s.URL}).Do(t.Context(), rest.Request{Method: "POST", Body: rest.JSON([]byte("{}"))})
	require.ErrorIs(t, err, rest.CodeElsewhere)
	assert.Empty(t, elsewhere.asked)
}

func TestTheAddressIsTheBaseWithItsPath(t *testing.T) {
	s := serve(t, says(200, rest.MediaType, "{}"))
	for _, base := range []string{"/fhir/r4", "/fhir/r4/"} {
		c := client(t, rest.Settings{Base: s.URL + base})
		for _, r := range []rest.Request{{Method: "POST"}, {Method: "GET", Path: "Task/1", Query: url.Values{"_count": {"2"}}}} {
			_, err := c.Do(t.Context(), r)
			require.NoError(t, err)
		}
	}
	var asked []string
	for _, r := range s.asked {
		asked = append(asked, r.Method+" "+r.URL.String())
	}
	assert.Equal(t, []string{"POST /fhir/r4", "GET /fhir/r4/Task/1?_count=2", "POST /fhir/r4", "GET /fhir/r4/Task/1?_count=2"}, asked)
}

func TestABaseThatIsNoAddress(t *testing.T) {
	for _, base := range []string{"", "his.example/fhir", "ftp://his.example", "https://user:pw@his.example", "https://his.example?x=1"} {
		_, err := rest.New(rest.Settings{Base: base})
		require.Error(t, err, base)
		assert.NotContains(t, err.Error(), "pw")
	}
}

func TestErrorsOfTheNetworkHoldNoAddress(t *testing.T) {
	s := serve(t, nil)
	s.Close()
	_, err := client(t, rest.Settings{Base: s.URL + "/geheim"}).Do(t.Context(), rest.Request{Method: "GET", Path: "Patient/jan"})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "geheim")
	assert.NotContains(t, err.Error(), "jan")
}

func TestWhoWaitsTooLongIsLeft(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := client(t, rest.Settings{Base: s.URL, Timeout: 20 * time.Millisecond}).Do(t.Context(), rest.Request{Method: "GET", Path: "Task/1"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestWhatCannotBeReadIsTheErrorAndNotWhatBecameOfIt(t *testing.T) {
	s := serve(t, says(200, rest.MediaType, "{}"))
	broken := errors.New("homeserver is away")
	_, err := client(t, rest.Settings{Base: s.URL}).Do(t.Context(), rest.Request{Method: "POST", Body: rest.Body{Size: 10, Write: func(w io.Writer) error {
		io.WriteString(w, "half") //nolint:errcheck // a test
		return broken
	}}})
	assert.ErrorIs(t, err, broken)
}

func TestHalfAnAnswerIsNone(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", rest.MediaType)
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"resourceType"`) //nolint:errcheck // a test
	})
	_, err := client(t, rest.Settings{Base: s.URL}).Do(t.Context(), rest.Request{Method: "GET", Path: "Task/1"})
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestRetryAfterIsRead(t *testing.T) {
	for said, want := range map[string]time.Duration{"120": 2 * time.Minute, "": 0, "soon": 0, "-5": 0, "86400": time.Hour, "Mon, 01 Jan 2001 00:00:00 GMT": 0} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", said)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := client(t, rest.Settings{Base: s.URL}).Do(t.Context(), rest.Request{Method: "GET", Path: "Task/1"})
		var got *rest.Error
		require.ErrorAs(t, err, &got)
		assert.Equal(t, want, got.Retry, said)
		assert.Equal(t, want, got.RetryAfter(), said)
	}
}

func TestWhoGivesTokensCanBeBusyToo(t *testing.T) {
	tokens := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	s := serve(t, says(200, rest.MediaType, "{}"))
	_, err := client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "oauth2", SecretFile: secret(t, "x"), TokenURL: tokens.URL}}).
		Do(t.Context(), rest.Request{Method: "GET", Path: "Task/1"})
	var got *rest.Error
	require.ErrorAs(t, err, &got)
	assert.Equal(t, 90*time.Second, got.RetryAfter())
}

func TestRelativeAddresses(t *testing.T) {
	c := client(t, rest.Settings{Base: "https://his.example/fhir"})
	for address, want := range map[string]string{
		"Communication/1": "Communication/1", "Communication/1/_history/2": "Communication/1",
		"https://his.example/fhir/Binary/a-b": "Binary/a-b", "https://his.example/fhir/Binary/a/_history/1": "Binary/a",
		"https://elsewhere.example/fhir/Binary/1": "", "urn:uuid:1": "", "": "", "Binary": "", "Binary/../Patient": "",
		"Binary/1?x": "", "https://his.example/other/Binary/1": "", "Binary/%2e": "", "#contained": "",
	} {
		got, ok := c.Relative(address)
		assert.Equal(t, want, got, address)
		assert.Equal(t, want != "", ok, address)
	}
}

func page(next string, ids ...string) string {
	var b struct {
		ResourceType string           `json:"resourceType"`
		Link         []map[string]any `json:"link"`
		Entry        []map[string]any `json:"entry"`
	}
	b.ResourceType = "Bundle"
	if next != "" {
		b.Link = append(b.Link, map[string]any{"relation": "next", "url": next})
	}
	for _, id := range ids {
		b.Entry = append(b.Entry, map[string]any{"resource": map[string]any{"resourceType": "Task", "id": id}})
	}
	b.Entry = append(b.Entry, map[string]any{"resource": map[string]any{"resourceType": "OperationOutcome"}})
	text, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestASearchGoesOverAllPagesAndSendsWhatItLooksForInTheBody(t *testing.T) {
	var s *server
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", rest.MediaType)
		switch {
		case r.Method == http.MethodPost:
			io.WriteString(w, page(s.URL+"/fhir?_getpages=1", "a", "b")) //nolint:errcheck // a test
		case r.URL.RawQuery == "_getpages=1":
			io.WriteString(w, page("/fhir?_getpages=2", "c")) //nolint:errcheck // a test
		default:
			io.WriteString(w, page("", "d")) //nolint:errcheck // a test
		}
	})
	var got []string
	err := client(t, rest.Settings{Base: s.URL + "/fhir"}).Search(t.Context(), "Task", url.Values{"identifier": {"bsn|999990019"}}, func(raw json.RawMessage) bool {
		var r struct{ ID string }
		require.NoError(t, json.Unmarshal(raw, &r))
		got = append(got, r.ID)
		return true
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c", "d"}, got)
	assert.Equal(t, "identifier=bsn%7C999990019", s.bodies[0])
	for _, r := range s.asked {
		assert.NotContains(t, r.URL.String(), "999990019")
		assert.Equal(t, "no-cache", r.Header.Get("Cache-Control"))
	}
}

func TestPatientsAreNotReadOverPages(t *testing.T) {
	patients := strings.ReplaceAll(page("/fhir/Patient?identifier=bsn%7C999990019&page=2", "a"), `"Task"`, `"Patient"`)
	s := serve(t, says(200, rest.MediaType, patients))
	given := 0
	err := client(t, rest.Settings{Base: s.URL + "/fhir"}).Search(t.Context(), "Patient", url.Values{"identifier": {"bsn|999990019"}}, func(json.RawMessage) bool {
		given++
		return true
	})
	require.ErrorIs(t, err, rest.ErrMore)
	assert.Equal(t, 1, given)
	require.Len(t, s.asked, 1)
	assert.NotContains(t, s.asked[0].URL.String(), "999990019")
}

func TestAPageElsewhereIsNotRead(t *testing.T) {
	elsewhere := serve(t, says(200, rest.MediaType, page("", "x")))
	for _, next := range []string{elsewhere.URL + "/fhir?page=2", "//other.example/fhir", "/other?page=2"} {
		s := serve(t, says(200, rest.MediaType, page(next, "a")))
		err := client(t, rest.Settings{Base: s.URL + "/fhir"}).Search(t.Context(), "Task", url.Values{}, func(json.RawMessage) bool { return true })
		require.ErrorIs(t, err, rest.CodeElsewhere, next)
	}
	assert.Empty(t, elsewhere.asked)
}

func secret(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestValuesOfASearchAreEscaped(t *testing.T) {
	assert.Equal(t, `a\,b\|c\$d\\e`, rest.Escape(`a,b|c$d\e`))
	assert.True(t, strings.HasPrefix(rest.EntryError("412 Precondition Failed", []byte(failed)).Error(), "the FHIR server answered 412 (double)"))
}
