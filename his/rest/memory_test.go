package rest_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// A few bytes may unfold to any number: what is read of an answer is bounded after that.
func TestAnAnswerThatUnfoldsWithoutEndIsCutOff(t *testing.T) {
	const once, times = 32 << 20, 32 // 1 GB
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	_, err := w.Write(bytes.Repeat([]byte(" "), once))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", rest.MediaType)
		w.Header().Set("Content-Encoding", "gzip")
		for range times {
			if _, err := w.Write(member.Bytes()); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	c, err := rest.New(rest.Settings{Base: server.URL})
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = c.Do(t.Context(), rest.Request{Method: http.MethodGet, Path: "Patient/1"})
	runtime.ReadMemStats(&after)
	assert.ErrorIs(t, err, rest.CodeTooLarge)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(once*times)/2)
}
