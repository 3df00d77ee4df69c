package his

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// An answer in a FHIR server is a Communication that is no longer a draft, not ours, and in
// response to a message of ours or part of its conversation; or an output that was added to
// the conversation's Task.
var (
	_ Answerer = (*fhirServer)(nil)
	_ Tracker  = (*fhirServer)(nil)
	_ Finder   = (*fhirServer)(nil)
	_ Hooked   = (*fhirServer)(nil)
)

// cursor is how far each type was read, and what the server failed at before that.
type cursor struct {
	Communication string       `json:"communication,omitempty"`
	Task          string       `json:"task,omitempty"`
	Held          []heldAnswer `json:"held,omitempty"`
}

func readCursor(since string) (c cursor, err error) {
	if since == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(since), &c); err != nil {
		return c, errors.New("a cursor that is not ours")
	}
	return c, nil
}

func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings
	}
	return string(text)
}

// Answers is Answerer.Answers.
func (s *fhirServer) Answers(ctx context.Context, since string) (answers []Answer, next string, err error) {
	c, err := readCursor(since)
	if err != nil {
		return nil, "", err
	}
	if can, err := s.capabilities(ctx); err == nil && can.enough() != nil {
		return nil, "", can.enough()
	}
	s.subscribe(ctx)
	h := s.holding(c.Held)
	if err := h.again(ctx, allAgain); err != nil {
		return nil, "", err
	}
	err = errors.Join(
		h.readOn(ctx, "Communication", &c.Communication),
		h.readOn(ctx, "Task", &c.Task))
	if err == nil {
		err = h.again(ctx, onceMore)
	}
	if err != nil && len(h.answers)+len(h.held)+len(c.Held) == 0 {
		return nil, "", err // there is nothing to keep
	}
	c.Held = h.held
	return h.answers, c.String(), h.behind(err)
}

// sendable are the states of a Communication that somebody has finished writing.
var sendable = []string{"completed", "in-progress"}

// answer reads a Communication, if it is an answer.
func (s *fhirServer) answer(ctx context.Context, r stored) (a Answer, is bool, err error) {
	var c fhir.Communication
	if !r.read(&c) {
		return a, false, nil
	}
	if c.Status == enteredInError && !isMarked(c.Identifier) {
		return s.takenBack(r), true, nil
	}
	if !slices.Contains(sendable, c.Status) || len(c.Payload) == 0 {
		return a, false, nil
	}
	if ours, err := s.ours(ctx, c.Identifier); ours || err != nil {
		return a, false, err
	}
	to, err := s.conversationOf(ctx, c)
	if err != nil || to.header.id == "" {
		return a, false, err
	}
	return s.readAnswer(ctx, r, c, to)
}

// takenBack is a Communication that its system marked as a mistake. Whether it was an answer, who gave it
// to the patient knows.
func (s *fhirServer) takenBack(r stored) Answer {
	return Answer{ID: s.answerID(r), Reference: r.reference(), Withdrawn: true}
}

func (s *fhirServer) answerID(r stored) uuid.UUID {
	return derive(namespace, "answer", s.client.Base(), r.reference())
}

func inList(name string) func(Answer) bool { return func(a Answer) bool { return a.List == name } }

// readAnswer reads what is said, by whom, in answer to what.
func (s *fhirServer) readAnswer(ctx context.Context, r stored, c fhir.Communication, to talk) (a Answer, is bool, err error) {
	a = Answer{
		ID: s.answerID(r), Reference: r.reference(),
		Conversation: to.conversation, InReplyTo: to.message, Written: moments(c.Sent, r.updated()),
	}
	if a.Author, err = s.author(ctx, c.Sender); err != nil {
		return a, false, err
	}
	var header fhir.Communication
	to.header.read(&header)
	if a.Author.Role == RolePatient || !s.forPatient(c.Recipient, header.Subject) {
		return a, false, nil // somebody noted what the patient said, or wrote to a colleague
	}
	a.Problem = cmp.Or(
		problemIf(to.withdrawn, ProblemWithdrawn),
		problemIf(c.Subject != nil && header.Subject != nil && !s.same(*c.Subject, *header.Subject), ProblemOtherPatient))
	if a.Problem == "" {
		if err := s.readPayload(ctx, c, &a); err != nil {
			return a, false, err
		}
	}
	if a.Problem == "" && a.Author.Name == "" {
		a.Problem = ProblemNoAuthor
	}
	if a.Problem == "" && a.Text == "" && len(a.Attachments) == 0 {
		a.Problem = ProblemNoText
	}
	if a.Problem != "" {
		a.Text, a.Attachments = "", nil
	}
	return a, true, nil
}

