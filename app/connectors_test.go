package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/bridge"
	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/his/fhir"
)

func TestTheSettingsOfAFHIRServerReachTheConnector(t *testing.T) {
	s := fhirSettings(config.FHIR{
		URL: "https://his.example/fhir", Login: "smart", ClientID: "chat", SecretFile: "key.pem", TokenURL: "https://his.example/token",
		Scope: "system/*.cruds", KeyID: "k", CAFile: "ca.pem", CertFile: "c.pem", CertKeyFile: "k.pem",
		Profiles:      []string{"Task|https://his.example/task|1.0", "Task|https://his.example/work"},
		PatientSystem: "https://his.example/patients", MakePatients: true, NLCore: true, Tags: []string{"https://his.example/tags|chat"}, HookURL: "https://a.example/his/linde",
	})
	assert.Equal(t, "https://his.example/fhir", s.Base)
	assert.Equal(t, "smart", s.Auth.Type)
	assert.Equal(t, "key.pem", s.Auth.SecretFile)
	assert.Equal(t, "k.pem", s.TLS.KeyFile)
	assert.Equal(t, []fhir.Coding{{System: "https://his.example/tags", Code: "chat"}}, s.Tags)
	assert.Equal(t, map[string][]string{"Task": {"https://his.example/task|1.0", "https://his.example/work"}}, s.Profiles)
	assert.True(t, s.NLCore)
	assert.True(t, s.MakePatients)
	assert.Equal(t, "https://a.example/his/linde", s.HookURL)
}

func TestAKnockReachesThePracticesConnectorAndNobodyElses(t *testing.T) {
	i := &instance{bridge: &bridge.Bridge{}}
	for id, kind := range map[string]config.HIS{"linde": {Type: "fhir", FHIR: config.FHIR{URL: "http://127.0.0.1:1"}}, "eik": {Type: "folder", Path: t.TempDir()}} {
		c, err := openHIS(kind)
		require.NoError(t, err)
		i.bridge.Practices = append(i.bridge.Practices, bridge.Practice{Practice: care.Practice{ID: id}, System: bridge.System{Connector: c}})
	}
	crm, err := openHIS(config.HIS{Type: "fhir", FHIR: config.FHIR{URL: "http://127.0.0.1:2"}})
	require.NoError(t, err)
	i.bridge.Practices = append(i.bridge.Practices, bridge.Practice{
		Practice: care.Practice{ID: "beuk"}, System: i.bridge.Practices[0].System, CRM: &bridge.System{Connector: crm},
	})
	mux := http.NewServeMux()
	i.hooks(mux)
	for path, want := range map[string]int{
		"/his/linde": http.StatusUnauthorized, "/his/linde/Communication/1": http.StatusUnauthorized,
		"/his/eik": http.StatusNotFound, "/his/": http.StatusNotFound, "/crm/linde": http.StatusNotFound,
		"/crm/beuk": http.StatusUnauthorized, "/crm/beuk/Task/1": http.StatusUnauthorized,
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		assert.Equal(t, want, w.Code, path)
	}
}
