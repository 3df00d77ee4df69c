package his

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// Find is Finder.Find. What is looked for is sent in the body: a BSN is in no address.
func (s *fhirServer) Find(ctx context.Context, q PatientQuery) (found []Patient, more bool, err error) {
	form := s.searchFor(q)
	if form == nil {
		return nil, false, nil
	}
	if can, err := s.capabilities(ctx); err == nil && can.deaf {
		return nil, false, fmt.Errorf("look up a patient: it says that it does not search: %w: %w", ErrNoLookUp, ErrRefused)
	}
	name := line(q.LastName)
	err = s.client.Search(ctx, "Patient", form, func(raw json.RawMessage) bool {
		p, active := s.readPatient(raw, q.asked())
		if active && q.mayMean(p) {
			found = append(found, p)
		}
		return len(found) <= MaxFound
	})
	more = errors.Is(err, rest.ErrMore)
	if lastingly(err) {
		err = fmt.Errorf("%w: %w", err, ErrNoLookUp)
	}
	switch {
	case isRefusal(err) || cannot(err):
		return nil, false, fmt.Errorf("look up a patient: %w: %w", err, ErrRefused)
	case err != nil && !more:
		return nil, false, fmt.Errorf("look up a patient: %w", err)
	}
	slices.SortStableFunc(found, func(a, b Patient) int { return exact(b, name) - exact(a, name) })
	return found[:min(len(found), MaxFound)], more || len(found) > MaxFound, nil
}

// ErrNoLookUp is of a system that lets nobody search for patients, as it says itself: no proxy before it, and
// no login that works later.
var ErrNoLookUp = errors.New("the system does not let us look")

// lastingly says that the server itself refuses to be searched.
func lastingly(err error) bool {
	var answered *rest.Error
	return errors.As(err, &answered) && !answered.Strange &&
		slices.Contains([]int{http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented}, answered.Status)
}

// asked is the number that is searched by, in whichever system of numbers.
func (q PatientQuery) asked() string {
	if q.BSN != "" {
		return ""
	}
	return q.Number
}

// searchFor is what the server is asked; nil for a query that says too little.
func (s *fhirServer) searchFor(q PatientQuery) url.Values {
	form := url.Values{"_count": {pageSize}}
	switch {
	case q.BSN != "":
		if !digits(q.BSN, 9) {
			return nil
		}
		form.Set("identifier", fhir.SystemBSN+"|"+q.BSN)
	case q.Number != "" && s.settings.PatientSystem != "":
		form.Set("identifier", rest.Escape(s.settings.PatientSystem)+"|"+rest.Escape(q.Number))
	case q.Number != "": // of whichever system
		form.Set("identifier", rest.Escape(q.Number))
	case line(q.LastName) != "" && datable(q.BirthDate):
		form.Set("birthdate", fhir.Date(q.BirthDate))
	default:
		return nil
	}
	return form
}

// mayMean looks at what a server gives: one that does not know a parameter may give everybody.
func (q PatientQuery) mayMean(p Patient) bool {
	if q.BSN != "" {
		return p.BSN == "" || p.BSN == q.BSN
	}
	if q.Number != "" {
		return p.Number == "" || strings.EqualFold(p.Number, q.Number)
	}
	born := !datable(p.BirthDate) || fhir.Date(p.BirthDate) == fhir.Date(q.BirthDate)
	return born && SameName(p.LastName, line(q.LastName))
}

// SameName goes by the words of a family name in any order: systems write "Vries, de" and
// "de Vries", with and without the partner's name.
func SameName(a, b string) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ' ' || r == ',' || r == '-' })
	}
	few, many := words(a), words(b)
	if len(few) > len(many) {
		few, many = many, few
	}
	return len(few) > 0 && !slices.ContainsFunc(few, func(w string) bool { return !slices.Contains(many, w) })
}

func exact(p Patient, name string) int {
	if strings.EqualFold(p.LastName, name) {
		return 1
	}
	return 0
}

// readPatient reads who it is; a record that is no longer in use is not proposed. Where it is not known
// which identifier is the number, the one that was asked for is.
func (s *fhirServer) readPatient(raw json.RawMessage, asked string) (p Patient, active bool) {
	var r struct {
		fhir.Patient
		Active *bool
		Link   []struct{ Type string }
	}
	if json.Unmarshal(raw, &r) != nil || r.Active != nil && !*r.Active {
		return p, false
	}
	for _, l := range r.Link {
		if l.Type == "replaced-by" { // "must no longer be used": Patient.link.type
			return p, false
		}
	}
	r.Identifier = slices.DeleteFunc(r.Identifier, func(i fhir.Identifier) bool { return i.Use == "old" })
	for _, n := range r.Name {
		if p.LastName == "" {
			p.FirstName, p.LastName = line(strings.Join(n.Given, " ")), line(n.Family)
		}
	}
	for _, i := range r.Identifier {
		switch {
		case i.System == fhir.SystemBSN && digits(i.Value, 9):
			p.BSN = i.Value
		case s.settings.PatientSystem != "" && i.System == s.settings.PatientSystem,
			s.settings.PatientSystem == "" && (i.Use == "usual" || isNumber(i)):
			p.Number = line(i.Value)
		}
	}
	if asked != "" && slices.ContainsFunc(r.Identifier, func(i fhir.Identifier) bool {
		ours := s.settings.PatientSystem == "" && i.System != fhir.SystemBSN || i.System == s.settings.PatientSystem
		return ours && strings.EqualFold(line(i.Value), asked)
	}) {
		p.Number = asked
	}
	for _, t := range r.Telecom {
		switch {
		case t.System == "phone" && p.Phone == "":
			p.Phone = line(t.Value)
		case t.System == "email" && p.Email == "":
			p.Email = line(t.Value)
		}
	}
	p.BirthDate, _ = time.Parse(time.DateOnly, r.BirthDate)
	return p, true
}

func isNumber(i fhir.Identifier) bool {
	return i.Type != nil && slices.ContainsFunc(i.Type.Coding, func(c fhir.Coding) bool { return c.System == fhir.SystemIdentifierType && c.Code == "MR" })
}
