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
// wrongly would make a record that nobody looks at. Who is there is asked about once in a while.
func (s *fhirServer) mustKnow(ctx context.Context, c Conversation) error {
	if s.settings.MakePatients {
		return nil
	}
	p := c.subject()
	id := patientID(c.Practice, p)
	if s.knew(id) {
		return nil
	}
	path, _, err := s.only(ctx, "Patient", patientQuery(p, id, s.settings.PatientSystem))
	if err == nil && path == "" {
		err = &rest.Error{Status: http.StatusOK, Code: rest.CodeNobody, Where: "Patient"}
	}
	if err == nil {
		s.knows(id)
	}
	return err
}

func (s *fhirServer) knew(id uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.patients[id]
	return known && time.Since(at) < recheck
}

func (s *fhirServer) knows(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.patients) >= mostKnown {
		clear(s.patients)
	}
	s.patients[id] = time.Now()
}
