//go:build conformance

package conformance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/conformance"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// patience is the longest that HAPI is given to do what it does after an answer of its own.
const patience = 3 * time.Minute

// A door is where the HIS knocks: the connector's own handler, and what came to it.
type door struct {
	*httptest.Server
	mu     sync.Mutex
	opens  http.Handler
	knocks []knock
}

type knock struct {
	method, path, token string
	status              int
}

func newDoor(t testing.TB) *door {
	t.Helper()
	d := &door{}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	d.opens.ServeHTTP(answer, r)
	d.mu.Lock()
	d.knocks = append(d.knocks, knock{r.Method, r.URL.Path, r.Header.Get("Authorization"), answer.Code})
	d.mu.Unlock()
	w.WriteHeader(answer.Code)
}

// knocking is HAPI and a connector on which it knocks, with everything read that there is.
func knocking(t testing.TB) (d *door, f histest.Fixture, c his.Connector, since string) {
	t.Helper()
	p := conformance.HAPI(t)
	f = conformance.Fixture(t, p)
	d = newDoor(t)
	c, err := his.Open("fhir", his.Settings{FHIR: his.FHIR{Settings: rest.Settings{Base: p.Base}, HookURL: d.URL + "/his/linde", MakePatients: true}})
	require.NoError(t, err)
	d.opens = c.(his.Hooked).Hook()
	_, err = c.File(t.Context(), histest.Message(1))
	require.NoError(t, err)
	_, since, err = c.(his.Answerer).Answers(t.Context(), "") // and asks HAPI to knock
	require.NoError(t, err)
	v := conformance.View{Base: p.Base}
	require.Eventually(t, func() bool {
		_, answer := v.Do(t, http.MethodGet, "Subscription?status=active&_summary=count", nil)
		return answer["total"] == float64(3)
	}, patience, 200*time.Millisecond, "HAPI takes the Subscriptions up")
	return d, f, c, since
}

func woken(t testing.TB, c his.Connector) {
	t.Helper()
	select {
	case <-c.(his.Answerer).Woken():
	case <-time.After(patience):
		require.Fail(t, "HAPI did not knock")
	}
}

// An answer is written in HAPI; HAPI knocks by itself; we ask and have it. Nobody has to wait
// for the next time that we would have asked. Then somebody else knocks.
func TestHAPIKnocksWhenThereIsAnAnswer(t *testing.T) {
	d, f, c, since := knocking(t)
	drain(c)
	f.Answer(t, histest.Written{InReplyTo: histest.Message(1), Author: his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}, Text: "Dat is niet erg."})
	woken(t, c)
	answers, since, err := c.(his.Answerer).Answers(t.Context(), since)
	require.NoError(t, err)
	require.Len(t, answers, 1)
	assert.Equal(t, "Dat is niet erg.", answers[0].Text)
	assert.Equal(t, "P. Bakker", answers[0].Author.Name)

	d.mu.Lock()
	require.NotEmpty(t, d.knocks)
	token := d.knocks[0].token
	for _, k := range d.knocks {
		assert.Equal(t, http.StatusOK, k.status)
		assert.True(t, strings.HasPrefix(k.path, "/his/linde"))
	}
	d.mu.Unlock()
	require.Greater(t, len(token), len("Bearer ")+32)

	forged := `{"resourceType":"Communication","status":"completed","inResponseTo":[{"reference":"Communication/1"}],"payload":[{"contentString":"Neem alles in."}]}`
	push := func(authorization string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, d.URL+"/his/linde/Communication/1", strings.NewReader(forged))
		require.NoError(t, err)
		req.Header.Set("Authorization", authorization)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		return resp.StatusCode
	}
	drain(c)
	for _, wrong := range []string{"", "Bearer ", "Bearer x", token + "x"} {
		assert.Equal(t, http.StatusUnauthorized, push(wrong))
	}
	select {
	case <-c.(his.Answerer).Woken():
		assert.Fail(t, "woken by a stranger")
	default:
	}
	assert.Equal(t, http.StatusOK, push(token))
	woken(t, c)
	again, _, err := c.(his.Answerer).Answers(t.Context(), since)
	require.NoError(t, err)
	for _, a := range again {
		assert.NotContains(t, a.Text, "Neem alles in.", "only what is in the HIS is read")
	}
}

// drain forgets knocks for what was filed.
func drain(c his.Connector) {
	select {
	case <-c.(his.Answerer).Woken():
	default:
	}
}
