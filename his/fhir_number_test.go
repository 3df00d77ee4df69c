package his_test

import (
	"errors"
	"net/url"
	"slices"
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

// A number that is not used any more, and a record that became part of another, are nobody's.
func TestNobodyIsFoundInARecordThatIsNotUsed(t *testing.T) {
	old := object{"system": numbers, "value": "111", "use": "old"}
	now := object{"system": numbers, "value": "222"}
	for name, tt := range map[string]struct {
		patient object
		asked   string
		found   int
	}{
		"the number of today":       {object{"identifier": []any{now, old}}, "222", 1},
		"also beside another":       {object{"identifier": []any{now, object{"system": numbers, "value": "333"}}}, "222", 1},
		"a number of before":        {object{"identifier": []any{now, old}}, "111", 0},
		"a record that is closed":   {object{"identifier": []any{now}, "active": false}, "222", 0},
		"a record that was merged":  {object{"identifier": []any{now}, "link": []any{object{"type": "replaced-by", "other": object{"reference": "Patient/1"}}}}, "222", 0},
		"a record that took others": {object{"identifier": []any{now}, "link": []any{object{"type": "replaces", "other": object{"reference": "Patient/1"}}}}, "222", 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			tt.patient["resourceType"], tt.patient["birthDate"], tt.patient["name"] = "Patient", "1980-05-31", []any{object{"family": "de Berg"}}
			f.create("Patient", tt.patient)
			for _, system := range []string{numbers, ""} {
				found, _, err := fhirAt(t, f, func(s *his.FHIR) { s.PatientSystem = system }).(his.Finder).Find(t.Context(), his.PatientQuery{Number: tt.asked})
				require.NoError(t, err)
				found = slices.DeleteFunc(found, func(p his.Patient) bool { return p.Number != tt.asked })
				assert.Len(t, found, tt.found, system)
			}
		})
	}
}

// What a proxy says, or a login that fails, does not mean that nobody may look.
func TestOnlyTheServerItselfSaysThatNobodyMayLook(t *testing.T) {
	for status, shut := range map[int]bool{403: true, 405: true, 501: true, 400: false, 401: false, 500: false, 503: false} {
		f := newFakeFHIR(t)
		f.failSearch = func(string, url.Values) int { return status }
		_, _, err := fhirAt(t, f, nil).(his.Finder).Find(t.Context(), his.PatientQuery{Number: "P-1"})
		require.Error(t, err)
		assert.Equal(t, shut, errors.Is(err, his.ErrNoLookUp), "%d: %v", status, err)
	}
}
