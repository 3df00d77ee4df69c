package his

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
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

// A Task has one business status for all its outputs. What became of each stands in it as a coding, named by
// what the output is called, so that a word of one is not lost by that of another, and is not counted twice.
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
	now := fhir.Coding{System: fhir.SystemURI, Code: urn(derive(namespace, "output", r.Answer.String(), r.Reference)), Display: said}
	all := outputsReported(t)
	same := func(c fhir.Coding) bool { return c.Code == now.Code }
	if n := slices.IndexFunc(all, same); n >= 0 {
		if all[n] == now {
			return nil
		}
		all = slices.Delete(all, n, n+1)
	}
	all = append(all, now)
	return s.put(ctx, at, map[string]any{"businessStatus": fhir.CodeableConcept{Coding: all, Text: allReported(all)}})
}

// outputsReported are what we have told of outputs before.
func outputsReported(t fhir.Task) (all []fhir.Coding) {
	if t.BusinessStatus == nil {
		return nil
	}
	for _, c := range t.BusinessStatus.Coding {
		if c.System == fhir.SystemURI && (hasArrived(c.Display) || strings.HasPrefix(c.Display, reportedOutput[DeliveryFailed])) {
			all = append(all, c)
		}
	}
	return all
}

// allReported says it of all of them, with why one failed.
func allReported(all []fhir.Coding) string {
	var failed []fhir.Coding
	for _, c := range all {
		if !hasArrived(c.Display) {
			failed = append(failed, c)
		}
	}
	arrived := len(all) - len(failed)
	switch {
	case len(failed) == 0:
		return reportedOutput[DeliveryDelivered]
	case len(all) == 1:
		return all[0].Display
	}
	_, why, _ := strings.Cut(failed[len(failed)-1].Display, reportedOutput[DeliveryFailed])
	if arrived == 0 {
		return fmt.Sprintf("Geen van de %d antwoorden afgeleverd%s", len(all), why)
	}
	return fmt.Sprintf("%d van de %d antwoorden afgeleverd bij de patiënt; %d niet%s", arrived, len(all), len(failed), why)
}

// someArrived is what a business status of ours says when the patient has something.
var someArrived = regexp.MustCompile(`^(Antwoord|\d+ van de \d+ antwoorden) afgeleverd bij de patiënt`)

func hasArrived(said string) bool { return someArrived.MatchString(said) }
