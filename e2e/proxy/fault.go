package proxy

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"
)

// A Class is what a request is for.
type Class string

// The classes. A transaction is the one thing that the homeserver asks of the bridge.
const (
	Send        Class = "send"
	Redact      Class = "redact"
	State       Class = "state"
	Sync        Class = "sync"
	Media       Class = "media"
	Keys        Class = "keys"
	Transaction Class = "transaction"
	Other       Class = "other"
)

// A sign is what tells a class: a part of the path. The first that fits counts; of a
// method other than its own ("" = any) none does.
var signs = []struct {
	method, part string
	class        Class
}{
	{"", "/_matrix/app/v1/transactions/", Transaction},
	{"", "/sync", Sync},
	{"", "/media/", Media},
	{"", "/keys/", Keys},
	{"", "/sendToDevice/", Keys},
	{http.MethodPut, "/redact/", Redact},
	{http.MethodPut, "/send/", Send},
	{http.MethodPut, "/state/", State},
	{http.MethodPost, "/createRoom", State},
	{http.MethodPost, "/invite", State},
	{http.MethodPost, "/join", State},
	{http.MethodPost, "/leave", State},
	{http.MethodPost, "/kick", State},
}

// ClassOf says what a request is for.
func ClassOf(method, path string) Class {
	for _, s := range signs {
		if (s.method == "" || s.method == method) && strings.Contains(path, s.part) {
			return s.class
		}
	}
	return Other
}

// A Fault is a kind of trouble.
type Fault string

// The kinds. Double and Reorder are for transactions only; others get the next best thing.
const (
	Delay          Fault = "delay"      // the request is held up for up to a second
	CutBefore      Fault = "cut before" // it never arrives, and the connection is cut
	CutAfter       Fault = "cut after"  // it is taken, and the answer is lost
	TooMany        Fault = "429"        // refused for now, with the time to wait
	BadGateway     Fault = "502"        // never arrives
	GatewayTimeout Fault = "504"        // it is taken, and the gateway did not wait for the answer
	Double         Fault = "double"     // it arrives twice
	Reorder        Fault = "reorder"    // it is said to have arrived, and does so after later ones
)

// All are the kinds of trouble.
var All = []Fault{Delay, CutBefore, CutAfter, TooMany, BadGateway, GatewayTimeout, Double, Reorder}

// longestDelay is below what any client waits for an answer.
const longestDelay = time.Second

func (p Plan) choose(class Class, random *rand.Rand) (Fault, time.Duration) {
	if len(p.Faults) == 0 || len(p.Classes) > 0 && !slices.Contains(p.Classes, class) || random.Float64() >= p.Share {
		return "", 0
	}
	fault := p.Faults[random.IntN(len(p.Faults))]
	if (fault == Double || fault == Reorder) && class != Transaction {
		fault = Delay
	}
	return fault, time.Duration(random.Int64N(int64(longestDelay)))
}

// troubles is what each fault does with a request.
var troubles = map[Fault]func(*Proxy, exchange){
	"": (*Proxy).plainly,
	Delay: func(p *Proxy, e exchange) {
		p.pause(e.r.Context(), e.wait)
		p.plainly(e)
	},
	CutBefore: func(*Proxy, exchange) { panic(http.ErrAbortHandler) },
	CutAfter: func(p *Proxy, e exchange) {
		_, _, _ = p.pass(e) // whatever the answer was, it is lost
		panic(http.ErrAbortHandler)
	},
	TooMany: func(p *Proxy, e exchange) {
		body := fmt.Sprintf(`{"errcode":"M_LIMIT_EXCEEDED","error":"too many requests","retry_after_ms":%d}`, e.wait.Milliseconds()/2)
		say(e, http.StatusTooManyRequests, "application/json", body)
	},
	BadGateway: func(p *Proxy, e exchange) {
		say(e, http.StatusBadGateway, "text/html", "<html><body>502 Bad Gateway</body></html>")
	},
	GatewayTimeout: func(p *Proxy, e exchange) {
		_, _, _ = p.pass(e)
		say(e, http.StatusGatewayTimeout, "text/html", "<html><body>504 Gateway Time-out</body></html>")
	},
	Double: func(p *Proxy, e exchange) {
		_, _, _ = p.pass(e)
		p.plainly(e)
	},
	Reorder: (*Proxy).later,
}

func (p *Proxy) plainly(e exchange) {
	answer, data, err := p.pass(e)
	back(e, answer, data, err)
}

// later tells the homeserver that a transaction has arrived, and brings it after a while, by
// when later ones have overtaken it. It brings it until it is taken.
func (p *Proxy) later(e exchange) {
	held := e
	held.r = e.r.Clone(p.over)
	held.w = httptest.NewRecorder() // nobody listens to that answer
	p.pending.Go(func() {
		for p.over.Err() == nil {
			p.pause(p.over, e.wait)
			if answer, _, err := p.pass(held); err == nil && answer.StatusCode/100 == 2 {
				return
			}
		}
	})
	say(e, http.StatusOK, "application/json", "{}")
}

func say(e exchange, status int, contentType, body string) {
	e.w.Header().Set("Content-Type", contentType)
	e.w.WriteHeader(status)
	_, _ = e.w.Write([]byte(body))
}
