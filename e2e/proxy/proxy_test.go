package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/proxy"
)

// An end is a homeserver or a bridge that writes down what it was asked.
type end struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	more  chan struct{}
}

func newEnd(t *testing.T) *end {
	e := &end{more: make(chan struct{}, 100)}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.asked = append(e.asked, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization")+" "+string(body))
		e.mu.Unlock()
		w.Header().Set("X-From", "the end")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "taken")
		e.more <- struct{}{}
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *end) seen() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.asked...)
}

func start(t *testing.T) (p *proxy.Proxy, homeserver, bridge *end) {
	t.Helper()
	homeserver, bridge = newEnd(t), newEnd(t)
	var ports [2]int
	for i := range ports {
		port, err := harness.FreePort()
		require.NoError(t, err)
		ports[i] = port
	}
	p, err := proxy.Start(homeserver.URL, bridge.URL, ports[0], ports[1])
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p, homeserver, bridge
}

const (
	sendPath        = "/_matrix/client/v3/rooms/!a:b/send/m.room.message/t1"
	transactionPath = "/_matrix/app/v1/transactions/7"
)

func ask(t *testing.T, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"?x=1%2F2", strings.NewReader("words"))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer t")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body), nil
}

func TestWithoutTroubleItOnlyPassesOn(t *testing.T) {
	p, homeserver, bridge := start(t)
	for _, way := range []struct {
		address, path string
		to            *end
	}{{p.ForBridge(), sendPath, homeserver}, {p.ForHomeserver(), transactionPath, bridge}} {
		resp, body, err := ask(t, way.address+way.path)
		require.NoError(t, err)
		assert.Equal(t, http.StatusAccepted, resp.StatusCode)
		assert.Equal(t, "the end", resp.Header.Get("X-From"))
		assert.Equal(t, "taken", body)
		assert.Equal(t, []string{"PUT " + way.path + "?x=1%2F2 Bearer t words"}, way.to.seen())
	}
	assert.Empty(t, p.Counts())
}

// What each trouble is for who asks, and how often the request arrives.
func TestEveryTroubleIsWhatItsNameSays(t *testing.T) {
	for _, c := range []struct {
		fault    proxy.Fault
		status   int // 0 = the connection is cut
		body     string
		arrivals int
	}{
		{proxy.Delay, http.StatusAccepted, "taken", 1},
		{proxy.CutBefore, 0, "", 0},
		{proxy.CutAfter, 0, "", 1},
		{proxy.TooMany, http.StatusTooManyRequests, `"retry_after_ms":`, 0},
		{proxy.BadGateway, http.StatusBadGateway, "502", 0},
		{proxy.GatewayTimeout, http.StatusGatewayTimeout, "504", 1},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			p, homeserver, _ := start(t)
			p.Make(proxy.Plan{Seed: 1, Share: 1, Faults: []proxy.Fault{c.fault}, Classes: []proxy.Class{proxy.Send}})
			resp, body, err := ask(t, p.ForBridge()+sendPath)
			if c.status == 0 {
				assert.Error(t, err)
			} else {
				require.NoError(t, err)
				assert.Equal(t, c.status, resp.StatusCode)
				assert.Contains(t, body, c.body)
			}
			assert.Len(t, homeserver.seen(), c.arrivals)
			assert.Equal(t, map[string]int{"send: " + string(c.fault): 1}, p.Counts())
		})
	}
}

func TestATransactionComesTwice(t *testing.T) {
	p, _, bridge := start(t)
	p.Make(proxy.Plan{Seed: 1, Share: 1, Faults: []proxy.Fault{proxy.Double}})
	resp, _, err := ask(t, p.ForHomeserver()+transactionPath)
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, resp.StatusCode)
	assert.Len(t, bridge.seen(), 2)
}

func TestATransactionIsOvertaken(t *testing.T) {
	p, _, bridge := start(t)
	p.Make(proxy.Plan{Seed: 1, Share: 1, Faults: []proxy.Fault{proxy.Reorder}})
	resp, _, err := ask(t, p.ForHomeserver()+transactionPath+"1")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	p.Make(proxy.Plan{})
	_, _, err = ask(t, p.ForHomeserver()+transactionPath+"2")
	require.NoError(t, err)
	<-bridge.more
	<-bridge.more
	require.GreaterOrEqual(t, len(bridge.seen()), 2)
	assert.Contains(t, bridge.seen()[0], transactionPath+"2")
	assert.Contains(t, bridge.seen()[1], transactionPath+"1")
}

func TestTroubleKeepsToItsShareAndClassesAndItsSeed(t *testing.T) {
	hits := func(seed uint64) (all []int) {
		p, _, _ := start(t)
		p.Make(proxy.Plan{Seed: seed, Share: 0.3, Faults: []proxy.Fault{proxy.BadGateway}, Classes: []proxy.Class{proxy.Send}})
		for i := range 40 {
			resp, _, err := ask(t, p.ForBridge()+sendPath)
			require.NoError(t, err)
			if resp.StatusCode == http.StatusBadGateway {
				all = append(all, i)
			}
			resp, _, err = ask(t, p.ForBridge()+"/_matrix/client/v3/keys/upload")
			require.NoError(t, err)
			assert.Equal(t, http.StatusAccepted, resp.StatusCode, "another class")
		}
		return all
	}
	first := hits(7)
	assert.InDelta(t, 12, len(first), 8)
	assert.Equal(t, first, hits(7))
	assert.NotEqual(t, first, hits(8))
}

func TestTheOtherSideIsAway(t *testing.T) {
	p, homeserver, _ := start(t)
	homeserver.Close()
	_, _, err := ask(t, p.ForBridge()+sendPath)
	assert.ErrorIs(t, err, io.EOF, "cut, as if there were no proxy")
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		method, path string
		want         proxy.Class
	}{
		{"PUT", sendPath, proxy.Send},
		{"PUT", transactionPath, proxy.Transaction},
		{"GET", "/_matrix/client/v3/sync", proxy.Sync},
		{"PUT", "/_matrix/client/v3/rooms/!a:b/redact/$e/t", proxy.Redact},
		{"PUT", "/_matrix/client/v3/rooms/!a:b/state/m.room.name/", proxy.State},
		{"GET", "/_matrix/client/v3/rooms/!a:b/state", proxy.Other},
		{"POST", "/_matrix/client/v3/createRoom", proxy.State},
		{"POST", "/_matrix/media/v3/upload", proxy.Media},
		{"GET", "/_matrix/client/v1/media/download/a/b", proxy.Media},
		{"POST", "/_matrix/client/v3/keys/claim", proxy.Keys},
		{"PUT", "/_matrix/client/v3/sendToDevice/m.room.encrypted/t", proxy.Keys},
		{"GET", "/_matrix/client/v3/account/whoami", proxy.Other},
	} {
		assert.Equal(t, c.want, proxy.ClassOf(c.method, c.path), c.path)
	}
}
