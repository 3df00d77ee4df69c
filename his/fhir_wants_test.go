package his_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/loose"
)

// sentTo collects every resource that is sent, in a transaction or by itself.
func sentTo(f *fakeFHIR) (sent map[string][]loose.Resource) {
	sent = map[string][]loose.Resource{}
	add := func(r loose.Resource) { sent[r.Text("resourceType")] = append(sent[r.Text("resourceType")], r) }
	f.before = func(_ string, body map[string]any) {
		if body["type"] != "transaction" {
			add(body)
		}
		for _, e := range loose.Resource(body).List("entry") {
			add(e.At("resource").(map[string]any))
		}
	}
	return sent
}

// Servers refuse what lacks a tag or a profile that they want.
func TestWhatAServerWantsOnEverythingIsThere(t *testing.T) {
	nictiz := "http://nictiz.nl/fhir/StructureDefinition/nl-core-"
	want := map[string][]any{
		"Patient": {nictiz + "Patient"}, "RelatedPerson": {nictiz + "ContactPerson"},
		"Organization": {nictiz + "HealthcareProvider-Organization"}, "Practitioner": {nictiz + "HealthProfessional-Practitioner"},
		"PractitionerRole": {nictiz + "HealthProfessional-PractitionerRole", "https://his.example/role"},
		"Communication":    {"https://his.example/message", "https://his.example/chat|1.0"},
		"Task":             {"https://his.example/work"},
	}
	for name, transactions := range map[string]bool{"a transaction": true, "one by one": false} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(transactions, true, true, without("Binary")...)
			sent := sentTo(f)
			c := fhirAt(t, f, func(s *his.FHIR) {
				s.NLCore, s.Tags = true, []fhir.Coding{{System: "https://his.example/tags", Code: "chat"}}
				s.Profiles = map[string][]string{
					"Communication": {"https://his.example/message", "https://his.example/chat|1.0"}, "Task": {"https://his.example/work"},
					"PractitionerRole": {"https://his.example/role"},
				}
			})
			asked, answered := aboutAChild()
			fileIn(t, c, asked)
			fileIn(t, c, answered)
			for _, kind := range without("Binary") {
				require.NotEmpty(t, sent[kind], kind)
				for _, r := range sent[kind] {
					assert.Equal(t, "chat", r.Text("meta.tag.code"), kind)
					assert.Equal(t, "https://his.example/tags", r.Text("meta.tag.system"), kind)
					profiles, _ := r.At("meta.profile").([]any)
					assert.Equal(t, want[kind], profiles, kind)
				}
			}
		})
	}
}

func TestAPatientWithoutABSNIsFoundByTheNumberOfTheHIS(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, func(s *his.FHIR) { s.PatientSystem = "https://his.example/patients" })
	item := histest.Message(1)
	item.Conversation.Patient.BSN = ""
	fileIn(t, c, item)
	assert.Len(t, f.find("Patient", "identifier=https://his.example/patients|20417"), 1)
}
