package his

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"bytes"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// mostFiles bounds the files of one answer, in bytes: one that names a file a thousand times is in
// memory a thousand times.
const mostFiles = 64 << 20

// author reads who a reference means: a name for the patient, and a function. Somebody who
// cannot be found has no name.
func (s *fhirServer) author(ctx context.Context, ref *fhir.Reference) (a Author, err error) {
	return s.authorWith(ctx, ref, true)
}

// authorWith also reads whose function it is. That is a person, and never another function: those
// could go round.
func (s *fhirServer) authorWith(ctx context.Context, ref *fhir.Reference, person bool) (a Author, err error) {
	if ref == nil {
		return a, nil
	}
	a.Name = line(ref.Display)
	if ref.Reference == "" {
		return a, nil
	}
	if isPatient(s.kindOf(*ref)) {
		return Author{Role: RolePatient}, nil // also when it cannot be read
	}
	at, err := s.stored(ctx, ref.Reference)
	if ofOne(err) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	var who struct {
		Name         json.RawMessage // a text, or several names of a person
		Practitioner *fhir.Reference
		Code         []fhir.CodeableConcept
	}
	if !at.read(&who) {
		return a, nil
	}
	if name := nameOf(who.Name); name != "" {
		a.Name = name
	}
	if who.Practitioner != nil && person {
		person, err := s.authorWith(ctx, who.Practitioner, false)
		if err != nil {
			return a, err
		}
		if person.Name != "" {
			a.Name = person.Name
		}
		a.Role = functionOf(who.Code)
	}
	return a, nil
}

// functionOf is a function in the practice: nobody there passes for the patient or for the bridge.
func functionOf(codes []fhir.CodeableConcept) Role {
	role := Role(roleOf(codes))
	if role == RolePatient || role == RoleBridge {
		return ""
	}
	return role
}

// forPatient says that a message is meant for the patient: whom it names, if anyone, is one, or
// who acts for one. A note to a colleague in the same thread is not.
func (s *fhirServer) forPatient(to []fhir.Reference, subject *fhir.Reference) bool {
	return len(to) == 0 || slices.ContainsFunc(to, func(ref fhir.Reference) bool {
		return isPatient(s.kindOf(ref)) || subject != nil && s.same(ref, *subject)
	})
}

// kindOf is the type that a reference says; "" when it says none.
func (s *fhirServer) kindOf(ref fhir.Reference) string {
	if path, ok := s.client.Relative(ref.Reference); ok {
		return typeOfPath(path)
	}
	return ref.Type
}

func isPatient(kind string) bool { return kind == "Patient" || kind == "RelatedPerson" }

func nameOf(raw json.RawMessage) string {
	var one string
	var all []fhir.HumanName
	if json.Unmarshal(raw, &one) == nil {
		return line(one)
	}
	if json.Unmarshal(raw, &all) != nil || len(all) == 0 {
		return ""
	}
	if all[0].Text != "" {
		return line(all[0].Text)
	}
	return line(strings.Join(all[0].Given, " ") + " " + all[0].Family)
}

func roleOf(codes []fhir.CodeableConcept) string {
	for _, c := range codes {
		if c.Text != "" {
			return strings.ToLower(line(c.Text))
		}
		for _, code := range c.Coding {
			if code.System == fhir.SystemUZIRole && code.Code == "01.015" {
				return string(RoleHuisarts)
			}
			if code.Display != "" {
				return strings.ToLower(line(code.Display))
			}
		}
	}
	return ""
}

// readPayload reads the words and the files of an answer.
func (s *fhirServer) readPayload(ctx context.Context, c fhir.Communication, a *Answer) error {
	var said []string
	for _, p := range c.Payload {
		var file *fhir.Attachment
		switch {
		case p.ContentString != "":
			said = append(said, strings.TrimSpace(plain(p.ContentString)))
		case p.ContentAttachment != nil:
			file = p.ContentAttachment
		case p.ContentReference != nil:
			at, err := s.resolve(ctx, "DocumentReference", *p.ContentReference)
			if err != nil && !ofOne(err) {
				return err
			}
			var d fhir.DocumentReference
			if err == nil && at.read(&d) && len(d.Content) > 0 {
				file = &d.Content[0].Attachment
			}
			a.Problem = problemIf(file == nil, ProblemFileMissing)
		}
		if file != nil {
			if err := s.readFile(ctx, *file, a); err != nil {
				return err
			}
		}
		if a.Problem != "" {
			return nil
		}
	}
	a.Text = strings.Join(said, "\n\n")
	return nil
}

// readFile adds a file that is inside the resource, or in a Binary of the same server. What
// lies elsewhere is not fetched: an address in a record could point anywhere.
func (s *fhirServer) readFile(ctx context.Context, f fhir.Attachment, a *Answer) error {
	var data []byte
	if f.Data != "" {
		decoded, err := base64.StdEncoding.DecodeString(f.Data)
		if err != nil {
			a.Problem = ProblemFileUnreadable
			return nil
		}
		data = decoded
	} else {
		path, ok := s.client.Relative(f.URL)
		if !ok {
			a.Problem = ProblemFileElsewhere
			return nil
		}
		var err error
		if data, err = s.binary(ctx, path); err != nil {
			if !ofOne(err) {
				return err
			}
			a.Problem = cmp.Or(problemIf(errors.Is(err, rest.CodeMissing), ProblemFileMissing), ProblemFileUnreadable)
			return nil
		}
	}
	total := int64(len(data))
	for _, other := range a.Attachments {
		total += other.Size
	}
	if total > mostFiles {
		a.Problem = ProblemTooLarge
		return nil
	}
	a.Attachments = append(a.Attachments, Attachment{
		Name: line(f.Title), ContentType: mediaType(f.ContentType), Size: int64(len(data)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	})
	return nil
}

func (s *fhirServer) binary(ctx context.Context, path string) ([]byte, error) {
	var b struct{ Data string }
	if err := s.askFor(ctx, path, &b); err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(b.Data)
	if err != nil {
		return nil, &rest.Error{Status: 200, Code: rest.CodeNotFHIR}
	}
	return data, nil
}
