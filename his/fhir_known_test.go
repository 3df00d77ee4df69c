package his_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// A number that was typed wrongly makes no second record: staff hear of it.
func TestAPatientWhomTheServerDoesNotHaveIsNotMade(t *testing.T) {
	const numbers = "https://his.example/patients"
	derde := func(i *his.Item) { i.Conversation.Derde = histest.Child(histest.ChildPatient()) }
	for name, tt := range map[string]struct {
		change func(*his.Item)
		system string
		number string
	}{
		"by BSN":               {func(*his.Item) {}, "http://fhir.nl/fhir/NamingSystem/bsn", "999990019"},
		"by number":            {func(i *his.Item) { i.Conversation.Patient.BSN = "" }, numbers, "20417"},
		"whom it is about":     {derde, "http://fhir.nl/fhir/NamingSystem/bsn", "123456782"},
		"with one by one only": {func(*his.Item) {}, "http://fhir.nl/fhir/NamingSystem/bsn", "999990019"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(!strings.HasPrefix(name, "with"), true, true, allTypes...)
			c := fhirAt(t, f, func(s *his.FHIR) { s.MakePatients, s.PatientSystem = false, numbers })
			item, more := histest.Message(1), histest.Message(2)
			tt.change(&item)
			tt.change(&more)
			_, err := c.File(t.Context(), item)
			require.ErrorIs(t, err, his.ErrRefused)
			why, _ := his.WhyRefused(err)
			assert.Equal(t, "nobody", why)
			assert.Empty(t, f.order, "nothing is made")

			f.create("Patient", object{"resourceType": "Patient", "identifier": []any{object{"system": tt.system, "value": tt.number}}})
			fileIn(t, c, item)
			asked := f.searches("Patient")
			fileIn(t, c, more)
			assert.Equal(t, asked, f.searches("Patient"), "who was there is not asked about again")
			assert.Len(t, f.find("Patient", ""), 1)

			wrong := histest.Message(3)
			tt.change(&wrong)
			if d := wrong.Conversation.Derde; d != nil {
				d.Patient.BSN = "999990019"
			} else {
				wrong.Conversation.Patient.BSN = "123456782"
			}
			_, err = c.File(t.Context(), wrong)
			require.ErrorIs(t, err, his.ErrRefused, "the number is known, and the BSN is another's")
			assert.Len(t, f.find("Patient", ""), 1)
		})
	}
}

func (f *fakeFHIR) searches(kind string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, asked := range f.asked {
		if strings.HasSuffix(asked, kind+"/_search") {
			n++
		}
	}
	return n
}
