package fhir

import "time"

// System URIs, as published by HL7 and Nictiz.
const (
	SystemURI     = "urn:ietf:rfc:3986"
	SystemBSN     = "http://fhir.nl/fhir/NamingSystem/bsn"
	SystemAGB     = "http://fhir.nl/fhir/NamingSystem/agb-z"
	SystemUZIRole = "http://fhir.nl/fhir/NamingSystem/uzi-rolcode"

	SystemActCode            = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	SystemRoleCode           = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
	SystemParticipationMode  = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
	SystemDataOperation      = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
	SystemIdentifierType     = "http://terminology.hl7.org/CodeSystem/v2-0203"
	SystemConsentScope       = "http://terminology.hl7.org/CodeSystem/consentscope"
	SystemProvenanceAgent    = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
	SystemAuditEventType     = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	SystemRestfulInteraction = "http://hl7.org/fhir/restful-interaction"
	SystemSecurityEntityRole = "http://terminology.hl7.org/CodeSystem/object-role"
)

// Identifier is a business identifier: it names a thing, wherever it is kept.
type Identifier struct {
	Use      string           `json:"use,omitempty"`
	Type     *CodeableConcept `json:"type,omitempty"`
	System   string           `json:"system,omitempty"`
	Value    string           `json:"value"`
	Assigner *Reference       `json:"assigner,omitempty"`
}

// Reference points at a resource: by address, or (logically) by its identifier.
type Reference struct {
	Reference  string      `json:"reference,omitempty"`
	Type       string      `json:"type,omitempty"`
	Identifier *Identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

// Coding is one code of one system.
type Coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

// CodeableConcept is a meaning, in codes, in words, or both.
type CodeableConcept struct {
	Coding []Coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

// Concept is the CodeableConcept with one code.
func Concept(system, code string) CodeableConcept {
	return CodeableConcept{Coding: []Coding{{System: system, Code: code}}}
}

// HumanName is a person's name.
type HumanName struct {
	Use    string   `json:"use,omitempty"`
	Text   string   `json:"text,omitempty"`
	Family string   `json:"family,omitempty"`
	Given  []string `json:"given,omitempty"`
}

// ContactPoint is a phone number or an address for mail.
type ContactPoint struct {
	System string `json:"system"`
	Value  string `json:"value"`
}

// Annotation is a remark in words.
type Annotation struct {
	Text string `json:"text"`
}

// Attachment describes data that is kept elsewhere, or (only read) within it. Size is in bytes.
type Attachment struct {
	ContentType string `json:"contentType"`
	Data        string `json:"data,omitempty"`
	URL         string `json:"url"`
	Size        int64  `json:"size"`
	Title       string `json:"title,omitempty"`
}

// Date is a calendar day (FHIR date), in the location that t is in.
func Date(t time.Time) string { return t.Format(time.DateOnly) }

// Instant is a moment to the millisecond in UTC; it is both a FHIR instant and a dateTime.
func Instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
