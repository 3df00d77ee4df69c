package appservice

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cutter stands before a homeserver and breaks the connection at a chosen request: the
// homeserver has carried it out, and its answer is lost.
type cutter struct {
	*httptest.Server
	left atomic.Int64 // requests that still get their answer; below zero none do
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	to, err := url.Parse(target)
	require.NoError(t, err)
	c := &cutter{}
	c.left.Store(1 << 40)
	proxy := httputil.NewSingleHostReverseProxy(to)
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.left.Add(-1) >= 0 {
			proxy.ServeHTTP(w, r)
			return
		}
		if c.left.Load() == -1 {
			proxy.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(c.Close)
	return c
}

// cutAfter lets n requests through, loses the answer to the next, and refuses all others.
func (c *cutter) cutAfter(n int) { c.left.Store(int64(n)) }
