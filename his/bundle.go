package his

import (
	"slices"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// kindRule is what a kind of item needs and does.
type kindRule struct {
	replaces bool // names another message
	derde    bool // is about an attestation

	files  func(*mapper) []fhir.Reference // adds the item itself; returns what was filed
	status string                         // sets the conversation's FHIR status; "": leaves it
	change string                         // the v3-DataOperation on what was filed before; "": CREATE
}

var kindRules = map[Kind]kindRule{
	KindMessage:    {files: (*mapper).message},
	KindEdit:       {replaces: true, files: (*mapper).edit, change: "UPDATE"},
	KindRemoval:    {replaces: true, files: (*mapper).removal},
	KindClosing:    {files: (*mapper).closing, status: "completed", change: "UPDATE"},
	KindReopening:  {files: (*mapper).conversationItself, status: "in-progress", change: "UPDATE"},
	KindWithdrawal: {derde: true, files: (*mapper).withdrawal, change: "UPDATE"},
	KindMistake:    {files: (*mapper).mistake, change: "NULLIFY"},
}

// Bundle is the item in FHIR R4: one transaction that holds all it refers to, so that
// it can be posted, or read, by itself. An item that cannot be filed is ErrRefused.
//
// Posting a Bundle again changes nothing: what has a natural identity is created only
// if it is not there, what may change is put under its identity, and the rest has an
// id of ours. Whatever lies outside the Bundle (the message that is answered or
// replaced) is named by its identifier and not by a search: a search that finds
// nothing would refuse the whole transaction, and a message may never have been filed.
func Bundle(item Item) (fhir.Bundle, error) { return mapping{}.bundle(item) }

// mapping is what a system wants otherwise. It changes what things are found by, never what
// they are.
type mapping struct {
	patientSystem string   // identifier system of the system's own patient numbers; "": not known
	lacks         []string // types that it does not keep, of those without which a record is still right
}

func (how mapping) bundle(item Item) (fhir.Bundle, error) {
	if err := check(item); err != nil {
		return fhir.Bundle{}, err
	}
	item = filedAnew(item)
	m := &mapper{mapping: how, item: item, rule: kindRules[item.Kind]}
	if item.Kind == KindMistake && len(item.Mistaken) == 0 {
		m.rule.status = enteredInError
	}
	m.people()
	m.conversation()
	m.attestation()
	filed := m.rule.files(m)
	m.account(filed)
	return fhir.Bundle{
		Main:       filed[0].Reference,
		Identifier: *ours(item.ID),
		Timestamp:  fhir.Instant(item.filed()),
		Entry:      m.entries,
	}, nil
}

// enteredInError is how FHIR says of anything that it should not have been there.
const enteredInError = "entered-in-error"

// mapper collects a Bundle's entries and knows by which reference each is called.
type mapper struct {
	mapping
	item    Item
	rule    kindRule
	entries []fhir.Entry

	practice, subject, writer, author fhir.Reference // people.go
	bridge                            fhir.Reference // bundle_device.go
	task, header                      fhir.Reference // bundle_conversation.go
	consent                           *fhir.Reference
}

func (m *mapper) lack(kind string) bool { return slices.Contains(m.lacks, kind) }

// create adds a resource that is made only if the query finds none.
func (m *mapper) create(id uuid.UUID, r fhir.Resource, query string) fhir.Reference {
	return m.add(fullURL(id), r, fhir.Request{Method: "POST", URL: r.Kind(), IfNoneExist: query})
}

// update adds a resource that takes the place of the one with our identifier.
func (m *mapper) update(id uuid.UUID, r fhir.Resource) fhir.Reference {
	return m.add(fullURL(id), r, fhir.Request{Method: "PUT", URL: r.Kind() + "?" + byIdentifier(id)})
}

// put adds a resource that has no identifier and so gets an id of ours: a second POST
// would make a second one.
func (m *mapper) put(id uuid.UUID, r fhir.Resource) fhir.Reference {
	return m.add(fullURL(id), r, fhir.Request{Method: "PUT", URL: r.Kind() + "/" + resourceID(id)})
}

// fullURL names an entry within its Bundle. It is another name than the identifier: there are
// servers that put the address which they gave an entry in the place of its fullUrl wherever
// that stands, also in identifiers.
func fullURL(id uuid.UUID) string { return urn(derive(id, "entry")) }

func (m *mapper) add(fullURL string, r fhir.Resource, request fhir.Request) fhir.Reference {
	m.entries = append(m.entries, fhir.Entry{FullURL: fullURL, Resource: r, Request: request})
	return fhir.Reference{Reference: fullURL}
}

// resourceID starts with letters: servers refuse an id of digits only.
func resourceID(id uuid.UUID) string { return "sk-" + id.String() }

func byIdentifier(id uuid.UUID) string { return "identifier=" + fhir.SystemURI + "|" + urn(id) }

// marked is ours on what people wrote: who reads the system tells our own messages from
// answers by it.
func marked(id uuid.UUID) fhir.Identifier {
	identifier := *ours(id)
	identifier.Assigner = &fhir.Reference{Display: assigner}
	return identifier
}

const assigner = "Spreekkamer"

// ours is the identifier that we gave.
func ours(id uuid.UUID) *fhir.Identifier {
	return &fhir.Identifier{System: fhir.SystemURI, Value: urn(id)}
}

// named refers to something outside the Bundle by the identifier that we gave it.
func named(kind string, id uuid.UUID) fhir.Reference {
	return fhir.Reference{Type: kind, Identifier: ours(id)}
}

// worded is named, in words too: for what the system does not keep.
func worded(kind string, id uuid.UUID, as string) fhir.Reference {
	who := named(kind, id)
	who.Display = as
	return who
}

func text(s string) *fhir.CodeableConcept { return &fhir.CodeableConcept{Text: s} }

func concept(system, code string) *fhir.CodeableConcept {
	c := fhir.Concept(system, code)
	return &c
}
