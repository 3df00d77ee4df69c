package his

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// mostKnown bounds how many patients are remembered; forgetting costs one question each.
const mostKnown = 10_000

// mustKnow refuses what is about a patient whom the server does not have: a number that was typed
// wrongly would make a record that nobody looks at. Who is there is asked about once in a while. What does
// not belong there can be withdrawn all the same.
func (s *fhirServer) mustKnow(ctx context.Context, item Item) error {
	c := item.Conversation
	if s.settings.MakePatients || item.Kind == KindMistake {
		return nil
	}
	p := c.subject()
	query := patientQuery(p, patientID(c.Practice, p), s.settings.PatientSystem)
	how := derive(namespace, "known", query) // not the BSN itself
	if s.knew(how) {
		return nil
	}
	path, _, err := s.only(ctx, "Patient", query)
	if err == nil && path == "" {
		err = &rest.Error{Status: http.StatusOK, Code: rest.CodeNobody, Where: "Patient"}
	}
	if err == nil {
		s.knows(how)
	}
	return err
}

func (s *fhirServer) knew(how uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.patients[how]
	return known && time.Since(at) < recheck
}

func (s *fhirServer) knows(how uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.patients) >= mostKnown {
		clear(s.patients)
	}
	s.patients[how] = time.Now()
}
