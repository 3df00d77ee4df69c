package his_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// A gateway stands before a FHIR server, and answers GETs itself where it says so.
type gateway struct {
	*httptest.Server
	instead func(path string) (status int, kind, body string) // nil: nowhere; 0: not here
}

func gatewayTo(t *testing.T, f *fakeFHIR) *gateway {
	t.Helper()
	to, err := url.Parse(f.URL)
	require.NoError(t, err)
	proxy, g := httputil.NewSingleHostReverseProxy(to), &gateway{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && g.instead != nil {
			if status, kind, body := g.instead(r.URL.Path); status != 0 {
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(status)
				fmt.Fprint(w, body)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// butForSearches is what a gateway says once the search has come through.
func butForSearches(status int, kind, body string) func(string) (int, string, string) {
	return func(path string) (int, string, string) {
		if strings.Count(path, "/") == 2 && !strings.HasSuffix(path, "/metadata") { // /fhir/Communication
			return 0, "", ""
		}
		return status, kind, body
	}
}

// The search came through, and then the server went away: what the gateway says is not that a
// question is not ours.
func TestNoAnswerIsPassedByBecauseAGatewayHasNoServer(t *testing.T) {
	for name, instead := range map[string]func(string) (int, string, string){
		"a page":              butForSearches(404, "text/html", "<html>404 page not found</html>"),
		"JSON":                butForSearches(404, "application/json", `{"message":"no Route matched with those values"}`),
		"a page that is fine": butForSearches(200, "text/html", "<html>Onderhoud</html>"),
		"another address":     butForSearches(302, "text/html", ""),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(true, true, true, allTypes...)
			g := gatewayTo(t, f)
			c := fhirAt(t, f, func(s *his.FHIR) { s.Base = g.URL + "/fhir" })
			fileIn(t, c, histest.Message(1))
			f.create("Communication", inThread(f.find("Communication", "")[0], nil))
			g.instead = instead
			_, _, err := c.(his.Answerer).Answers(t.Context(), "")
			require.Error(t, err, "it is read again, from where it was")
			g.instead = nil
			answers, _, err := c.(his.Answerer).Answers(t.Context(), "")
			require.NoError(t, err)
			require.Len(t, answers, 1)
			assert.Equal(t, "Dat is niet erg.", answers[0].Text)
		})
	}
}

func TestAServerThatSaysWithAPageThatSomethingIsGoneIsBelieved(t *testing.T) {
	f := newFakeFHIR(t)
	f.can(true, true, true, allTypes...)
	g := gatewayTo(t, f)
	c := fhirAt(t, f, func(s *his.FHIR) { s.Base = g.URL + "/fhir" })
	fileIn(t, c, histest.Message(1))
	header := f.find("Communication", "")[0]
	f.create("Communication", inThread("Communication/gone", nil))
	f.create("Communication", inThread(header, nil))
	g.instead = func(path string) (int, string, string) {
		if strings.HasSuffix(path, "/gone") {
			return 404, "text/html", "<html>"
		}
		return 0, "", ""
	}
	answers, _, err := c.(his.Answerer).Answers(t.Context(), "")
	require.NoError(t, err)
	assert.Len(t, answers, 1, "nothing behind it is held up")
}

// That a search fails is not that what is searched for is not there.
func TestAnAnswerByIdentifierIsNotPassedByBecauseASearchFails(t *testing.T) {
	f := newFakeFHIR(t)
	f.can(true, true, true, allTypes...)
	g := gatewayTo(t, f)
	c := fhirAt(t, f, func(s *his.FHIR) { s.Base = g.URL + "/fhir" })
	item := histest.Message(1)
	fileIn(t, c, item)
	about := object{"identifier": object{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:" + item.ID.String()}}
	f.create("Communication", inThread("", object{"partOf": nil, "inResponseTo": []any{about}}))
	searches := 0
	for _, status := range []int{500, 503} {
		f.failSearch = func(kind string, form url.Values) int {
			if kind != "Communication" || form.Get("identifier") == "" {
				return 0
			}
			searches++
			return status
		}
		_, _, err := c.(his.Answerer).Answers(t.Context(), "")
		require.Error(t, err)
		assert.Positive(t, searches)
	}
	f.failSearch = nil
	assert.Len(t, told(t, c), 1)
}

// A server that could not do transactions an hour ago does not get one because a gateway knows of no
// statement.
func TestWhatAServerCanIsNotForgottenWhileItIsAway(t *testing.T) {
	f := newFakeFHIR(t)
	f.can(false, true, true, allTypes...)
	g := gatewayTo(t, f)
	c := fhirAt(t, f, func(s *his.FHIR) { s.Base = g.URL + "/fhir" })
	fileIn(t, c, histest.Message(1))
	his.LastAsked(c, time.Now().Add(-2*time.Hour))
	g.instead = func(path string) (int, string, string) {
		if strings.HasSuffix(path, "/metadata") {
			return 404, "text/html", "<html>"
		}
		return 0, "", ""
	}
	fileIn(t, c, histest.Message(2))
	for _, asked := range f.asked {
		assert.NotEqual(t, "POST /fhir", strings.TrimSuffix(asked, "/"), "a transaction")
	}
}
