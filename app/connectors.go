package app

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// openHIS makes the connector that the settings ask for.
func openHIS(c config.HIS) (his.Connector, error) {
	dir, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("his.path: %w", err)
	}
	return his.Open(c.Type, his.Settings{
		Dir: dir, FHIR: fhirSettings(c.FHIR), Edifact: his.Edifact{Sender: c.Sender, Receiver: c.Receiver},
	})
}

func fhirSettings(c config.FHIR) his.FHIR {
	s := his.FHIR{
		Settings: rest.Settings{
			Base: c.URL,
			Auth: rest.Auth{
				Type: c.Login, ClientID: c.ClientID, SecretFile: c.SecretFile, KeyID: c.KeyID, TokenURL: c.TokenURL, Scope: c.Scope,
			},
			TLS: rest.TLS{CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.CertKeyFile},
		},
		PatientSystem: c.PatientSystem, MakePatients: c.MakePatients, NLCore: c.NLCore, HookURL: c.HookURL,
		Profiles: map[string][]string{},
	}
	for _, profile := range c.Profiles {
		kind, address, _ := strings.Cut(profile, "|")
		s.Profiles[kind] = append(s.Profiles[kind], address)
	}
	for _, tag := range c.Tags {
		system, code, _ := strings.Cut(tag, "|")
		s.Tags = append(s.Tags, fhir.Coding{System: system, Code: code})
	}
	return s
}

// hooks are where systems knock when they have something to say: /his/ and the practice's id, and
// for its system of what is not care /crm/ and that id.
func (i *instance) hooks(mux *http.ServeMux) {
	for _, p := range i.bridge.Practices {
		hook(mux, "/his/"+p.ID, p.Connector)
		if p.CRM != nil {
			hook(mux, "/crm/"+p.ID, p.CRM.Connector)
		}
	}
}

// hook also takes what is below its path: a knock with a resource comes to its address.
func hook(mux *http.ServeMux, at string, c his.Connector) {
	if hooked, can := c.(his.Hooked); can {
		mux.Handle(at, hooked.Hook())
		mux.Handle(at+"/", hooked.Hook())
	}
}
