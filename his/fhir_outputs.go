package his

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// outputs are the answers that were added to a conversation's Task. Where they stand in it tells them
// apart only for now: another may be put before them (see Answer.List).
func (s *fhirServer) outputs(ctx context.Context, r stored) (answers []Answer, err error) {
	var t fhir.Task
	if !r.read(&t) || t.Focus == nil || !isMarked(t.Identifier) {
		return nil, nil // another's Task about a conversation of ours is work within the practice
	}
	if len(t.Output) == 0 {
		return emptied(r, t), nil
	}
	to, err := s.talkAt(ctx, *t.Focus)
	if ofOne(err) {
		return nil, nil
	}
	if err != nil || to.header.id == "" {
		return nil, err
	}
	to.withdrawn = to.withdrawn || t.Status == enteredInError
	for n, output := range t.Output {
		switch {
		case output.ValueString != "":
			a, err := s.outputText(ctx, r, t, to, n)
			if err != nil {
				return nil, err
			}
			answers = append(answers, a)
		case output.ValueReference != nil:
			a, is, err := s.outputMessage(ctx, r, to, n, *output.ValueReference)
			if err != nil {
				return nil, err
			}
			if is {
				answers = append(answers, a)
			}
		}
	}
	return answers, nil
}

// outputMessage is a Communication that a Task refers to. One that cannot be read is for staff;
// one that is gone, or elsewhere, is not.
func (s *fhirServer) outputMessage(ctx context.Context, r stored, to talk, n int, ref fhir.Reference) (a Answer, is bool, err error) {
	at, err := s.resolve(ctx, "Communication", ref)
	switch {
	case errors.Is(err, rest.CodeMissing) || errors.Is(err, rest.CodeElsewhere):
		return a, false, nil
	case ofOne(err):
		a = s.outputAnswer(r, to, cmp.Or(ref.Reference, strconv.Itoa(n)))
		a.Problem = ProblemUnreadable
		return a, s.kindOf(ref) == "Communication", nil
	case err != nil || at.kind != "Communication":
		return a, false, err
	}
	var c fhir.Communication
	if !at.read(&c) {
		return a, false, nil
	}
	if c.Status == enteredInError {
		return s.takenBack(at), true, nil
	}
	if !slices.Contains(sendable, c.Status) {
		return a, false, nil
	}
	return s.readAnswer(ctx, at, c, to)
}

// emptied says that nothing is left of the outputs of a Task of which we have told that an answer in it
// arrived. Which it was nobody asks: whoever passes answers on knows.
func emptied(r stored, t fhir.Task) []Answer {
	if t.BusinessStatus == nil || !hasArrived(t.BusinessStatus.Text) || t.Group == nil {
		return nil
	}
	id, _ := fromURN(*t.Group)
	return []Answer{{List: r.reference(), Conversation: id, Withdrawn: true}}
}

func (s *fhirServer) outputAnswer(r stored, to talk, name string) Answer {
	place := r.reference() + "#" + name
	return Answer{
		ID: derive(namespace, "answer", s.client.Base(), place), Reference: place, Conversation: to.conversation, Written: moments(r.updated()),
	}
}

// listed is an answer that is told from its neighbours by its place; or by the id of its element, where
// the server keeps one, as far as that can be trusted.
func (s *fhirServer) listed(r stored, t fhir.Task, to talk, n int) Answer {
	a := s.outputAnswer(r, to, strconv.Itoa(n))
	place, id := a.Reference, t.Output[n].ID
	if id != "" && !slices.ContainsFunc(t.Output[:n], func(o fhir.TaskOutput) bool { return o.ID == id }) {
		a = s.outputAnswer(r, to, "id-"+Mark(derive(namespace, "output", id)))
	}
	a.List, a.Place = r.reference(), place
	return a
}

// outputText is by whoever has the Task.
func (s *fhirServer) outputText(ctx context.Context, r stored, t fhir.Task, to talk, n int) (a Answer, err error) {
	a = s.listed(r, t, to, n)
	a.Text = strings.TrimSpace(plain(t.Output[n].ValueString))
	if a.Author, err = s.author(ctx, t.Owner); err != nil {
		return a, err
	}
	a.Problem = cmp.Or(
		problemIf(to.withdrawn, ProblemWithdrawn),
		problemIf(a.Author.Name == "", ProblemNoAuthor))
	if a.Problem != "" {
		a.Text = ""
	}
	return a, nil
}
