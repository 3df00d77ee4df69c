package his_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
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

// An answer that the server fails at holds up what is behind it in the same conversation, and nothing
// else. A server that fails at everything is not asked for all of it.
func TestAnAnswerThatTheServerFailsAtHoldsUpNoOther(t *testing.T) {
	for fails, want := range map[int][]string{1: {"Antwoord 1"}, 50: nil} {
		t.Run(fmt.Sprint(fails, " times"), func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(true, true, true, allTypes...)
			c := fhirAt(t, f, nil)
			f.sick = map[string]int{"Practitioner/sick": 500}
			says := func(text string, more object) {
				headers := slices.DeleteFunc(f.find("Communication", ""), func(path string) bool { return f.newest(path)["partOf"] != nil })
				more["payload"] = []any{object{"contentString": text}}
				f.create("Communication", inThread(headers[len(headers)-1], more))
			}
			for n := range fails + 1 {
				fileIn(t, c, elsewhere(n))
				if n < fails {
					says("Mislukt", object{"sender": ref("Practitioner/sick")})
					says("Daarachter", object{})
				} else {
					says(fmt.Sprint("Antwoord ", n), object{})
				}
			}
			given := func() (all []string, since string, err error) {
				answers, since, err := c.(his.Answerer).Answers(t.Context(), "")
				for _, a := range answers {
					all = append(all, a.Text)
				}
				return all, since, err
			}
			got, since, err := given()
			assert.Equal(t, want != nil, errors.Is(err, his.ErrPartly), "%v", err)
			assert.Empty(t, since, "all is read again")
			assert.Equal(t, want, got)
			f.store("Practitioner/sick", object{"resourceType": "Practitioner", "id": "sick", "name": []any{object{"text": "P. Bakker"}}})
			f.sick = nil
			got, _, err = given()
			require.NoError(t, err)
			assert.Len(t, got, 2*fails+1)
		})
	}
}

// What is behind a broken answer waits, however it says what it answers, and an output of the Task too;
// also what was read before a broken output, since it may have been written after it.
func TestWhatIsBehindABrokenAnswerWaits(t *testing.T) {
	const hello = "In de taak."
	output := func(more object) []any {
		more["type"] = object{"text": "Antwoord"}
		return []any{more}
	}
	for name, breaks := range map[string]func(f *fakeFHIR, header, message string, task object){
		"its author": func(f *fakeFHIR, header, message string, task object) {
			f.create("Communication", inThread(header, object{"sender": ref("Practitioner/sick")}))
			f.create("Communication", inThread(header, object{"partOf": nil, "inResponseTo": []any{ref(message)}}))
			task["output"] = output(object{"valueString": hello})
		},
		"what it answers": func(f *fakeFHIR, header, _ string, task object) {
			about := f.newest(header)["subject"]
			f.create("Communication", inThread("Communication/sick", object{"subject": about}))
			f.create("Communication", inThread(header, object{"subject": about}))
			task["output"] = output(object{"valueString": hello})
		},
		"an output": func(f *fakeFHIR, header, _ string, task object) {
			f.create("Communication", inThread(header, nil))
			task["output"] = append(output(object{"valueReference": ref("Communication/sick")}), output(object{"valueString": hello})...)
		},
		"what the work is about": func(f *fakeFHIR, _, _ string, task object) {
			task["focus"] = ref("Communication/sick")
			task["output"] = output(object{"valueString": hello})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(true, true, true, allTypes...)
			c := fhirAt(t, f, nil)
			fileIn(t, c, histest.Message(1))
			mine := f.find("Communication", "")
			other := elsewhere(7)
			other.Conversation.Patient.BSN, other.Conversation.Patient.Number = "", "777"
			fileIn(t, c, other)
			f.sick = map[string]int{"Practitioner/sick": 500, "Communication/sick": 500}
			breaks(f, mine[0], mine[1], f.newest(f.find("Task", "")[0]))
			f.create("Communication", inThread(f.find("Communication", "")[2], object{"payload": []any{object{"contentString": "Bij een ander."}}}))
			answers, since, err := c.(his.Answerer).Answers(t.Context(), "")
			require.ErrorIs(t, err, his.ErrPartly)
			assert.Empty(t, since, "all is read again")
			require.Len(t, answers, 1)
			assert.Equal(t, "Bij een ander.", answers[0].Text)
		})
	}
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
	f.failSearch = func(kind string, form url.Values) int {
		if kind != "Communication" || form.Get("identifier") == "" {
			return 0
		}
		searches++
		return 503
	}
	_, _, err := c.(his.Answerer).Answers(t.Context(), "")
	require.Error(t, err)
	assert.NotErrorIs(t, err, his.ErrPartly)
	assert.Positive(t, searches)
	f.failSearch = nil
	assert.Len(t, told(t, c), 1)
}

// elsewhere is a message in a conversation of its own.
func elsewhere(n int) his.Item {
	item := histest.Message(n + 1)
	item.Conversation.ID, item.Conversation.Number = uuid.NewSHA1(item.Conversation.ID, []byte{byte(n)}), int64(n+1)
	return item
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
