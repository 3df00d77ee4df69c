package his

import (
	"context"
	"slices"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// nlCore are the Dutch profiles (Nictiz, nl-core) of what we send.
var nlCore = map[string]string{
	"Patient":          "nl-core-Patient",
	"RelatedPerson":    "nl-core-ContactPerson",
	"Practitioner":     "nl-core-HealthProfessional-Practitioner",
	"PractitionerRole": "nl-core-HealthProfessional-PractitionerRole",
	"Organization":     "nl-core-HealthcareProvider-Organization",
}

const nictiz = "http://nictiz.nl/fhir/StructureDefinition/"

// bundle is the item's Bundle as this server can take it.
func (s *fhirServer) bundle(ctx context.Context, item Item, can *capabilities) (fhir.Bundle, error) {
	b, err := mapping{patientSystem: s.settings.PatientSystem, lacks: can.lacking()}.bundle(item)
	if err != nil {
		return b, err
	}
	change := s.keepTheirs
	if item.Kind == KindMistake {
		change = s.markMistaken
	}
	if err := change(ctx, item, &b); err != nil {
		return b, err
	}
	if !can.puts("Binary") {
		b.Entry = inlined(b.Entry)
	}
	b.Entry = slices.DeleteFunc(b.Entry, func(e fhir.Entry) bool {
		kind := e.Resource.Kind()
		return (kind == "Provenance" || kind == "AuditEvent") && !can.puts(kind)
	})
	for i, e := range b.Entry {
		if _, theirs := e.Resource.(fhir.Raw); !theirs {
			b.Entry[i].Meta = s.meta(e.Resource.Kind())
		}
	}
	return b, nil
}

// meta is what the server wants on a resource; nil: nothing.
func (s *fhirServer) meta(kind string) *fhir.Meta {
	m := fhir.Meta{Tag: s.settings.Tags}
	if profile := nlCore[kind]; s.settings.NLCore && profile != "" {
		m.Profile = []string{nictiz + profile}
	}
	m.Profile = append(m.Profile, s.settings.Profiles[kind]...)
	if len(m.Profile) == 0 && len(m.Tag) == 0 {
		return nil
	}
	return &m
}

// inlined puts the data of each Binary in the DocumentReference that points at it.
func inlined(entries []fhir.Entry) (kept []fhir.Entry) {
	data := map[string]fhir.Binary{}
	for _, e := range entries {
		if binary, is := e.Resource.(fhir.Binary); is {
			data["Binary/"+binary.ID] = binary
		}
	}
	for _, e := range entries {
		switch r := e.Resource.(type) {
		case fhir.Binary:
			continue
		case fhir.DocumentReference:
			if binary, ours := data[r.Content[0].Attachment.URL]; ours {
				e.Resource = fhir.Inline{DocumentReference: r, Data: binary}
			}
		}
		kept = append(kept, e)
	}
	return kept
}
