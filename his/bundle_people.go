package his

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

// people adds the practice, whom it is about, and who writes.
//
// A Derde who is a patient is the subject, and the account holder a RelatedPerson of
// that patient. A Derde who is not stays in words: the HIS has no record of that
// person, and the bridge must not start one.
func (m *mapper) people() {
	c := m.item.Conversation
	m.practice = m.organization(c.Practice)
	m.bridge = m.device(c.Practice)
	if c.Derde == nil || c.Derde.Patient == nil {
		m.subject = m.patient(c.Patient)
		m.writer = m.subject
	} else {
		m.subject = m.patient(*c.Derde.Patient)
		m.writer = m.relatedPerson(c)
	}
	switch m.item.Author.Role {
	case RolePatient:
		m.author = m.writer
	case RoleBridge:
		m.author = m.bridge
	default:
		m.author = m.staff(m.item.Author)
	}
}

// organization goes by its AGB code if it has one: the HIS knows it by that.
func (m *mapper) organization(p Practice) fhir.Reference {
	id := derive(namespace, "practice", p.ID)
	identifiers, query := []fhir.Identifier{*ours(id)}, byIdentifier(id)
	if p.AGB != "" {
		identifiers = append(identifiers, fhir.Identifier{System: fhir.SystemAGB, Value: p.AGB})
		query = "identifier=" + fhir.SystemAGB + "|" + p.AGB
	}
	return m.create(id, fhir.Organization{ResourceType: "Organization", Identifier: identifiers, Name: line(p.Name)}, query)
}

// patient goes by the BSN if there is one: the HIS has that patient already, and a
// second record of one person is a danger.
func (m *mapper) patient(p Patient) fhir.Reference {
	id := m.patientID(p)
	number := concept(fhir.SystemIdentifierType, "MR")
	number.Text = "Patiëntnummer"
	inHIS := fhir.Identifier{Use: "usual", Type: number, System: m.patientSystem, Value: line(p.Number), Assigner: &m.practice}
	return m.create(id, fhir.Patient{
		ResourceType: "Patient",
		Identifier:   append(personIdentifiers(id, p), inHIS),
		Name:         personName(p), Telecom: telecom(p), BirthDate: birthDate(p),
		ManagingOrganization: &m.practice,
	}, patientQuery(p, id, m.patientSystem))
}

// patientQuery finds a patient: by the BSN, else by the number in the HIS, where its system is known,
// else by the identifier that we gave.
func patientQuery(p Patient, id uuid.UUID, system string) string {
	switch {
	case p.BSN != "":
		return "identifier=" + fhir.SystemBSN + "|" + p.BSN
	case system != "":
		return "identifier=" + system + "|" + url.QueryEscape(rest.Escape(line(p.Number)))
	}
	return byIdentifier(id)
}

func (m *mapper) relatedPerson(c Conversation) fhir.Reference {
	id := derive(m.patientID(*c.Derde.Patient), "related", m.patientID(c.Patient).String())
	if m.lack("RelatedPerson") {
		return worded("RelatedPerson", id, fullName(c.Patient))
	}
	return m.create(id, fhir.RelatedPerson{
		ResourceType: "RelatedPerson",
		Identifier:   personIdentifiers(id, c.Patient),
		Patient:      m.subject,
		Relationship: relationship(c.Derde.relation()),
		Name:         personName(c.Patient), Telecom: telecom(c.Patient), BirthDate: birthDate(c.Patient),
	}, byIdentifier(id))
}

