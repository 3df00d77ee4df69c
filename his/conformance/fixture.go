package conformance

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// A Peer is a running server that can be emptied.
type Peer struct {
	Base    string           // the address of its FHIR base
	Empty   func(testing.TB) // takes everything out
	Streams bool             // histest.Fixture.Streams
}

// Connect opens the connector; a zero timeout is its own.
func Connect(t testing.TB, base string, timeout time.Duration) his.Connector {
	t.Helper()
	c, err := his.Open("fhir", his.Settings{FHIR: his.FHIR{Settings: rest.Settings{Base: base, Timeout: timeout}, MakePatients: true}})
	require.NoError(t, err)
	return c
}

// Fixture is the connector on an emptied peer, with a proxy in between.
func Fixture(t testing.TB, p Peer) histest.Fixture {
	t.Helper()
	p.Empty(t)
	between := NewProxy(t, p.Base)
	v := View{p.Base}
	return histest.Fixture{
		Connector: Connect(t, between.URL, 0),
		Filed:     v.filed,
		Break:     func(testing.TB) func() { return between.With(cutBefore) },
		Refuse: func(testing.TB) func() {
			return between.With(onWrites(status(http.StatusUnprocessableEntity, "application/fhir+json", outcome)))
		},
		Lose: func(testing.TB) { between.Set(onWrites(once(cutAfter))) },
		Stall: func(testing.TB) (asked, repair func()) {
			came := make(chan struct{}, 100)
			repair = between.With(func(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
				came <- struct{}{}
				return hang(w, r, pass)
			})
			return func() { <-came }, repair
		},
		Interrupt: func(t testing.TB, item his.Item, step int) (his.Connector, bool) {
			return interrupt(t, between, item, step)
		},
		Streams:  p.Streams,
		Answer:   v.answer,
		Reported: v.reported,
		State:    v.state,
		SetState: v.setState,
		Know:     v.Know,
	}
}

// interrupt lets step/2 requests pass and then dies: before the next one at an even step,
// after the server has done it at an odd one.
func interrupt(t testing.TB, between *Proxy, item his.Item, step int) (his.Connector, bool) {
	t.Helper()
	var mu sync.Mutex // requests come on goroutines of their own
	left, died := step/2, false
	deadly := map[bool]Fault{true: cutBefore, false: cutAfter}[step%2 == 0]
	repair := between.With(func(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
		mu.Lock()
		left--
		dies := left < 0
		died = died || dies
		mu.Unlock()
		return dies && deadly(w, r, pass)
	})
	Connect(t, between.URL, 0).File(t.Context(), item) //nolint:errcheck // it dies
	repair()
	mu.Lock()
	defer mu.Unlock()
	return Connect(t, between.URL, 0), died
}

// message finds what the server calls a filed item.
func (v View) message(t testing.TB, item his.Item) Resource {
	return v.One(t, "Communication", item.ID)
}

// answer writes an answer to a filed item.
func (v View) answer(t testing.TB, w histest.Written) {
	t.Helper()
	message := v.message(t, w.InReplyTo)
	if w.Subject != "" {
		found := v.All(t, "Patient", url.Values{"identifier": {"http://fhir.nl/fhir/NamingSystem/bsn|" + w.Subject}})
		require.Len(t, found, 1)
		message["subject"] = Resource{"reference": "Patient/" + found[0].Text("id")}
	}
	v.Answer(t, message, w)
}

// Answer writes a Communication in response to another one and about its subject, as a member of
// staff does in the HIS.
func (v View) Answer(t testing.TB, to Resource, w histest.Written) (reference string) {
	t.Helper()
	who := v.Create(t, Resource{"resourceType": "Practitioner", "name": []any{Resource{"text": w.Author.Name}}})
	role := v.Create(t, Resource{"resourceType": "PractitionerRole", "practitioner": Resource{"reference": who}, "code": []any{Resource{"text": string(w.Author.Role)}}})
	status := map[bool]string{true: "preparation", false: "completed"}[w.Draft]
	return v.Create(t, Resource{
		"resourceType": "Communication", "status": status, "subject": to.At("subject"), "sent": time.Now().UTC().Format(time.RFC3339Nano),
		"inResponseTo": []any{Resource{"reference": "Communication/" + to.Text("id")}},
		"sender":       Resource{"reference": role}, "payload": []any{Resource{"contentString": w.Text}},
	})
}

func (v View) reported(t testing.TB, a his.Answer) his.Delivery {
	t.Helper()
	r := v.Get(t, a.Reference)
	switch {
	case r.Text("status") == "stopped" && r.Text("statusReason.text") != "":
		return his.DeliveryFailed
	case r.Text("status") == "completed" && r.Text("received") != "":
		return his.DeliveryDelivered
	}
	return ""
}

var states = map[string]his.Status{"requested": his.StatusRequested, "in-progress": his.StatusOpen, "completed": his.StatusClosed}

func (v View) state(t testing.TB, c his.Conversation) his.Status {
	t.Helper()
	return states[v.One(t, "Task", c.ID).Text("status")]
}

func (v View) setState(t testing.TB, c his.Conversation, want his.Status) {
	t.Helper()
	task := v.One(t, "Task", c.ID)
	for said, meant := range states {
		if meant == want {
			task["status"] = said
		}
	}
	status, answer := v.Do(t, http.MethodPut, "Task/"+task.Text("id"), task)
	require.Equal(t, http.StatusOK, status, "%v", answer)
}

// Know adds a patient.
func (v View) Know(t testing.TB, p his.Patient) {
	t.Helper()
	v.Create(t, Resource{
		"resourceType": "Patient", "birthDate": p.BirthDate.Format(time.DateOnly),
		"name": []any{Resource{"family": p.LastName, "given": []any{p.FirstName}}},
		"identifier": []any{
			Resource{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": p.BSN},
			Resource{"use": "usual", "value": p.Number},
		},
	})
}