// same compares what two references point at.
func (s *fhirServer) same(a, b fhir.Reference) bool {
	pathA, okA := s.client.Relative(a.Reference)
	pathB, okB := s.client.Relative(b.Reference)
	if okA && okB {
		return pathA == pathB
	}
	return a.Identifier != nil && b.Identifier != nil && a.Identifier.Value == b.Identifier.Value
}

// ours says that we filed it ourselves: what we file is marked. A server that drops the mark
// is asked for the Provenance of what could be ours.
func (s *fhirServer) ours(ctx context.Context, identifiers []fhir.Identifier) (bool, error) {
	if isMarked(identifiers) {
		return true, nil
	}
	for _, i := range identifiers {
		id, ok := fromURN(i)
		if !ok || id.Version() != 5 {
			continue
		}
		err := s.askFor(ctx, "Provenance/"+resourceID(derive(id, "provenance")), nil)
		if errors.Is(err, rest.CodeMissing) {
			continue
		}
		if err == nil || ofOne(err) { // what looks like ours and cannot be asked for is not sent on
			return true, nil
		}
		return false, err
	}
	return false, nil
}

func isMarked(identifiers []fhir.Identifier) bool {
	return slices.ContainsFunc(identifiers, func(i fhir.Identifier) bool {
		return i.System == fhir.SystemURI && i.Assigner != nil && i.Assigner.Display == assigner
	})
}

func fromURN(i fhir.Identifier) (uuid.UUID, bool) {
	value, ok := strings.CutPrefix(i.Value, "urn:uuid:")
	id, err := uuid.Parse(value)
	return id, ok && err == nil && i.System == fhir.SystemURI
}

// talk is the conversation that a Communication is about.
type talk struct {
	header       stored
	conversation uuid.UUID
	message      uuid.UUID // which message is answered; zero: none
	withdrawn    bool      // it was filed in a wrong record, and marked as such
}

// conversationOf follows inResponseTo and partOf to a header of ours; none is no error.
func (s *fhirServer) conversationOf(ctx context.Context, c fhir.Communication) (talk, error) {
	for _, ref := range slices.Concat(c.InResponseTo, c.PartOf) {
		to, err := s.talkAt(ctx, ref)
		if err != nil && !ofOne(err) {
			return talk{}, err
		}
		if err == nil && to.header.id != "" {
			return to, nil
		}
	}
	return talk{}, nil
}

func (s *fhirServer) talkAt(ctx context.Context, ref fhir.Reference) (to talk, err error) {
	at, err := s.resolve(ctx, "Communication", ref)
	if err != nil || at.kind != "Communication" {
		return to, err
	}
	var c fhir.Communication
	at.read(&c)
	ours, err := s.ours(ctx, c.Identifier)
	if err != nil || !ours {
		return to, err
	}
	to.withdrawn = c.Status == enteredInError
	if len(c.PartOf) > 0 {
		to.message, _ = fromURN(c.Identifier[0])
		if at, err = s.resolve(ctx, "Communication", c.PartOf[0]); err != nil {
			return talk{}, err
		}
		c = fhir.Communication{}
		at.read(&c)
		to.withdrawn = to.withdrawn || c.Status == enteredInError
	}
	if len(c.Identifier) < 2 {
		return talk{}, nil
	}
	to.header = at
	to.conversation, _ = fromURN(c.Identifier[1])
	return to, nil
}

// resolve reads what a reference points at, by address or by identifier.
func (s *fhirServer) resolve(ctx context.Context, kind string, ref fhir.Reference) (stored, error) {
	if ref.Reference != "" {
		return s.stored(ctx, ref.Reference)
	}
	if ref.Identifier == nil {
		return stored{}, rest.CodeMissing
	}
	id, ok := fromURN(*ref.Identifier)
	if !ok {
		return stored{}, rest.CodeMissing
	}
	path, _, err := s.only(ctx, kind, byIdentifier(id))
	switch {
	case cannot(err): // then nothing is found that way
		return stored{}, rest.CodeMissing
	case err != nil:
		return stored{}, s.believed(ctx, err)
	case path == "":
		return stored{}, rest.CodeMissing
	}
	return s.stored(ctx, path)
}

// cannot says that a server does not do what it was asked.
func cannot(err error) bool {
	var answered *rest.Error
	return errors.As(err, &answered) && (answered.Status == http.StatusMethodNotAllowed || answered.Status == http.StatusNotImplemented)
}

func typeOfPath(path string) string {
	kind, _, _ := strings.Cut(path, "/")
	return kind
}

// moments is the first that is a moment.
func moments(all ...string) time.Time {
	for _, s := range all {
		if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return at
		}
	}
	return time.Now()
}
