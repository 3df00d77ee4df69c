package texts

import (
	"errors"
	"fmt"
	"text/template"
)

// needed are the texts that this package itself uses.
var needed = []string{fallback, "choose", "choose.many"}

// full has something in every field, so that the other branch of every condition is tried.
var full = Args{
	Organisation: "o", Website: "w", Practice: "p", Phone: "1", Emergency: "2", OutOfHours: "3",
	Name: "n", FirstName: "f", LastName: "l", PatientPhone: "4", Email: "e", BirthDate: "b", Code: "c",
	Privacy: Document{"1", "d", "u"}, Terms: Document{"1", "d", "u"}, Staff: "s", Role: "r",
	Practical: true, OpensDay: "d", OpensTime: "t", AnswerBy: "a",
	Whom: "w", WhomBirthDate: "b", Relation: "r", Ground: "g",
	Number: 1, Date: "d", Time: "t", Days: 1, Reason: "r", Command: "c", Items: []string{"a", "b"}, Count: 2,
	Outage: Outage{"f", "u", 1, 1},
	Report: Report{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "d"}, Waiting: 1, Perhaps: 1, OnClosing: true,
}

// check compares every language with every other and tries every text.
func (c *Catalog) check() error {
	var all []error
	for lang, texts := range c.languages {
		for _, key := range needed {
			if texts[key] == nil {
				all = append(all, fmt.Errorf("texts %s: %s is missing", lang, key))
			}
		}
		for key, e := range texts {
			if err := e.check(); err != nil {
				all = append(all, fmt.Errorf("texts %s: %s: %w", lang, key, err))
			}
			for other, theirs := range c.languages {
				if err := e.same(theirs[key]); err != nil {
					all = append(all, fmt.Errorf("texts %s: %s: %w", other, key, err))
				}
			}
		}
	}
	return errors.Join(all...)
}

// same says that the text of another language is there and has the same form.
func (e *entry) same(other *entry) error {
	switch {
	case other == nil:
		return errors.New("is missing")
	case len(other.options) != len(e.options):
		return fmt.Errorf("has %d options, another language %d", len(other.options), len(e.options))
	}
	return nil
}

// check fills in the templates and looks for an answer that means two options.
func (e *entry) check() error {
	for _, t := range []*template.Template{e.ask, e.last} {
		for _, a := range []Args{{}, full} {
			if t == nil {
				continue
			}
			if text, err := fill(t, a); err != nil {
				return err
			} else if text == "" && a.Phone != "" {
				return errors.New("is empty")
			}
		}
	}
	for i, o := range e.options {
		for _, answer := range append([]string{o.Label}, o.Also...) {
			if Choice(e.options, answer) != i+1 {
				return fmt.Errorf("%q does not mean option %d only", answer, i+1)
			}
		}
	}
	return nil
}
