package conformance

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Fault takes a request in the place of the server, or lets it pass and spoils the answer.
// It says whether it did; pass forwards the request as it is.
type Fault func(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) (done bool)

// A Proxy stands between the connector and a server, and does what a network does.
type Proxy struct {
	URL string // of the FHIR base behind it

	mu    sync.Mutex
	fault Fault
	seen  []string // methods and addresses, in order
}

// NewProxy stands before a FHIR base until the test ends.
func NewProxy(t testing.TB, base string) *Proxy {
	t.Helper()
	target, err := url.Parse(base)
	require.NoError(t, err)
	p := &Proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", target.Host, r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { cut(w) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, r.Method+" "+r.URL.String())
		current := p.fault
		p.mu.Unlock()
		if current == nil || !current(w, r, forward.ServeHTTP) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL + target.Path
	return p
}

// Set has a fault happen to every request from now on; nil: none.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// With is Set until it is repaired.
func (p *Proxy) With(f Fault) (repair func()) {
	p.Set(f)
	return func() { p.Set(nil) }
}

// Seen are the methods and addresses that were asked for, in order.
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func cutBefore(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) bool {
	cut(w)
	return true
}

// cutAfter lets the server do it, and loses its answer.
func cutAfter(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
	pass(httptest.NewRecorder(), r)
	cut(w)
	return true
}

// half gives the first half of the answer.
func half(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
	whole := httptest.NewRecorder()
	pass(whole, r)
	w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
	w.Header().Set("Content-Length", whole.Header().Get("Content-Length"))
	w.WriteHeader(whole.Code)
	w.Write(whole.Body.Bytes()[:whole.Body.Len()/2]) //nolint:errcheck // it is cut anyway
	cut(w)
	return true
}

// status answers in the place of the server.
func status(code int, contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) bool {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		w.Write([]byte(body)) //nolint:errcheck // a test
		return true
	}
}

const outcome = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing","diagnostics":"HAPI-0550: Jan de Vries"}]}`

// wrongType does it, and answers in a language that is not FHIR.
func wrongType(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
	pass(httptest.NewRecorder(), r)
	return status(http.StatusOK, "text/html", "<html>Welkom</html>")(w, r, nil)
}

// A Trouble is something that can go wrong on the way.
type Trouble struct {
	Name  string
	Fault Fault
	Final bool // it says that what was sent is of no use: a person has to look at it
}

// Troubles are all that can go wrong on the way.
func Troubles() []Trouble {
	all := []Trouble{
		{Name: "cut before", Fault: cutBefore}, {Name: "cut after", Fault: cutAfter}, {Name: "half an answer", Fault: half},
		{Name: "wrong type", Fault: wrongType}, {Name: "hang", Fault: hang}, {Name: "429 for a second", Fault: busy},
	}
	for code, final := range map[int]bool{409: false, 412: true, 422: true, 429: false, 500: false, 502: false, 503: false, 504: false} {
		all = append(all, Trouble{fmt.Sprint(code), status(code, "application/fhir+json", outcome), final})
	}
	slices.SortFunc(all, func(a, b Trouble) int { return cmp.Compare(a.Name, b.Name) }) // so that a seed means the same again
	return append(all,
		Trouble{Name: "502 in HTML", Fault: status(502, "text/html", "<html>Bad Gateway</html>")},
		Trouble{Name: "400 in HTML", Fault: status(400, "text/html", "<html>Bad Request</html>")})
}

// busy wants to be left alone for a second.
func busy(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
	w.Header().Set("Retry-After", "1")
	return status(http.StatusTooManyRequests, "application/fhir+json", outcome)(w, r, nil)
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
	io.Copy(io.Discard, r.Body) //nolint:errcheck // only then is it noticed that the client has gone
	<-r.Context().Done()
	return true
}

// Writes says that a request is meant to change something.
func Writes(r *http.Request) bool {
	return r.Method == http.MethodPut || r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/x-www-form-urlencoded"
}

func onWrites(f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
		return Writes(r) && f(w, r, pass)
	}
}

// once lets a fault happen one time.
func once(f Fault) Fault {
	var done sync.Once
	return func(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) (did bool) {
		happens := false
		done.Do(func() { happens = true })
		return happens && f(w, r, pass)
	}
}
