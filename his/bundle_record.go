package his

import (
	"net/url"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// attestation adds the Consent by which the account holder may write about the Derde.
func (m *mapper) attestation() {
	if m.item.Conversation.Derde == nil || m.rule.derde || m.lack("Consent") {
		return
	}
	id := m.item.Conversation.consentID()
	consent := m.create(id, m.consentResource("active"), byIdentifier(id))
	m.consent = &consent
}

// withdrawal ends that Consent; what was filed under it stays. Where there are no Consents each message says
// in words on what ground it was written, and a notice says that this ended.
func (m *mapper) withdrawal() []fhir.Reference {
	if m.lack("Consent") {
		notice := m.communication(nil)
		notice.Topic = text("Grond ingetrokken")
		notice.Note = append(notice.Note, m.markNote(m.item.ID))
		m.rule.change = ""
		return []fhir.Reference{m.create(m.item.ID, notice, byIdentifier(m.item.ID))}
	}
	return []fhir.Reference{m.update(m.item.Conversation.consentID(), m.consentResource("inactive"))}
}

// consentResource has a policyRule always and a policy when the statement has an
// address (rule ppc-1: one of them).
func (m *mapper) consentResource(status string) fhir.Consent {
	derde := m.item.Conversation.Derde
	rule := concept(fhir.SystemActCode, "OPTIN")
	rule.Text = "Verklaring van de patiënt: " + groundLine(*derde)
	c := fhir.Consent{
		ResourceType: "Consent",
		Identifier:   []fhir.Identifier{*ours(m.item.Conversation.consentID())},
		Status:       status,
		Scope:        fhir.Concept(fhir.SystemConsentScope, "patient-privacy"),
		Category:     []fhir.CodeableConcept{fhir.Concept(fhir.SystemActCode, "IDSCL")},
		Patient:      &m.subject,
		DateTime:     fhir.Instant(derde.AttestedAt),
		Performer:    []fhir.Reference{m.writer},
		Organization: []fhir.Reference{m.practice},
		PolicyRule:   rule,
		Provision: &fhir.ConsentProvision{Type: "permit", Actor: []fhir.ConsentActor{{
			Role: capacity(*derde), Reference: m.writer,
		}}},
	}
	if u, err := url.Parse(derde.StatementURI); err == nil && u.IsAbs() {
		c.Policy = []fhir.ConsentPolicy{{URI: u.String()}}
	}
	return c
}

// capacities are what the ground makes of the account holder (v3-RoleCode).
var capacities = map[Ground]string{GroundParent: "GUARD", GroundPermission: "DELEGATEE"}

func capacity(d Derde) fhir.CodeableConcept {
	role := fhir.Concept(fhir.SystemRoleCode, capacities[d.Ground])
	role.Text = "Schrijft over: " + derdeLine(d)
	return role
}

// consentID tells attestations of one conversation apart by their moment.
func (c Conversation) consentID() uuid.UUID {
	return derive(c.ID, "consent", fhir.Instant(c.Derde.AttestedAt))
}

// account adds who filed what, and that it was done.
func (m *mapper) account(filed []fhir.Reference) {
	m.put(derive(m.item.ID, "provenance"), m.provenance(filed))
	m.put(derive(m.item.ID, "audit"), m.auditEvent(filed[0]))
}

// provenance can be asked for by its id: it is there if, and only if, the item is.
func (m *mapper) provenance(filed []fhir.Reference) fhir.Provenance {
	p := fhir.Provenance{
		ResourceType:     "Provenance",
		ID:               resourceID(derive(m.item.ID, "provenance")),
		Target:           filed,
		OccurredDateTime: fhir.Instant(m.item.Sent),
		Recorded:         fhir.Instant(m.item.filed()),
		Activity:         concept(fhir.SystemDataOperation, "CREATE"),
		Agent: []fhir.ProvenanceAgent{
			{Type: concept(fhir.SystemProvenanceAgent, "author"), Who: m.author},
			{Type: concept(fhir.SystemProvenanceAgent, "assembler"), Who: m.bridge, OnBehalfOf: &m.practice},
		},
	}
	if m.rule.change != "" {
		p.Activity = concept(fhir.SystemDataOperation, m.rule.change)
	}
	if why := m.item.body(); m.item.Kind == KindMistake {
		p.Reason = []fhir.CodeableConcept{*text(why)}
	}
	if m.item.Kind == KindEdit {
		p.Entity = []fhir.ProvenanceEntity{{Role: "revision", What: named("Communication", m.item.Replaces)}}
	}
	return p
}

func (m *mapper) auditEvent(filed fhir.Reference) fhir.AuditEvent {
	action := "C"
	if m.rule.change != "" {
		action = "U"
	}
	return fhir.AuditEvent{
		ResourceType: "AuditEvent",
		ID:           resourceID(derive(m.item.ID, "audit")),
		Type:         fhir.Coding{System: fhir.SystemAuditEventType, Code: "rest"},
		Subtype:      []fhir.Coding{{System: fhir.SystemRestfulInteraction, Code: "transaction"}},
		Action:       action,
		Recorded:     fhir.Instant(m.item.filed()),
		Outcome:      "0",
		Agent:        []fhir.AuditAgent{{Who: &m.bridge, Requestor: true}},
		Source:       fhir.AuditSource{Observer: m.bridge},
		Entity: []fhir.AuditEntity{{
			What: &filed, Role: &fhir.Coding{System: fhir.SystemSecurityEntityRole, Code: "4"},
		}},
	}
}
