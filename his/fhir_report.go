package his

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// Report is Answerer.Report: what became of a Communication is its status, of an output of a
// Task the Task's business status.
func (s *fhirServer) Report(ctx context.Context, r Report) error {
	path, _, _ := strings.Cut(r.Reference, "#")
	_, err := s.suitable(ctx)
	var at stored
	if err == nil {
		at, err = s.stored(ctx, path)
	}
	if err == nil {
		err = s.report(ctx, at, r)
	}
	if err != nil && (isRefusal(err) || errors.Is(err, rest.CodeMissing)) {
		return fmt.Errorf("report an answer: %w: %w", err, ErrRefused)
	}
	if err != nil {
		return fmt.Errorf("report an answer: %w", err)
	}
	return nil
}

var reported = map[Delivery]string{DeliveryDelivered: "completed", DeliveryFailed: "stopped"}

func (s *fhirServer) report(ctx context.Context, at stored, r Report) error {
	if at.kind == "Task" {
		return s.reportOutput(ctx, at, r)
	}
	var c struct{ Status, Received string }
	at.read(&c)
	status, over := reported[r.Delivery]
	if c.Status == enteredInError {
		return nil // it was taken back meanwhile
	}
	if !over || c.Status == status && (r.Delivery == DeliveryFailed || c.Received != "") {
		return nil // received is what in-progress or completed says already
	}
	elements := map[string]any{"status": status}
	if r.Delivery == DeliveryDelivered {
		elements["received"] = fhir.Instant(r.At)
	} else {
		elements["statusReason"] = text(line(r.Reason))
	}
	return s.put(ctx, at, elements)
}

var reportedOutput = map[Delivery]string{DeliveryDelivered: "Antwoord afgeleverd bij de patiënt", DeliveryFailed: "Antwoord niet afgeleverd"}

func (s *fhirServer) reportOutput(ctx context.Context, at stored, r Report) error {
	said, over := reportedOutput[r.Delivery]
	if !over {
		return nil
	}
	if reason := line(r.Reason); reason != "" {
		said += ": " + reason
	}
	var t fhir.Task
	at.read(&t)
	if t.BusinessStatus != nil && t.BusinessStatus.Text == said {
		return nil
	}
	return s.put(ctx, at, map[string]any{"businessStatus": text(said)})
}
