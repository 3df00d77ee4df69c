package his_test

import (
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

// A look is somebody who asks for answers, and remembers how far.
type look struct {
	testing.TB
	c     his.Connector
	since string
}

// texts are what is new, and whether something has to wait.
func (l *look) texts() (all []string, behind bool) {
	l.Helper()
	answers, next, err := l.c.(his.Answerer).Answers(l.Context(), l.since)
	if err != nil {
		require.ErrorIs(l, err, his.ErrBehind)
	}
	l.since = next
	for _, a := range answers {
		all = append(all, a.Text)
	}
	return all, err != nil
}

// settled are what is new, when nothing has to wait.
func (l *look) settled() []string {
	l.Helper()
	all, behind := l.texts()
	require.False(l, behind)
	return all
}

// twoRecords is a server with a conversation of each of two patients, and how an answer is written in each.
func twoRecords(t *testing.T, f *fakeFHIR, c his.Connector) (answer func(patient int, text, sender string) string) {
	t.Helper()
	var headers, patients []string
	for n := range 2 {
		item := histest.Message(n + 1)
		item.Conversation.ID = uuid.NewSHA1(item.Conversation.ID, []byte{byte(n)})
		item.Conversation.Number += int64(n)
		item.Conversation.Patient.Number, item.Conversation.Patient.BSN = fmt.Sprint(n+1), ""
		fileIn(t, c, item)
		headers = append(headers, f.find("Communication", "")[2*n])
		patients = append(patients, f.find("Patient", "")[n])
	}
	return func(patient int, text, sender string) string {
		more := object{"subject": ref(patients[patient]), "payload": []any{object{"contentString": text}}}
		if sender != "" {
			more["sender"] = ref(sender)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.create("Communication", inThread(headers[patient], more)).path()
	}
}

func TestAnAnswerThatTheServerFailsAtHoldsUpOnlyItsOwnRecord(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	f.put("Practitioner/sick", "", object{"resourceType": "Practitioner", "name": []any{object{"text": "P. Bakker"}}})
	f.sick = map[string]int{"Practitioner/sick": 500}
	answer := twoRecords(t, f, c)
	answer(0, "een", "Practitioner/sick")
	answer(0, "twee", "")
	answer(1, "drie", "")
	l := &look{t, c, ""}
	all, behind := l.texts()
	assert.Equal(t, []string{"drie"}, all)
	assert.True(t, behind)

	answer(0, "vier", "")
	answer(1, "vijf", "")
	all, behind = l.texts()
	assert.Subset(t, []string{"drie", "vijf"}, all, "what was read a moment ago may come again")
	assert.Contains(t, all, "vijf")
	assert.True(t, behind)

	l.c = fhirAt(t, f, nil) // after a restart
	f.sick = nil
	var got []string
	for _, text := range l.settled() {
		if text != "drie" && text != "vijf" {
			got = append(got, text)
		}
	}
	assert.Equal(t, []string{"een", "twee", "vier"}, got, "in their order, once")
	assert.NotContains(t, l.since, "held")
}

func TestOneMomentOfTroubleHoldsUpNothing(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	f.put("Practitioner/sick", "", object{"resourceType": "Practitioner", "name": []any{object{"text": "P. Bakker"}}})
	answer := twoRecords(t, f, c)
	answer(0, "een", "Practitioner/sick")
	failed := false
	g := gatewayTo(t, f)
	c = fhirAt(t, f, func(s *his.FHIR) { s.Base = g.URL + "/fhir" })
	g.instead = func(path string) (int, string, string) {
		if failed || !strings.HasSuffix(path, "/sick") {
			return 0, "", ""
		}
		failed = true
		return 500, "application/fhir+json", `{"resourceType":"OperationOutcome"}`
	}
	assert.Equal(t, []string{"een"}, (&look{t, c, ""}).settled())
	assert.True(t, failed)
}

func TestWhatIsTakenAwayWhileItIsHeldIsOver(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	f.sick = map[string]int{"Practitioner/sick": 500}
	answer := twoRecords(t, f, c)
	path := answer(0, "een", "Practitioner/sick")
	answer(0, "twee", "")
	l := &look{t, c, ""}
	all, behind := l.texts()
	assert.Empty(t, all)
	assert.True(t, behind)
	f.sick[path] = 403 // not ours to see for a moment: it may come back
	all, behind = l.texts()
	assert.Empty(t, all)
	assert.True(t, behind)
	f.sick[path] = 410
	assert.Equal(t, []string{"twee"}, l.settled())
}

func TestAnOutputThatTheServerFailsAtIsHeldToo(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	answer := twoRecords(t, f, c)
	f.put("Practitioner/sick", "", object{"resourceType": "Practitioner", "name": []any{object{"text": "P. Bakker"}}})
	f.sick = map[string]int{"Practitioner/sick": 500}
	tasks := f.find("Task", "")
	task := f.newest(tasks[0])
	task["owner"] = ref("Practitioner/sick")
	task["output"] = []any{object{"type": object{"text": "Antwoord"}, "valueString": "een"}}
	f.put(tasks[0], "", task)
	answer(1, "twee", "")
	l := &look{t, c, ""}
	all, behind := l.texts()
	assert.Equal(t, []string{"twee"}, all)
	assert.True(t, behind)
	f.sick = nil
	assert.Contains(t, l.settled(), "een")
}

// Who fails at much is not well: no more is read, and nothing is lost when it is well again.
func TestAServerThatFailsAtMuchIsReadOnFromWhereItWas(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	answer := twoRecords(t, f, c)
	f.put("Practitioner/sick", "", object{"resourceType": "Practitioner", "name": []any{object{"text": "P. Bakker"}}})
	f.sick = map[string]int{"Practitioner/sick": 500}
	l := &look{t, c, ""}
	var want []string
	for _, batch := range []int{30, 30, 10} {
		for range batch {
			want = append(want, fmt.Sprint(len(want)))
			answer(0, want[len(want)-1], "Practitioner/sick")
		}
		all, behind := l.texts()
		assert.Empty(t, all)
		assert.True(t, behind)
	}
	f.sick = nil
	var got []string
	for _, text := range l.settled() {
		if !slices.Contains(got, text) { // what was read may come again
			got = append(got, text)
		}
	}
	assert.Equal(t, want, got, "in their order")
}

func TestWhatComesAfterWhatIsHeldWaitsAnHour(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	answer := twoRecords(t, f, c)
	f.sick = map[string]int{"Practitioner/sick": 500}
	answer(0, "een", "Practitioner/sick")
	answer(0, "twee", "")
	l := &look{t, c, ""}
	all, _ := l.texts()
	assert.Empty(t, all)
	l.since = his.HeldSince(l.since, time.Now().Add(-time.Hour-time.Second))
	all, behind := l.texts()
	assert.Equal(t, []string{"twee"}, all)
	assert.True(t, behind)
	answer(0, "drie", "")
	all, _ = l.texts()
	assert.Contains(t, all, "drie")
}

// Somebody has to look at what cannot be read for days.
func TestWhatCannotBeReadForDaysIsForStaff(t *testing.T) {
	for _, status := range []int{500, 403} {
		f := newFakeFHIR(t)
		c := fhirAt(t, f, nil)
		answer := twoRecords(t, f, c)
		f.sick = map[string]int{"Practitioner/sick": 500}
		path := answer(0, "een", "Practitioner/sick")
		l := &look{t, c, ""}
		_, behind := l.texts()
		assert.True(t, behind)
		f.sick[path] = status
		answers, next, err := c.(his.Answerer).Answers(t.Context(), his.HeldSince(l.since, time.Now().Add(-73*time.Hour)))
		require.NoError(t, err)
		require.Len(t, answers, 1)
		assert.NotEmpty(t, answers[0].Problem)
		assert.Equal(t, path, answers[0].Reference)
		l.since = next
		assert.Empty(t, l.settled(), "they have been told")
		answer(0, "twee", "")
		assert.Equal(t, []string{"twee"}, l.settled())
	}
}

// What stands still for another reason does not keep back what is held.
func TestWhatIsHeldComesAlsoWhenSomethingElseCannotBeRead(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	answer := twoRecords(t, f, c)
	f.put("Practitioner/sick", "", object{"resourceType": "Practitioner", "name": []any{object{"text": "P. Bakker"}}})
	f.sick = map[string]int{"Practitioner/sick": 500, "Practitioner/worse": 500}
	answer(0, "een", "Practitioner/sick")
	l := &look{t, c, ""}
	_, behind := l.texts()
	assert.True(t, behind)
	f.create("Communication", inThread(f.find("Communication", "")[0], object{"sender": ref("Practitioner/worse")})) // of nobody
	delete(f.sick, "Practitioner/sick")
	all, behind := l.texts()
	assert.Equal(t, []string{"een"}, all)
	assert.True(t, behind)
	assert.NotContains(t, l.since, "Patient", "the address may be the patient's number")
}

// A request that hangs is ended; nobody else waits for it.
func TestAnAnswerThatHangsHoldsUpOnlyItsOwnRecord(t *testing.T) {
	f := newFakeFHIR(t)
	answer := twoRecords(t, f, fhirAt(t, f, nil))
	to, err := url.Parse(f.URL)
	require.NoError(t, err)
	proxy, over := httputil.NewSingleHostReverseProxy(to), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/slow") {
			<-over
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(over) })
	c := fhirAt(t, f, func(s *his.FHIR) { s.Base, s.Timeout = slow.URL+"/fhir", time.Second })
	answer(0, "een", "Practitioner/slow")
	answer(1, "twee", "")
	all, behind := (&look{t, c, ""}).texts()
	assert.Equal(t, []string{"twee"}, all)
	assert.True(t, behind)
}
