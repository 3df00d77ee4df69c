package fhir

// Consent: http://hl7.org/fhir/R4/consent.html. Rule ppc-1: Policy or PolicyRule must
// be there; ppc-2: a privacy Consent has a Patient.
type Consent struct {
	ResourceType string            `json:"resourceType"`
	Identifier   []Identifier      `json:"identifier"`
	Status       string            `json:"status"`
	Scope        CodeableConcept   `json:"scope"`
	Category     []CodeableConcept `json:"category"`
	Patient      *Reference        `json:"patient,omitempty"`
	DateTime     string            `json:"dateTime,omitempty"`
	Performer    []Reference       `json:"performer,omitempty"`
	Organization []Reference       `json:"organization,omitempty"`
	Policy       []ConsentPolicy   `json:"policy,omitempty"`
	PolicyRule   *CodeableConcept  `json:"policyRule,omitempty"`
	Provision    *ConsentProvision `json:"provision,omitempty"`
}

// ConsentPolicy is the text that was agreed with.
type ConsentPolicy struct {
	URI string `json:"uri"`
}

// ConsentProvision says what is permitted, and to whom.
type ConsentProvision struct {
	Type  string         `json:"type"`
	Actor []ConsentActor `json:"actor,omitempty"`
}

// ConsentActor is who may, and in which capacity; both are required.
type ConsentActor struct {
	Role      CodeableConcept `json:"role"`
	Reference Reference       `json:"reference"`
}

// Provenance: http://hl7.org/fhir/R4/provenance.html
type Provenance struct {
	ResourceType     string             `json:"resourceType"`
	ID               string             `json:"id"`
	Target           []Reference        `json:"target"`
	OccurredDateTime string             `json:"occurredDateTime,omitempty"`
	Recorded         string             `json:"recorded"`
	Reason           []CodeableConcept  `json:"reason,omitempty"`
	Activity         *CodeableConcept   `json:"activity,omitempty"`
	Agent            []ProvenanceAgent  `json:"agent"`
	Entity           []ProvenanceEntity `json:"entity,omitempty"`
}

// ProvenanceAgent is who had a part in it, and for whom.
type ProvenanceAgent struct {
	Type       *CodeableConcept `json:"type,omitempty"`
	Who        Reference        `json:"who"`
	OnBehalfOf *Reference       `json:"onBehalfOf,omitempty"`
}

// ProvenanceEntity is what was there before.
type ProvenanceEntity struct {
	Role string    `json:"role"`
	What Reference `json:"what"`
}

// AuditEvent: http://hl7.org/fhir/R4/auditevent.html. Rule sev-1: an entity has a
// name or a query, never both; we give neither.
type AuditEvent struct {
	ResourceType string        `json:"resourceType"`
	ID           string        `json:"id"`
	Type         Coding        `json:"type"`
	Subtype      []Coding      `json:"subtype,omitempty"`
	Action       string        `json:"action,omitempty"`
	Recorded     string        `json:"recorded"`
	Outcome      string        `json:"outcome,omitempty"`
	Agent        []AuditAgent  `json:"agent"`
	Source       AuditSource   `json:"source"`
	Entity       []AuditEntity `json:"entity,omitempty"`
}

// AuditAgent is who did it; exactly one of an event's agents requested it.
type AuditAgent struct {
	Who       *Reference `json:"who,omitempty"`
	Requestor bool       `json:"requestor"`
}

// AuditSource is what saw it happen.
type AuditSource struct {
	Observer Reference `json:"observer"`
}

// AuditEntity is what it was done to.
type AuditEntity struct {
	What *Reference `json:"what,omitempty"`
	Role *Coding    `json:"role,omitempty"`
}

// Device: http://hl7.org/fhir/R4/device.html
type Device struct {
	ResourceType string           `json:"resourceType"`
	Identifier   []Identifier     `json:"identifier"`
	Status       string           `json:"status"`
	DeviceName   []DeviceName     `json:"deviceName"`
	Type         *CodeableConcept `json:"type,omitempty"`
	Version      []DeviceVersion  `json:"version,omitempty"`
	Owner        *Reference       `json:"owner,omitempty"`
}

// DeviceName is what a device is called, and by whom; both are required.
type DeviceName struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// DeviceVersion is the version of a part of a device.
type DeviceVersion struct {
	Type  *CodeableConcept `json:"type,omitempty"`
	Value string           `json:"value"`
}

func (r Device) Kind() string     { return r.ResourceType }
func (r Consent) Kind() string    { return r.ResourceType }
func (r Provenance) Kind() string { return r.ResourceType }
func (r AuditEvent) Kind() string { return r.ResourceType }
