package his

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// outputs are the answers that were added to a conversation's Task.
func (s *fhirServer) outputs(ctx context.Context, r stored) (answers []Answer, of uuid.UUID, err error) {
	var t fhir.Task
	if !r.read(&t) || len(t.Output) == 0 || t.Focus == nil || !isMarked(t.Identifier) {
		return nil, of, nil // another's Task about a conversation of ours is work within the practice
	}
	if t.Group != nil {
		of, _ = fromURN(*t.Group)
	}
	to, err := s.talkAt(ctx, *t.Focus)
	if ofOne(err) {
		return nil, of, nil
	}
	if err != nil || to.header.id == "" {
		return nil, of, err
	}
	to.withdrawn = to.withdrawn || t.Status == enteredInError
	for n := range t.Output {
		a, is, err := s.output(ctx, r, t, to, n)
		if err != nil {
			return nil, to.conversation, err
		}
		answers = append(answers, answersOf(a, is)...)
	}
	return answers, to.conversation, nil
}

func (s *fhirServer) output(ctx context.Context, r stored, t fhir.Task, to talk, n int) (a Answer, is bool, err error) {
	switch output := t.Output[n]; {
	case output.ValueString != "":
		a, err = s.outputText(ctx, r, t, to, n)
		return a, err == nil, err
	case output.ValueReference != nil:
		return s.outputMessage(ctx, r, to, n, *output.ValueReference)
	}
	return a, false, nil
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
		a.Problem = "Het antwoord is niet te lezen."
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
		problem(to.withdrawn, withdrawnQuestion),
		problem(a.Author.Name == "", "Er staat niet bij wie het antwoord schreef."))
	if a.Problem != "" {
		a.Text = ""
	}
	return a, nil
}
