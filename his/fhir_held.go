package his

import (
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// mostBroken is after how many resources that a server fails at it is given rest: it is sick, not they.
const mostBroken = 50

// heldUp is an error about one answer of which is known whom it is about.
type heldUp struct{ error }

func (h heldUp) Unwrap() error { return h.error }

// given are the answers that could be read. One that the server fails at holds back what comes after it
// in its conversation or, while that is not known, in the record of the same patient.
type given struct {
	answers []Answer
	held    map[string]bool // conversations, and patients
}

// take adds what was read. about are the conversation, if it could be found out, and the patient; "" is
// not known. An error is heldUp if it concerns those only.
func (g *given) take(read []Answer, err error, about ...string) error {
	about = slices.DeleteFunc(about, func(s string) bool { return s == "" })
	switch {
	case err != nil && len(about) > 0 && failsAtOne(err):
		g.held[about[0]] = true
		return heldUp{err}
	case err != nil || slices.ContainsFunc(about, func(s string) bool { return g.held[s] }):
		return err
	}
	g.answers = append(g.answers, read...)
	return nil
}

// free are the answers of conversations in which nothing is held: those that were read first may have
// been written last.
func (g *given) free() []Answer {
	return slices.DeleteFunc(g.answers, func(a Answer) bool { return g.held[a.Conversation.String()] })
}

// failsAtOne says that a server answers, and fails at what it was asked for: it may do better with
// something else.
func failsAtOne(err error) bool {
	var answered *rest.Error
	return errors.As(err, &answered) && answered.Status == http.StatusInternalServerError && !answered.Strange && RetryAfter(err) == 0
}

// talkKey is a conversation as text; "" = not known.
func talkKey(conversation uuid.UUID) string {
	if conversation == uuid.Nil {
		return ""
	}
	return conversation.String()
}

// patient is whose record something is in; "" = it does not say.
func (s *fhirServer) patient(ref *fhir.Reference) string {
	if ref == nil {
		return ""
	}
	path, _ := s.client.Relative(ref.Reference)
	return path
}