// staff adds who in the practice wrote, and in what function.
func (m *mapper) staff(a Author) fhir.Reference {
	practice := m.item.Conversation.Practice.ID
	id := derive(namespace, "staff", practice, a.ID.String())
	if a.ID == uuid.Nil {
		id = derive(namespace, "staff", practice, string(a.Role), a.Name)
	}
	who := m.create(id, fhir.Practitioner{
		ResourceType: "Practitioner",
		Identifier:   []fhir.Identifier{*ours(id)},
		Name:         []fhir.HumanName{{Text: line(a.Name)}},
	}, byIdentifier(id))
	if m.lack("PractitionerRole") { // then the function is in words
		who.Display = a.signature()
		return who
	}
	role := derive(id, "role", string(a.Role))
	return m.create(role, fhir.PractitionerRole{
		ResourceType: "PractitionerRole",
		Identifier:   []fhir.Identifier{*ours(role)},
		Practitioner: who,
		Organization: m.practice,
		Code:         []fhir.CodeableConcept{roleCode(a.Role)},
	}, byIdentifier(role))
}

// roleCode has a code for the function that the UZI register knows; the others are
// in words.
func roleCode(role Role) fhir.CodeableConcept {
	code := *text(line(string(role)))
	if role == RoleHuisarts {
		code.Coding = []fhir.Coding{{System: fhir.SystemUZIRole, Code: "01.015"}}
	}
	return code
}

// patientID tells patients apart by their number within the practice.
func (m *mapper) patientID(p Patient) uuid.UUID {
	return patientID(m.item.Conversation.Practice, p)
}

func patientID(of Practice, p Patient) uuid.UUID {
	return derive(namespace, "patient", of.ID, p.Number)
}

func personIdentifiers(id uuid.UUID, p Patient) []fhir.Identifier {
	all := []fhir.Identifier{*ours(id)}
	if p.BSN != "" {
		all = append(all, fhir.Identifier{Use: "official", System: fhir.SystemBSN, Value: p.BSN})
	}
	return all
}

func personName(p Patient) []fhir.HumanName {
	name := fhir.HumanName{Use: "official", Text: fullName(p), Family: line(p.LastName)}
	if given := line(p.FirstName); given != "" {
		name.Given = []string{given}
	}
	if name.Text == "" {
		return nil
	}
	return []fhir.HumanName{name}
}

func fullName(p Patient) string { return cmp.Or(line(p.FirstName+" "+p.LastName), line(p.Name)) }

func telecom(p Patient) (all []fhir.ContactPoint) {
	if phone := line(p.Phone); phone != "" {
		all = append(all, fhir.ContactPoint{System: "phone", Value: phone})
	}
	if email := line(p.Email); email != "" {
		all = append(all, fhir.ContactPoint{System: "email", Value: email})
	}
	return all
}

func birthDate(p Patient) string {
	if !datable(p.BirthDate) {
		return ""
	}
	return fhir.Date(p.BirthDate)
}

// inverse is what the account holder is of the Derde (v3-RoleCode), by what the Derde
// is of the account holder. A word that is not here is left in words.
var inverse = map[string]string{
	"kind": "PRN", "zoon": "PRN", "dochter": "PRN", "zoon of dochter": "PRN",
	"moeder": "CHILD", "vader": "CHILD", "ouder": "CHILD",
	"broer": "SIB", "zus": "SIB",
	"opa": "GRNDCHILD", "oma": "GRNDCHILD",
	"kleinkind": "GRPRN", "kleinzoon": "GRPRN", "kleindochter": "GRPRN",
	"partner": "SIGOTHR", "man": "SPS", "vrouw": "SPS", "echtgenoot": "SPS", "echtgenote": "SPS",
	"huisgenoot": "ROOM", "buurman": "NBOR", "buurvrouw": "NBOR", "vriend": "FRND", "vriendin": "FRND",
}

func relationship(relation string) []fhir.CodeableConcept {
	relation = line(relation)
	if relation == "" {
		return nil
	}
	said := *text("schrijft over: " + relation)
	if code, known := inverse[strings.TrimPrefix(strings.ToLower(relation), "mijn ")]; known {
		said.Coding = []fhir.Coding{{System: fhir.SystemRoleCode, Code: code}}
	}
	return []fhir.CodeableConcept{said}
}
