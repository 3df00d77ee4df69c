package his

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// ended are the states in which the system has done with a Task.
var ended = []string{"completed", "cancelled", "rejected", "failed", enteredInError}

// Track is Tracker.Track.
func (s *fhirServer) Track(ctx context.Context, c Conversation, at time.Time) error {
	want, known := statuses[c.Status]
	if !known {
		return fmt.Errorf("track a conversation: no such state: %w", ErrRefused)
	}
	if _, err := s.suitable(ctx); err != nil {
		return tracking(err)
	}
	path, _, err := s.only(ctx, "Task", byIdentifier(EditionID(c.ID, c.Edition)))
	if err != nil || path == "" {
		return tracking(err)
	}
	r, err := s.stored(ctx, path)
	if err != nil {
		return tracking(err)
	}
	var t fhir.Task
	if !r.read(&t) || t.Status == want || slices.Contains(ended, t.Status) {
		return nil
	}
	elements := map[string]any{"status": want}
	if modified := fhir.Instant(at); modified > t.AuthoredOn { // Task rule inv-1
		elements["lastModified"] = modified
	}
	return tracking(s.put(ctx, r, elements))
}

func tracking(err error) error {
	switch {
	case err == nil:
		return nil
	case isRefusal(err) || cannot(err) || errors.Is(err, rest.CodeMissing):
		return fmt.Errorf("track a conversation: %w: %w", err, ErrRefused)
	default:
		return fmt.Errorf("track a conversation: %w", err)
	}
}

// tracked are the states of a Task that mean one of ours.
var tracked = map[string]Status{
	"requested": StatusRequested, "received": StatusRequested, "accepted": StatusOpen, "in-progress": StatusOpen,
	"ready": StatusOpen, "on-hold": StatusOpen, "completed": StatusClosed, "cancelled": StatusClosed, "rejected": StatusClosed, "failed": StatusClosed,
}

// Tracked is Tracker.Tracked.
func (s *fhirServer) Tracked(ctx context.Context, since string) (changes []StatusChange, next string, err error) {
	next, err = s.changed(ctx, "Task", since, func(r stored) error {
		var t fhir.Task
		if !r.read(&t) || t.Group == nil {
			return nil
		}
		id, named := fromURN(*t.Group)
		status, meant := tracked[t.Status]
		if !named || !meant {
			return nil
		}
		if !isMarked(t.Identifier) {
			return nil
		}
		changes = append(changes, StatusChange{Conversation: id, Status: status, At: moments(r.updated())})
		return nil
	})
	return changes, next, err
}
