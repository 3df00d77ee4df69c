package conformance

import (
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

// Faults are all that can go wrong on the way.
func Faults() []Fault {
	all := []Fault{cutBefore, cutAfter, half, wrongType, hang}
	for _, code := range []int{409, 412, 422, 429, 500, 502, 503, 504} {
		all = append(all, status(code, "application/fhir+json", outcome))
	}
	return append(all, status(502, "text/html", "<html>Bad Gateway</html>"), status(400, "text/html", "<html>Bad Request</html>"))
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
	io.Copy(io.Discard, r.Body) //nolint:errcheck // only then is it noticed that the client has gone
	<-r.Context().Done()
	return true
}

// writes says that a request is meant to change something.
func writes(r *http.Request) bool {
	return r.Method == http.MethodPut || r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/x-www-form-urlencoded"
}

func onWrites(f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
		return writes(r) && f(w, r, pass)
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
