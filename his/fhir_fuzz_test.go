package his_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// hostileFHIR has what we filed, and says of all else whatever the test gives it.
type hostileFHIR struct {
	*fakeFHIR
	ours   map[string]bool   // paths
	new    map[string][]byte // by type: the first page of what is new
	other  []byte            // everything else that is read
	status int               // of that
	asked  int
}

func (h *hostileFHIR) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.asked++
	path := strings.TrimPrefix(r.URL.Path, "/fhir/")
	kind, isSearch := strings.CutSuffix(path, "/_search")
	body, status := h.other, h.status
	switch page := h.new[kind]; {
	case isSearch && page != nil:
		body, status = page, http.StatusOK
	case h.ours[path], isSearch, path == "metadata", strings.HasPrefix(path, "Provenance/"):
		h.fakeFHIR.asked = nil
		h.fakeFHIR.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", rest.MediaType)
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // a test
}

// newHostileFHIR is one with a conversation in it: what stands for its parts in the seeds is replaced.
func newHostileFHIR(f *testing.F) (h *hostileFHIR, c his.Connector, named *strings.Replacer) {
	f.Helper()
	fake := newFakeFHIR(f)
	fileIn(f, fhirAt(f, fake, nil), histest.Message(1))
	h = &hostileFHIR{fakeFHIR: fake, ours: map[string]bool{}}
	for _, path := range fake.order {
		h.ours[path] = true
	}
	server := httptest.NewServer(h)
	f.Cleanup(server.Close)
	c, err := his.Open("fhir", his.Settings{FHIR: his.FHIR{Settings: rest.Settings{Base: server.URL + "/fhir"}}})
	require.NoError(f, err)
	var header, message string
	for _, path := range fake.find("Communication", "") {
		if fake.newest(path)["partOf"] != nil {
			message = path
		} else {
			header = path
		}
	}
	require.NotEmpty(f, message)
	return h, c, strings.NewReplacer("HEADER", header, "MESSAGE", message, "OURMARK", string(jsonOf(f, fake.newest(fake.find("Task", "")[0])["identifier"])))
}

// theirs are resources as a HIS has them, and as none should. A page is one of them.
var theirs = []string{
	`{"resourceType":"Communication","id":"a1","status":"completed","inResponseTo":[{"reference":"MESSAGE"}],"sender":{"reference":"Practitioner/1"},"payload":[{"contentString":"Dat is niet erg."}],"meta":{"versionId":"1","lastUpdated":"2026-06-01T09:12:00Z"}}`,
	`{"resourceType":"Communication","id":"a2","status":"in-progress","partOf":[{"reference":"HEADER"}],"sender":{"display":"P. \u202eBakker\nhuisarts"},"recipient":[{"reference":"Patient/1"}],"payload":[{"contentAttachment":{"data":"AAAA","title":"../x"}},{"contentReference":{"reference":"DocumentReference/1"}}]}`,
	`{"resourceType":"Communication","id":"a3","status":"entered-in-error"}`,
	`{"resourceType":"Communication","id":"../Patient/1","status":"completed","partOf":[{"reference":"HEADER"}],"sender":{"reference":"https://elsewhere.example/x"},"payload":[{"contentAttachment":{"url":"http://169.254.169.254/"}}]}`,
	`{"resourceType":"Communication","id":"a4","status":"completed","partOf":7,"payload":{}}`, `{"resourceType":"Communication","id":7}`,
	`{"resourceType":"Communication","id":"a5","status":"completed","inResponseTo":[{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:0"}}],"payload":[{}],"meta":{"lastUpdated":"9999-12-31T23:59:59.999999999999999999999Z"}}`,
	`{"resourceType":"Task","id":"t1","status":"completed","identifier":OURMARK,"focus":{"reference":"HEADER"},"for":{"reference":"Patient/999990019"},"owner":{"reference":"PractitionerRole/1"},"output":[{"id":"x","valueString":"Ja."},{"valueReference":{"reference":"Communication/other"}},{}]}`,
	`{"resourceType":"Task","id":"t2","identifier":OURMARK,"focus":{"reference":"Task/t2"},"output":[{"valueReference":{"reference":"Task/t2"}}]}`,
}

