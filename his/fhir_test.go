package his_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/conformance"
	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

var allTypes = []string{
	"Patient", "RelatedPerson", "Organization", "Practitioner", "PractitionerRole", "Task", "Communication",
	"Consent", "DocumentReference", "Binary", "Provenance", "AuditEvent", "Device",
}

// without is all types but one.
func without(kind string) []string {
	return slices.DeleteFunc(slices.Clone(allTypes), func(k string) bool { return k == kind })
}

// Every kind of server passes the whole suite: what it cannot do is done for it.
func fhirConforms(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*fakeFHIR)
	}{
		{"a server that tells nothing", func(*fakeFHIR) {}},
		{"a server that can do everything", func(f *fakeFHIR) { f.can(true, true, true, allTypes...) }},
		{"a server without transactions", func(f *fakeFHIR) { f.can(false, true, true, allTypes...) }},
		{"a server without Device", func(f *fakeFHIR) { f.can(true, true, true, without("Device")...) }},
		{"a server that makes things twice", func(f *fakeFHIR) { f.can(true, false, true, allTypes...) }},
		{"a server that cannot search by time", func(f *fakeFHIR) { f.noUpdated = true }},
		{"a server without Binary", func(f *fakeFHIR) {
			f.can(true, true, true, without("Binary")...)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			histest.Run(t, func(t testing.TB) histest.Fixture {
				f := newFakeFHIR(t)
				tt.change(f)
				fixture := conformance.Fixture(t, conformance.Peer{Base: f.URL + "/fhir", Empty: f.empty})
				fixture.Largest = 1 << 20
				return fixture
			})
		})
	}
}

func fhirAt(t testing.TB, f *fakeFHIR, change func(*his.FHIR)) his.Connector {
	t.Helper()
	s := his.FHIR{Settings: rest.Settings{Base: f.URL + "/fhir"}, MakePatients: true}
	if change != nil {
		change(&s)
	}
	c, err := his.Open("fhir", his.Settings{FHIR: s})
	require.NoError(t, err)
	return c
}

func fileIn(t testing.TB, c his.Connector, item his.Item) his.Receipt {
	t.Helper()
	r, err := c.File(t.Context(), item)
	require.NoError(t, err)
	return r
}

func TestTheBSNIsInNoAddress(t *testing.T) {
	for _, single := range []bool{false, true} {
		f := newFakeFHIR(t)
		f.can(!single, !single, true, allTypes...)
		c := fhirAt(t, f, nil)
		fileIn(t, c, histest.Message(1))
		_, _, err := c.(his.Finder).Find(t.Context(), his.PatientQuery{BSN: "999990019"})
		require.NoError(t, err)
		for _, asked := range f.asked {
			assert.NotContains(t, asked, "999990019")
			assert.NotContains(t, asked, "Vries")
		}
	}
}

// The server gives pages of two, and the address of the next repeats what was looked for.
func TestOfManyPatientsTheFirstPageIsGivenAndNoneIsChosen(t *testing.T) {
	f := newFakeFHIR(t)
	f.can(false, false, true, allTypes...)
	for range 3 {
		f.create("Patient", map[string]any{"resourceType": "Patient", "name": []any{map[string]any{"family": "de Vries"}}, "identifier": []any{
			map[string]any{"system": fhir.SystemBSN, "value": "999990019"}}})
	}
	c := fhirAt(t, f, nil)
	found, more, err := c.(his.Finder).Find(t.Context(), his.PatientQuery{BSN: "999990019"})
	require.NoError(t, err)
	assert.Len(t, found, 2)
	assert.True(t, more)
	_, err = c.File(t.Context(), histest.Message(1))
	require.ErrorIs(t, err, his.ErrRefused)
	for _, asked := range f.asked {
		assert.NotContains(t, asked, "999990019")
	}
}

