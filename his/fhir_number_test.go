package his_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/fhir"
)

const numbers = "https://his.example/patients"

func TestAPatientIsFoundByTheNumberOfTheHIS(t *testing.T) {
	for name, tt := range map[string]struct {
		system string // in the settings
		asked  string // of the server
		found  int
	}{
		"whose system is known":     {numbers, numbers + "|123456782", 1},
		"whose system is not known": {"", "123456782", 1},
		"that is of no system":      {"https://other.example", "https://other.example|123456782", 0},
	} {
		for _, ignores := range [][]string{nil, {"identifier"}} { // one that leaves out what it does not know
			t.Run(name, func(t *testing.T) {
				f := newFakeFHIR(t)
				f.ignores = ignores
				var asked []string
				f.failSearch = func(_ string, form url.Values) int { asked = append(asked, form.Get("identifier")); return 0 }
				for _, i := range []object{
					{"system": numbers, "value": "123456782"},
					{"system": fhir.SystemBSN, "value": "123456782"}, // whose BSN it is, has not that number
				} {
					f.create("Patient", object{"resourceType": "Patient", "birthDate": "1980-05-31", "name": []any{object{"family": "de Berg"}}, "identifier": []any{i}})
				}
				c := fhirAt(t, f, func(s *his.FHIR) { s.PatientSystem = tt.system })
				found, _, err := c.(his.Finder).Find(t.Context(), his.PatientQuery{Number: "123456782"})
				require.NoError(t, err)
				var confirmed []his.Patient
				for _, p := range found {
					if p.Number == "123456782" {
						confirmed = append(confirmed, p)
					}
				}
				assert.Len(t, confirmed, tt.found)
				require.NotEmpty(t, asked)
				assert.Equal(t, tt.asked, asked[0])
				for _, address := range f.asked {
					assert.NotContains(t, address, "123456782")
				}
			})
		}
	}
}

func TestAServerThatSaysThatItDoesNotSearchIsNotAsked(t *testing.T) {
	for does, refused := range map[string]bool{"read": true, "search-type": false, "": false} {
		f := newFakeFHIR(t)
		f.can(true, true, true, allTypes...)
		resources := f.statement["rest"].([]any)[0].(map[string]any)["resource"].([]any)
		for _, r := range resources {
			if r := r.(map[string]any); r["type"] == "Patient" && does != "" {
				r["interaction"] = []any{map[string]any{"code": "create"}, map[string]any{"code": does}}
			}
		}
		searched := 0
		f.failSearch = func(string, url.Values) int { searched++; return 0 }
		_, _, err := fhirAt(t, f, nil).(his.Finder).Find(t.Context(), his.PatientQuery{Number: "P-1"})
		if refused {
			require.ErrorIs(t, err, his.ErrRefused)
			assert.Zero(t, searched)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, 1, searched)
	}
}
