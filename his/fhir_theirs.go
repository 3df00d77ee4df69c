package his

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// keepTheirs makes of an item that changes the state of a conversation only that change, where the
// conversation is there: what the practice put on its Task in its own system stays, such as an
// answer that nobody has read yet.
func (s *fhirServer) keepTheirs(ctx context.Context, item Item, b *fhir.Bundle) error {
	if kindRules[item.Kind].status == "" {
		return nil
	}
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
		elements["status"], elements["priority"] = now.Status, now.Priority
		if len(now.Category) > 0 {
			elements["category"] = now.Category
		}
	}
	return elements
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
