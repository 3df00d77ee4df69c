package his

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// keepTheirs makes of an item that changes what was filed before only that change, where it is
// there: what the practice put on it in its own system stays, such as an answer on a Task that nobody
// has read yet, or that a message was entered in error.
func (s *fhirServer) keepTheirs(ctx context.Context, _ Item, b *fhir.Bundle) error {
	for i, e := range b.Entry {
		kind, query, conditional := strings.Cut(e.Request.URL, "?")
		if !conditional || e.Request.Method != http.MethodPut {
			continue
		}
		path, _, err := s.only(ctx, kind, query)
		if err != nil {
			return err
		}
		if path == "" {
			continue
		}
		r, err := s.stored(ctx, path)
		if err != nil {
			return err
		}
		b.Entry[i].Resource = fhir.Raw{Type: kind, JSON: r.with(r.changedBy(e.Resource))}
		b.Entry[i].Request = fhir.Request{Method: http.MethodPut, URL: path, IfMatch: etag(r.version)}
	}
	return nil
}

// changedBy are the elements of ours that change on what is there.
func (r stored) changedBy(ours fhir.Resource) map[string]any {
	elements := map[string]any{}
	switch now := ours.(type) {
	case fhir.Task:
		var is fhir.Task
		r.read(&is)
		if now.Status != statuses[StatusClosed] || !slices.Contains(ended, is.Status) {
			elements["status"] = now.Status
			elements["statusReason"] = nil
			if now.StatusReason != nil {
				elements["statusReason"] = now.StatusReason
			}
		}
		elements["priority"] = now.Priority
		if now.LastModified > is.AuthoredOn { // Task rule inv-1
			elements["lastModified"] = now.LastModified
		}
	case fhir.Communication:
		return r.reworded(now)
	case fhir.Consent:
		elements["status"] = now.Status
	}
	return r.unlessMistaken(elements)
}

// unlessMistaken leaves it to the practice what it called a mistake.
func (r stored) unlessMistaken(elements map[string]any) map[string]any {
	var is struct{ Status string }
	r.read(&is)
	if is.Status == enteredInError {
		delete(elements, "status")
		delete(elements, "statusReason")
	}
	return elements
}

// reworded are the elements of a Communication that change: of a message what was written and when, of a
// header the state of the conversation.
func (r stored) reworded(now fhir.Communication) map[string]any {
	var is struct {
		Identifier []json.RawMessage
		Note       []json.RawMessage
	}
	r.read(&is)
	if len(now.PartOf) == 0 {
		elements := map[string]any{"status": now.Status, "priority": now.Priority}
		if len(now.Category) > 0 {
			elements["category"] = now.Category
		}
		return r.unlessMistaken(elements)
	}
	elements := map[string]any{
		"sent": now.Sent, "payload": nil, "note": withNotes(is.Note, now.Note), "identifier": withIdentifiers(now.Identifier, is.Identifier),
	}
	if len(now.Payload) > 0 {
		elements["payload"] = now.Payload
	}
	return elements
}

// anew begin the notes of ours that each wording has one of.
var anew = []string{MarkNote, aboutNote}

// withNotes gives the notes that are there, but those that are written anew, and those of ours that are not there.
func withNotes(there []json.RawMessage, ours []fhir.Annotation) (all []any) {
	said := map[string]bool{}
	for _, raw := range there {
		var note struct {
			fhir.Annotation
			Time string
		}
		begins := func(with string) bool { return strings.HasPrefix(note.Text, with) }
		if json.Unmarshal(raw, &note) == nil && note.Time == "" && slices.ContainsFunc(anew, begins) {
			continue
		}
		said[note.Text] = true
		all = append(all, raw)
	}
	for _, note := range ours {
		if !said[note.Text] {
			all = append(all, note)
		}
	}
	return all
}

// withIdentifiers gives ours, of which the first is the message's and the last the edit's, and between them
// what else the message is called.
func withIdentifiers(ours []fhir.Identifier, there []json.RawMessage) (all []any) {
	named := map[string]bool{}
	for _, i := range ours {
		named[i.System+"|"+i.Value] = true
	}
	all = append(all, ours[0])
	for _, raw := range there {
		var i fhir.Identifier
		if json.Unmarshal(raw, &i) != nil || !named[i.System+"|"+i.Value] {
			all = append(all, raw)
		}
	}
	for _, i := range ours[1:] {
		all = append(all, i)
	}
	return all
}

var errOvertaken = fmt.Errorf("it was changed by another at the same time: %w", rest.CodeConflict)

// overtaken tells a transaction that came too late from one that is refused: a server may answer
// both with 412. What was to be changed has another version then, and the next try reads it.
func (s *fhirServer) overtaken(ctx context.Context, b fhir.Bundle, err error) error {
	if !errors.Is(err, rest.CodeDouble) {
		return err
	}
	for _, e := range b.Entry {
		if e.Request.IfMatch == "" {
			continue
		}
		now, failed := s.stored(ctx, e.Request.URL)
		if failed != nil || etag(now.version) != e.Request.IfMatch {
			return errors.Join(errOvertaken, failed)
		}
	}
	return err
}