// A server says it wherever it is asked something: when it tells what it can do, when it takes an
// item, and when it is asked for answers.
func TestHowLongABusyServerWantsToBeLeftAloneIsPassedOn(t *testing.T) {
	f := newFakeFHIR(t)
	busyAt := ""
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Method+r.URL.Path, busyAt) {
			w.Header().Set("Retry-After", "300")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		f.ServeHTTP(w, r)
	}))
	defer between.Close()
	for _, busyAt = range []string{"metadata", "POST", "GET"} {
		c := fhirAt(t, f, func(s *his.FHIR) { s.Base = between.URL + "/fhir" })
		_, err := c.File(t.Context(), histest.Message(1))
		assert.Equal(t, 5*time.Minute, his.RetryAfter(err), busyAt)
		assert.NotErrorIs(t, err, his.ErrRefused)
		_, _, err = c.(his.Answerer).Answers(t.Context(), "")
		if busyAt == "POST" {
			assert.Equal(t, 5*time.Minute, his.RetryAfter(err), busyAt)
		}
	}
	assert.Zero(t, his.RetryAfter(nil))
	assert.Zero(t, his.RetryAfter(his.ErrRefused))
}

// Answers that a server gives which is not well: none of them is taken for success.
func TestAnAnswerThatDoesNotTellOfEveryEntryIsNone(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":         `{}`,
		"another Bundle":  `{"resourceType":"Bundle","entry":[]}`,
		"half of it":      `{"resourceType":"Bundle","entry":[{"response":{"status":"201"}}]}`,
		"no JSON":         `<html>`,
		"a resource":      `{"resourceType":"Patient"}`,
		"one that failed": failedEntry(9),
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/fhir+json")
				if r.Method == http.MethodGet {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				_, _ = w.Write([]byte(body))
			}))
			defer s.Close()
			c, err := his.Open("fhir", his.Settings{FHIR: his.FHIR{Settings: rest.Settings{Base: s.URL}, MakePatients: true}})
			require.NoError(t, err)
			_, err = c.File(t.Context(), histest.Message(1))
			require.Error(t, err)
			assert.Equal(t, name == "one that failed", isRefused(err), "%v", err)
			histest.Discreet(t, err, histest.Message(1))
		})
	}
}

// failedEntry is a success of which the last entry is none: some servers do that.
func failedEntry(entries int) string {
	all := strings.Repeat(`{"response":{"status":"201 Created","location":"Task/1"}},`, entries-2)
	return `{"resourceType":"Bundle","entry":[` + all + `{"response":{"status":"412 Precondition Failed"}}]}`
}

func isRefused(err error) bool { return strings.Contains(err.Error(), "refused") }

func TestCheckSaysWhatAServerLacks(t *testing.T) {
	f := newFakeFHIR(t)
	f.can(true, true, true, "Patient", "Communication")
	assert.EqualError(t, fhirAt(t, f, nil).Check(t.Context()), "fhir server: the FHIR server does not suit: it has no Organization, Practitioner, Task, DocumentReference")
	f.can(true, true, true, allTypes...)
	f.statement["fhirVersion"] = "5.0.0"
	assert.EqualError(t, fhirAt(t, f, nil).Check(t.Context()), `fhir server: the FHIR server does not suit: it speaks FHIR "5.0.0", and we speak 4.0.1`)
}

// Nothing can be filed about a patient who cannot be looked for: that is seen before somebody writes.
func TestAServerThatDoesNotLetUsLookForPatientsIsNotWell(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	require.NoError(t, c.Check(t.Context()))
	f.failSearch = func(kind string, _ url.Values) int { return map[string]int{"Patient": 403}[kind] }
	require.ErrorContains(t, c.Check(t.Context()), "look for a patient: the FHIR server answered 403")
}

func TestOnlyWhoKnowsTheTokenCanWake(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, func(s *his.FHIR) { s.HookURL = "https://spreekkamer.example/his/linde" })
	a := c.(his.Answerer)
	_, _, err := a.Answers(t.Context(), "")
	require.NoError(t, err)
	subscriptions := f.find("Subscription", "")
	require.Len(t, subscriptions, 3)
	channel := f.newest(subscriptions[0])["channel"].(map[string]any)
	assert.Equal(t, "https://spreekkamer.example/his/linde", channel["endpoint"])
	token := strings.TrimPrefix(channel["header"].([]any)[0].(string), "Authorization: ")
	for _, tt := range []struct {
		method, token string
		want          int
	}{
		{"POST", "", 401}, {"POST", "Bearer x", 401}, {"DELETE", token, 405}, {"PUT", token, 200}, {"POST", token, 200},
	} {
		r := httptest.NewRequest(tt.method, "/his/linde/Communication/1", strings.NewReader(`{"payload":"Stuur alle patiënten een bericht"}`))
		r.Header.Set("Authorization", tt.token)
		w := httptest.NewRecorder()
		c.(his.Hooked).Hook().ServeHTTP(w, r)
		assert.Equal(t, tt.want, w.Code, "%s %s", tt.method, tt.token)
	}
	<-a.Woken()
	select {
	case <-a.Woken():
		assert.Fail(t, "two knocks are one waking")
	default:
	}
	none, _, err := a.Answers(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, none, "what comes with a knock is not read")
}

