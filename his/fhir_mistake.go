package his

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// people are the types of a Bundle that stay when what they said does not belong there; and who files it.
var people = []string{"Organization", "Device", "Patient", "RelatedPerson", "Practitioner", "PractitionerRole"}

// markMistaken makes of a KindMistake's Bundle what suits a server that can be asked: what
// is there is read, marked, and put back only if nobody else changed it. Its words stay.
func (s *fhirServer) markMistaken(ctx context.Context, item Item, b *fhir.Bundle) error {
	found, err := s.mistaken(ctx, item)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("mark as a mistake: %w", FlawNotThere)
	}
	var wrong []fhir.Entry
	var targets []fhir.Reference
	for _, r := range found {
		reason := ""
		if r.kind == "Communication" {
			reason = item.body()
		}
		wrong = append(wrong, fhir.Entry{
			FullURL: urn(derive(item.ID, r.reference())), Resource: fhir.Raw{Type: r.kind, JSON: r.marked(reason)},
			Request: fhir.Request{Method: "PUT", URL: r.reference(), IfMatch: etag(r.version)},
		})
		targets = append(targets, fhir.Reference{Reference: r.reference()})
	}
	var kept, account []fhir.Entry
	for _, e := range b.Entry {
		switch r := e.Resource.(type) {
		case fhir.Provenance:
			r.Target = targets
			account = append(account, fhir.Entry{FullURL: e.FullURL, Resource: r, Request: e.Request})
		case fhir.AuditEvent:
			r.Entity = slices.Clone(r.Entity)
			r.Entity[0].What = &targets[0]
			account = append(account, fhir.Entry{FullURL: e.FullURL, Resource: r, Request: e.Request})
		default:
			if slices.Contains(people, e.Resource.Kind()) {
				kept = append(kept, e)
			}
		}
	}
	b.Entry, b.Main = slices.Concat(kept, wrong, account), wrong[0].FullURL
	return nil
}

// stored is a resource as the server has it.
type stored struct {
	kind, id, version string
	content           map[string]json.RawMessage
}

// FHIR has ids of 64 bytes at most, and a moment of some thirty: what is much longer is neither.
const (
	longestID     = 128
	longestMoment = 64
)

func (r stored) reference() string { return r.kind + "/" + r.id }

func readStored(kind string, raw json.RawMessage) (r stored, ok bool) {
	var known struct {
		ID   string
		Meta resourceMeta
	}
	r.kind = kind
	if json.Unmarshal(raw, &known) != nil || json.Unmarshal(raw, &r.content) != nil || known.ID == "" || len(known.ID) > longestID {
		return r, false
	}
	r.id, r.version = known.ID, known.Meta.VersionID
	return r, true
}

// with gives the resource with some elements of ours, as JSON.
func (r stored) with(elements map[string]any) []byte {
	all := map[string]any{}
	for name, value := range r.content {
		all[name] = value
	}
	for name, value := range elements {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // JSON that was read can be written
	}
	return text
}

func (r stored) marked(reason string) []byte {
	elements := map[string]any{"status": enteredInError}
	if reason != "" {
		elements["statusReason"] = text(reason)
	}
	return r.with(elements)
}

// documents are what a Communication's payload refers to.
func (r stored) documents() (all []string) {
	var payload []fhir.Payload
	if json.Unmarshal(r.content["payload"], &payload) != nil {
		return nil
	}
	for _, p := range payload {
		if p.ContentReference != nil && p.ContentReference.Reference != "" {
			all = append(all, p.ContentReference.Reference)
		}
	}
	return all
}
