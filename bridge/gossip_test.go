package bridge

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// refusesAloud is a FHIR server that refuses whatever is sent and repeats it, with the login.
func refusesAloud(t *testing.T, status int) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"t0ken","token_type":"bearer","expires_in":300}`)
		case r.Method == http.MethodGet:
			w.WriteHeader(http.StatusNotFound)
		default:
			said := fmt.Sprint(r.Header, string(body))
			issue := map[string]any{"severity": "error", "code": said, "diagnostics": said, "expression": strings.Fields(said)}
			text, _ := json.Marshal(map[string]any{"resourceType": "OperationOutcome", "issue": []any{issue}})
			w.Header().Set("Content-Type", rest.MediaType)
			w.WriteHeader(status)
			_, _ = w.Write(text)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// The log is at its most talkative level here. 422 is a refusal, of which staff get a card with
// the reason; 500 is tried again.
func TestWhatAHISRepeatsOfAPatientIsInNoLogAndOnNoCard(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("g3heim"), 0o600))
	for _, status := range []int{http.StatusUnprocessableEntity, http.StatusInternalServerError} {
		s := refusesAloud(t, status)
		connector, err := his.Open("fhir", his.Settings{FHIR: his.FHIR{Settings: rest.Settings{
			Base: s.URL + "/fhir", Auth: rest.Auth{Type: "oauth2", ClientID: "chat", SecretFile: secret, TokenURL: s.URL + "/token"},
		}}})
		require.NoError(t, err)
		w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = connector })
		w.talking(anna, "kanarie")
		require.Contains(t, w.log.String(), fmt.Sprintf("the FHIR server answered %d", status))
		if status == http.StatusUnprocessableEntity {
			require.NotEmpty(t, w.cards())
		}
		for _, private := range []string{"kanarie", "Anneke", "Berg", "4711", "612345678", "anneke@", "1980-05-31", "t0ken", "g3heim", "Bearer"} {
			assert.NotContains(t, w.log.String(), private)
			for _, said := range w.said(w.balie()) {
				if strings.Contains(said, ": een bericht van gesprek") {
					assert.NotContains(t, said, private)
				}
			}
		}
	}
}
