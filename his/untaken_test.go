package his_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// Only what is certain is certain: of every other error the message may be in the record.
func TestWhatAServerSaysOfAMessageIsCertainOrNot(t *testing.T) {
	const fhirs, page, outcome = "application/fhir+json", "text/html", `{"resourceType":"OperationOutcome"}`
	for name, tt := range map[string]struct {
		status     int // of what the message is sent with; 0: cut off
		kind, body string
		alone      bool // without transactions
		certain    bool
	}{
		"refused":                           {422, fhirs, outcome, false, true},
		"too busy":                          {429, fhirs, outcome, false, true},
		"may not":                           {403, fhirs, outcome, false, true},
		"written meanwhile":                 {409, fhirs, outcome, false, true},
		"not all came in time":              {408, fhirs, outcome, false, false},
		"failed":                            {500, fhirs, outcome, false, false},
		"a page that refuses":               {422, page, "<html>", false, false},
		"a page of who has no server":       {502, page, "<html>", false, false},
		"cut off":                           {0, "", "", false, false},
		"half an answer":                    {200, fhirs, `{"resourceType":"Bundle"`, false, false},
		"refused, where all goes by itself": {422, fhirs, outcome, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			if tt.alone {
				f.can(false, true, true)
			}
			between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				writes := r.Method == http.MethodPost || r.Method == http.MethodPut
				if !writes || strings.HasSuffix(r.URL.Path, "_search") {
					f.ServeHTTP(w, r)
					return
				}
				if tt.status == 0 {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer between.Close()
			c := fhirAt(t, f, func(s *his.FHIR) { s.Base = between.URL + "/fhir" })
			_, err := c.File(t.Context(), histest.Message(1))
			require.Error(t, err)
			assert.Equal(t, tt.certain, his.Untaken(err), "%v", err)
		})
	}
}

func TestOfAServerThatCannotBeReachedNothingIsDoubted(t *testing.T) {
	for name, base := range map[string]string{"nobody is there": "http://127.0.0.1:1", "no such name": "https://his.invalid/fhir"} {
		t.Run(name, func(t *testing.T) {
			c, err := his.Open("fhir", his.Settings{FHIR: his.FHIR{Settings: rest.Settings{Base: base}}})
			require.NoError(t, err)
			_, err = c.File(t.Context(), histest.Message(1))
			assert.True(t, his.Untaken(err), "%v", err)
		})
	}
	c, err := rest.New(rest.Settings{Base: "http://127.0.0.1:1"})
	require.NoError(t, err)
	_, err = c.Do(t.Context(), rest.Request{Method: http.MethodPost, Body: rest.JSON([]byte("{}"))})
	assert.True(t, rest.Untaken(err), "%v", err)
	assert.False(t, his.Untaken(assert.AnError))
	assert.False(t, his.Untaken(nil))
}