func TestAnOutputOfTheTaskIsAnAnswer(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	item := histest.Message(1)
	fileIn(t, c, item)
	path := f.find("Task", "")[0]
	task := f.newest(path)
	task["output"] = []any{map[string]any{"type": map[string]any{"text": "Antwoord"}, "valueString": "Dat is niet erg."}}
	f.put(path, "", task)
	a := c.(his.Answerer)
	all, _, err := a.Answers(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, "Dat is niet erg.", all[0].Text)
	assert.Equal(t, "Huisartsenpraktijk De Linde", all[0].Author.Name)
	assert.Equal(t, item.Conversation.ID, all[0].Conversation)
	for _, d := range []his.Delivery{his.DeliveryReceived, his.DeliveryDelivered} {
		require.NoError(t, a.Report(t.Context(), his.Report{Reference: all[0].Reference, Delivery: d, At: time.Now()}))
	}
	assert.Equal(t, "Antwoord afgeleverd bij de patiënt", f.newest(path)["businessStatus"].(map[string]any)["text"])
	again, _, err := a.Answers(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, all[0].ID, again[0].ID)
}

func TestFilesOfAnAnswerAreReadFromTheServerOnly(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { assert.Fail(t, "it was asked") }))
	defer elsewhere.Close()
	for _, tt := range []struct {
		name    string
		payload map[string]any
		problem his.Problem
	}{
		{"inside", map[string]any{"contentAttachment": map[string]any{"contentType": "text/plain", "data": "aGFsbG8=", "title": "a.txt"}}, ""},
		{"in a Binary", map[string]any{"contentAttachment": map[string]any{"contentType": "text/plain", "url": "Binary/b1"}}, ""},
		{"in a document", map[string]any{"contentReference": map[string]any{"reference": "DocumentReference/d1"}}, ""},
		{"elsewhere", map[string]any{"contentAttachment": map[string]any{"url": elsewhere.URL + "/fhir/Binary/b1"}}, his.ProblemFileElsewhere},
		{"gone", map[string]any{"contentAttachment": map[string]any{"url": "Binary/none"}}, his.ProblemFileMissing},
		{"a document that is gone", map[string]any{"contentReference": map[string]any{"reference": "DocumentReference/none"}}, his.ProblemFileMissing},
		{"broken", map[string]any{"contentAttachment": map[string]any{"data": "%%%"}}, his.ProblemFileUnreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.put("Binary/b1", "", map[string]any{"resourceType": "Binary", "contentType": "text/plain", "data": "aGFsbG8="})
			f.put("DocumentReference/d1", "", map[string]any{"resourceType": "DocumentReference", "content": []any{map[string]any{"attachment": map[string]any{"url": "Binary/b1"}}}})
			c := fhirAt(t, f, nil)
			fileIn(t, c, histest.Message(1))
			header := f.find("Communication", "")[0]
			f.create("Communication", map[string]any{
				"resourceType": "Communication", "status": "completed", "partOf": []any{map[string]any{"reference": header}},
				"sender": map[string]any{"display": "P. Bakker"}, "payload": []any{tt.payload},
			})
			all, _, err := c.(his.Answerer).Answers(t.Context(), "")
			require.NoError(t, err)
			require.Len(t, all, 1)
			assert.Equal(t, tt.problem, all[0].Problem)
			assert.Len(t, all[0].Attachments, map[bool]int{true: 1, false: 0}[tt.problem == ""])
		})
	}
}

// The stand-in has no transactions that fight; HAPI does (his/conformance).
func TestNothingIsLostOrDoubledInAStorm(t *testing.T) {
	f := newFakeFHIR(t)
	conformance.Storm(t, conformance.Peer{Base: f.URL + "/fhir", Empty: f.empty}, 40, time.Second/5, 7)
}
