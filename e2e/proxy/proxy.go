// Package proxy stands between Spreekkamer and its homeserver, in both directions, and makes
// trouble there as a network does: it holds requests up, cuts them before or after they were
// taken, answers in the place of the other side, and doubles and reorders transactions. Which
// request gets which trouble comes from a seeded random source, so that a run can be repeated
// as far as two programs and a network can be.
package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Plan says how much trouble there is. The zero Plan is none.
type Plan struct {
	Seed    uint64
	Share   float64 // of the requests that are in trouble, from 0 to 1
	Faults  []Fault // one of these each time; empty = no trouble
	Classes []Class // only these; empty = every class
}

// A Proxy is one that runs.
type Proxy struct {
	toHomeserver, toBridge string // addresses, without a slash at the end
	servers                []*http.Server
	addresses              []string
	client                 *http.Client
	pending                sync.WaitGroup // transactions that come later
	over                   context.Context
	stop                   context.CancelFunc

	mu     sync.Mutex
	plan   Plan
	random *rand.Rand
	counts map[string]int
}

// Start starts a proxy without trouble on two free ports of the loopback address: one that the
// bridge takes for the homeserver, one that the homeserver takes for the bridge. The ports are
// the caller's, as are the addresses of the two.
func Start(homeserver, bridge string, portForBridge, portForHomeserver int) (*Proxy, error) {
	p := &Proxy{toHomeserver: homeserver, toBridge: bridge, counts: map[string]int{}}
	p.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}, CheckRedirect: asItComes}
	p.over, p.stop = context.WithCancel(context.Background())
	p.Make(Plan{})
	for _, side := range []struct {
		port    int
		handler http.HandlerFunc
	}{{portForBridge, p.fromBridge}, {portForHomeserver, p.fromHomeserver}} {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", side.port))
		if err != nil {
			p.Stop()
			return nil, fmt.Errorf("proxy: %w", err)
		}
		server := &http.Server{Handler: side.handler, ReadHeaderTimeout: time.Minute}
		p.servers, p.addresses = append(p.servers, server), append(p.addresses, "http://"+listener.Addr().String())
		go func() { _ = server.Serve(listener) }() // ends at Stop
	}
	return p, nil
}

func asItComes(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ForBridge is the homeserver's address in the bridge's eyes.
func (p *Proxy) ForBridge() string { return p.addresses[0] }

// ForHomeserver is the bridge's address in the homeserver's eyes.
func (p *Proxy) ForHomeserver() string { return p.addresses[1] }

// Make changes how much trouble there is from now on.
func (p *Proxy) Make(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.random = plan, rand.New(rand.NewPCG(plan.Seed, plan.Seed))
}

// Counts is how often each trouble was made in each class so far: "send: cut after".
func (p *Proxy) Counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

// Stop ends the proxy. It may be called again.
func (p *Proxy) Stop() {
	p.stop()
	for _, server := range p.servers {
		_ = server.Close()
	}
	p.pending.Wait()
	p.client.CloseIdleConnections()
}

// choose is the trouble that a request gets, and how long it takes where it takes time.
func (p *Proxy) choose(class Class) (Fault, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fault, wait := p.plan.choose(class, p.random)
	if fault != "" {
		p.counts[string(class)+": "+string(fault)]++
	}
	return fault, wait
}

func (p *Proxy) fromBridge(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, p.toHomeserver)
}

func (p *Proxy) fromHomeserver(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, p.toBridge)
}

// serve passes a request on and its answer back, unless there is trouble.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, to string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	fault, wait := p.choose(ClassOf(r.Method, r.URL.Path))
	troubles[fault](p, exchange{w: w, r: r, body: body, to: to, wait: wait})
}

// An exchange is a request that came, and where it goes.
type exchange struct {
	w    http.ResponseWriter
	r    *http.Request
	body []byte
	to   string
	wait time.Duration
}

// pass sends a request on. What was sent is handled, also when the sender dies meanwhile: only
// questions (GET) end with who asked.
func (p *Proxy) pass(e exchange) (*http.Response, []byte, error) {
	ctx := e.r.Context()
	if e.r.Method != http.MethodGet {
		ctx = context.WithoutCancel(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, e.r.Method, e.to+e.r.URL.RequestURI(), bytes.NewReader(e.body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = e.r.Header.Clone()
	req.Header.Del("Connection")
	req.Header.Set("Accept-Encoding", "identity")
	req.ContentLength = int64(len(e.body))
	answer, err := p.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return answer, data, err
}

// back gives an answer to who asked; without one the connection is cut, as it was for us.
func back(e exchange, answer *http.Response, data []byte, err error) {
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header {
		if name != "Content-Length" && name != "Connection" && name != "Transfer-Encoding" {
			e.w.Header()[name] = values
		}
	}
	e.w.WriteHeader(answer.StatusCode)
	_, _ = e.w.Write(data)
}

// pause waits, unless the proxy or who asked ends.
func (p *Proxy) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-p.over.Done():
	}
}