var theirOthers = []string{
	``, `{}`, `7`, "<html>Jan de Vries</html>", `{"resourceType":"Practitioner","id":"1","name":[{"family":"Bakker","given":["P."]}]}`,
	`{"resourceType":"PractitionerRole","id":"1","practitioner":{"reference":"PractitionerRole/1"},"code":[{"text":"Patient"}]}`,
	`{"resourceType":"PractitionerRole","id":"1","practitioner":{"display":"Jan"},"code":[{"text":"Spreekkamer"}]}`,
	`{"resourceType":"DocumentReference","id":"1","content":[{"attachment":{"url":"Binary/1","contentType":"text/html"}}]}`,
	`{"resourceType":"Binary","id":"1","data":"!"}`, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","diagnostics":"Jan 999990019"}]}`,
}

// FuzzFHIRAnswers reads what a HIS says is new, whatever it is: it ends, all that goes on to a patient
// has words and a name, no error says a word of it, and what comes out is in proportion.
func FuzzFHIRAnswers(f *testing.F) {
	h, c, named := newHostileFHIR(f)
	for _, one := range theirs {
		for n, other := range theirOthers {
			page := named.Replace(`{"resourceType":"Bundle","total":1,"entry":[{"resource":` + one + `}]}`)
			f.Add([]byte(page), []byte(page), []byte(other), []int{200, 200, 200, 404, 500}[n%5])
			f.Add([]byte(page), []byte(page), []byte(other), 200)
		}
	}
	f.Add([]byte(`{}`), []byte(`{"resourceType":"Bundle","link":[{"relation":"next","url":"Task?page=2"}]}`), []byte(`x`), 410)
	own := vocabulary(f)
	f.Fuzz(func(t *testing.T, messages, tasks, other []byte, status int) {
		if status < 200 || status > 599 || status == http.StatusUnauthorized {
			return
		}
		h.new, h.other, h.status, h.asked = map[string][]byte{"Communication": messages, "Task": tasks}, other, status, 0
		answers, next, err := c.(his.Answerer).Answers(t.Context(), "")
		if err != nil {
			speaksNoWordOf(t, own, err)
		}
		size := len(messages) + len(tasks) + len(other)
		require.LessOrEqual(t, len(next), 32<<10, "the place where it goes on")
		require.LessOrEqual(t, h.asked, 100+size, "requests")
		total := 0
		for _, a := range answers {
			passable(t, a)
			total += len(a.Text) + len(a.Author.Name)
			for _, file := range a.Attachments {
				total += int(file.Size)
			}
		}
		require.LessOrEqual(t, total, 100*(size+100))
	})
}

// passable is what must hold of every answer, whoever wrote it.
func passable(t *testing.T, a his.Answer) {
	t.Helper()
	require.NotContains(t, []his.Role{his.RolePatient, his.RoleBridge}, a.Author.Role)
	require.False(t, strings.ContainsAny(a.Author.Name, "\n\u202e"), "%q", a.Author.Name)
	require.True(t, utf8.ValidString(a.Text) && utf8.ValidString(a.Author.Name))
	if a.Withdrawn {
		require.Empty(t, a.Text)
		return
	}
	require.NotEqual(t, uuid.Nil, a.ID)
	require.LessOrEqual(t, len(a.Reference), 1000)
	if a.Problem != "" {
		require.Contains(t, his.Problems(), a.Problem)
		require.Empty(t, a.Text)
		require.Empty(t, a.Attachments)
		return
	}
	require.NotEmpty(t, a.Author.Name)
	require.True(t, a.Text != "" || len(a.Attachments) > 0)
}

var longWord = regexp.MustCompile(`\p{L}{4,}`)

// vocabulary is every word of our own sources: what our errors are made of.
func vocabulary(f *testing.F) map[string]bool {
	f.Helper()
	own := map[string]bool{}
	for _, pattern := range []string{"*.go", "rest/*.go"} {
		sources, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, path := range sources {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			source, err := os.ReadFile(path)
			require.NoError(f, err)
			for _, word := range longWord.FindAllString(string(source), -1) {
				own[word] = true
			}
		}
	}
	return own
}

// speaksNoWordOf holds that an error has no word, and no number of a patient, that came from elsewhere.
func speaksNoWordOf(t *testing.T, own map[string]bool, err error) {
	t.Helper()
	var network interface{ Timeout() bool }
	require.False(t, errors.As(err, &network), "the server of the test is there: %v", err)
	require.LessOrEqual(t, len(err.Error()), 16<<10)
	require.NotRegexp(t, `\d{9}`, err.Error())
	for _, word := range longWord.FindAllString(err.Error(), -1) {
		require.True(t, own[word], "%q in %q", word, err)
	}
}

func jsonOf(f *testing.F, value any) []byte {
	f.Helper()
	text, err := json.Marshal(value)
	require.NoError(f, err)
	return text
}
