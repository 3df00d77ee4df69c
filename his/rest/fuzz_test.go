package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outcomes are refusals as servers write them, and as nobody should.
var outcomes = []string{
	``, `{}`, `7`, `null`, `[]`, "<html>Jan de Vries 999990019</html>", `{"resourceType":"OperationOutcome","issue":{}}`,
	`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing","diagnostics":"HAPI-0550: Jan de Vries","expression":["Bundle.entry[2].resource/*Patient/20417*/.identifier[0].value"]}]}`,
	`{"issue":[{"severity":"fatal","code":"999990019","location":["Patient.identifier[999990019]","/f:Patient"],"diagnostics":"HAPI-2041799: x"}]}`,
	`{"issue":[{"severity":"error","code":7,"expression":"x"}]}`,
	`{"issue":[{"severity":"error","code":"value","expression":["Patient` + strings.Repeat(".name", 1000) + `"]}]}`,
	`{"issue":[` + strings.Repeat(`{"severity":"error","code":"value","expression":["Task.status"]},`, 100) + `{}]}`,
	strings.Repeat("[", 20_000),
}

// longestTold is the most that comes out of a refusal, in bytes.
const longestTold = 4 << 10

var ownWords = regexp.MustCompile(`^the FHIR server answered -?\d{1,3} \([a-z_]+\)( at (.+))?$`)

// onlyOurs holds that an error is in our words and in FHIR's: no server says anything through it.
func onlyOurs(t *testing.T, e *Error) {
	t.Helper()
	text := e.Error()
	require.LessOrEqual(t, len(text), longestTold)
	said := ownWords.FindStringSubmatch(text)
	require.NotNil(t, said, "%s", text)
	require.NotRegexp(t, `\d{9}`, text)
	if said[2] == "" {
		return
	}
	for _, one := range strings.Split(said[2], ", ") {
		if issueTypes[one] || regexp.MustCompile(`^HAPI-\d{4}$`).MatchString(one) {
			continue
		}
		for _, word := range regexp.MustCompile(`[^\[\]().0-9]+`).FindAllString(one, -1) {
			require.True(t, elements[word] || resourceTypes[word] || word == "ofType", "%q in %s", word, text)
		}
	}
}

// FuzzRefusal reads what a server says when it refuses: of the answer, and of an entry in it.
func FuzzRefusal(f *testing.F) {
	for _, body := range outcomes {
		for _, kind := range []string{MediaType, "application/json; charset=utf-8", "text/html", ""} {
			f.Add(422, kind, "60", "422 Unprocessable", []byte(body))
		}
	}
	f.Add(503, MediaType, "Wed, 21 Oct 2099 07:28:00 GMT", "999990019 Jan", []byte(`{}`))
	f.Fuzz(func(t *testing.T, status int, kind, retry, entry string, body []byte) {
		if status < 100 || status > 999 { // net/http takes nothing else
			return
		}
		resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}, "Retry-After": {retry}}}
		e := refusal(resp, body)
		onlyOurs(t, e)
		require.True(t, e.Retry >= 0 && e.Retry <= time.Hour)
		require.False(t, e.Final() && !isFHIR(resp.Header), "what is not FHIR refuses nothing for good")
		onlyOurs(t, EntryError(entry, body))
	})
}

// inMemory answers each request with the next of some pages, and the last one again.
type inMemory struct {
	pages [][]byte
	asked []*url.URL
}

func (m *inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	m.asked = append(m.asked, r.URL)
	page := m.pages[min(len(m.asked), len(m.pages))-1]
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {MediaType}}, Body: io.NopCloser(bytes.NewReader(page)), Request: r,
	}, nil
}

// FuzzPages reads the pages of a search: it ends, it never leaves the server, it gives nothing but
// what was asked for, and of patients only one page.
func FuzzPages(f *testing.F) {
	one := `{"resource":{"resourceType":"Communication","id":"1"}}`
	for _, page := range []string{
		``, `{}`, `7`, `{"resourceType":"Bundle"}`, `{"resourceType":"Bundle","entry":7}`, `{"resourceType":"Bundle","entry":[7,null,{}]}`,
		`{"resourceType":"Bundle","total":1,"entry":[` + one + `]}`, `{"resourceType":"Bundle","total":99999,"entry":[` + one + `]}`,
		`{"resourceType":"Bundle","total":-1,"link":[{"relation":"next","url":"https://his.example/fhir?page=2"}],"entry":[` + one + `,` + one + `]}`,
		`{"resourceType":"Bundle","link":[{"relation":"next","url":"https://elsewhere.example/fhir?page=2"}]}`,
		`{"resourceType":"Bundle","link":[{"relation":"next","url":"/fhir/../admin"}],"entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}`,
		`{"resourceType":"Bundle","link":[{"relation":"next","url":"//his.example:99/fhir/"}]}`, `{"resourceType":"OperationOutcome"}`,
	} {
		f.Add(false, []byte(page), []byte(`{"resourceType":"Bundle","entry":[`+one+`]}`))
		f.Add(true, []byte(page), []byte(page))
	}
	f.Fuzz(func(t *testing.T, ofPatients bool, first, second []byte) {
		kind := map[bool]string{true: "Patient", false: "Communication"}[ofPatients]
		c, err := New(Settings{Base: "https://his.example/fhir"})
		require.NoError(t, err)
		server := &inMemory{pages: [][]byte{first, second}}
		c.http.Transport = server
		given := 0
		err = c.Search(t.Context(), kind, url.Values{"_count": {"50"}}, func(raw json.RawMessage) bool {
			given++
			of, _ := identity(raw)
			require.Equal(t, kind, of)
			return true
		})
		require.LessOrEqual(t, len(server.asked), mostPages)
		require.LessOrEqual(t, given, len(server.asked)*(len(first)+len(second)))
		for _, at := range server.asked {
			require.Equal(t, "his.example", at.Host)
			require.True(t, strings.HasPrefix(at.Path+"/", "/fhir/"), "%s", at.Path)
		}
		if kind == "Patient" {
			require.LessOrEqual(t, len(server.asked), 2)
		}
		if answered := new(Error); errors.As(err, &answered) {
			onlyOurs(t, answered)
		} else if err != nil {
			require.ErrorIs(t, err, ErrMore)
		}
	})
}
