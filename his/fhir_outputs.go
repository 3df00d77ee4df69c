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

// outputs are the answers that were added to a conversation's Task.
func (s *fhirServer) outputs(ctx context.Context, r stored) (answers []Answer, err error) {
	var t fhir.Task
	if !r.read(&t) || len(t.Output) == 0 || t.Focus == nil || !isMarked(t.Identifier) {
		return nil, nil // another's Task about a conversation of ours is work within the practice
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
		a = outputAnswer(s.client.Base(), r, to, n)
		a.Problem = ProblemUnreadable
		return a, s.kindOf(ref) == "Communication", nil
	case err != nil || at.kind != "Communication":
		return a, false, err
	}
	var c fhir.Communication
	if !at.read(&c) || !slices.Contains(sendable, c.Status) {
		return a, false, nil
	}
	return s.readAnswer(ctx, at, c, to)
}

func outputAnswer(base string, r stored, to talk, n int) Answer {
	place := r.reference() + "#" + strconv.Itoa(n)
	return Answer{
		ID: derive(namespace, "answer", base, place), Reference: place, Conversation: to.conversation, Written: moments(r.updated()),
	}
}

// outputText is by whoever has the Task.
func (s *fhirServer) outputText(ctx context.Context, r stored, t fhir.Task, to talk, n int) (a Answer, err error) {
	a = outputAnswer(s.client.Base(), r, to, n)
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
