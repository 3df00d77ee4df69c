package fhir

// A Resource is anything that can stand in a Bundle.
type Resource interface{ Kind() string }

// Patient: http://hl7.org/fhir/R4/patient.html
type Patient struct {
	ResourceType         string         `json:"resourceType"`
	Identifier           []Identifier   `json:"identifier"`
	Name                 []HumanName    `json:"name,omitempty"`
	Telecom              []ContactPoint `json:"telecom,omitempty"`
	BirthDate            string         `json:"birthDate,omitempty"`
	ManagingOrganization *Reference     `json:"managingOrganization,omitempty"`
}

// RelatedPerson: http://hl7.org/fhir/R4/relatedperson.html
type RelatedPerson struct {
	ResourceType string            `json:"resourceType"`
	Identifier   []Identifier      `json:"identifier"`
	Patient      Reference         `json:"patient"`
	Relationship []CodeableConcept `json:"relationship,omitempty"`
	Name         []HumanName       `json:"name,omitempty"`
	Telecom      []ContactPoint    `json:"telecom,omitempty"`
	BirthDate    string            `json:"birthDate,omitempty"`
}

// Organization: http://hl7.org/fhir/R4/organization.html
type Organization struct {
	ResourceType string       `json:"resourceType"`
	Identifier   []Identifier `json:"identifier"`
	Name         string       `json:"name,omitempty"`
}

// Practitioner: http://hl7.org/fhir/R4/practitioner.html
type Practitioner struct {
	ResourceType string       `json:"resourceType"`
	Identifier   []Identifier `json:"identifier"`
	Name         []HumanName  `json:"name"`
}

// PractitionerRole: http://hl7.org/fhir/R4/practitionerrole.html
type PractitionerRole struct {
	ResourceType string            `json:"resourceType"`
	Identifier   []Identifier      `json:"identifier"`
	Practitioner Reference         `json:"practitioner"`
	Organization Reference         `json:"organization"`
	Code         []CodeableConcept `json:"code"`
}

// Task: http://hl7.org/fhir/R4/task.html
type Task struct {
	ResourceType string           `json:"resourceType"`
	Identifier   []Identifier     `json:"identifier"`
	Group        *Identifier      `json:"groupIdentifier,omitempty"`
	Status       string           `json:"status"`
	StatusReason *CodeableConcept `json:"statusReason,omitempty"`
	Intent       string           `json:"intent"`
	Priority     string           `json:"priority"`
	Code         *CodeableConcept `json:"code,omitempty"`
	Description  string           `json:"description,omitempty"`
	Focus        *Reference       `json:"focus,omitempty"`
	For          *Reference       `json:"for,omitempty"`
	AuthoredOn   string           `json:"authoredOn"`
	LastModified string           `json:"lastModified"`
	Requester    *Reference       `json:"requester,omitempty"`
	Owner        *Reference       `json:"owner,omitempty"`

	BusinessStatus *CodeableConcept `json:"businessStatus,omitempty"`
	Output         []TaskOutput     `json:"output,omitempty"`
}

// TaskOutput is what came of a Task. We only read it.
type TaskOutput struct {
	ID             string          `json:"id,omitempty"`
	Type           CodeableConcept `json:"type"`
	ValueString    string          `json:"valueString,omitempty"`
	ValueReference *Reference      `json:"valueReference,omitempty"`
}

// Communication: http://hl7.org/fhir/R4/communication.html
type Communication struct {
	ResourceType string            `json:"resourceType"`
	Identifier   []Identifier      `json:"identifier"`
	PartOf       []Reference       `json:"partOf,omitempty"`
	InResponseTo []Reference       `json:"inResponseTo,omitempty"`
	Status       string            `json:"status"`
	StatusReason *CodeableConcept  `json:"statusReason,omitempty"`
	Category     []CodeableConcept `json:"category,omitempty"`
	Priority     string            `json:"priority,omitempty"`
	Medium       []CodeableConcept `json:"medium,omitempty"`
	Subject      *Reference        `json:"subject,omitempty"`
	Topic        *CodeableConcept  `json:"topic,omitempty"`
	About        []Reference       `json:"about,omitempty"`
	Sent         string            `json:"sent,omitempty"`
	Recipient    []Reference       `json:"recipient,omitempty"`
	Sender       *Reference        `json:"sender,omitempty"`
	Payload      []Payload         `json:"payload,omitempty"`
	Note         []Annotation      `json:"note,omitempty"`
}

// Payload is one part of a Communication: exactly one is set. ContentAttachment is only read.
type Payload struct {
	ContentString     string      `json:"contentString,omitempty"`
	ContentAttachment *Attachment `json:"contentAttachment,omitempty"`
	ContentReference  *Reference  `json:"contentReference,omitempty"`
}

// DocumentReference: http://hl7.org/fhir/R4/documentreference.html
type DocumentReference struct {
	ResourceType     string            `json:"resourceType"`
	MasterIdentifier *Identifier       `json:"masterIdentifier,omitempty"`
	Identifier       []Identifier      `json:"identifier"`
	Status           string            `json:"status"`
	DocStatus        string            `json:"docStatus,omitempty"`
	Type             *CodeableConcept  `json:"type,omitempty"`
	Subject          *Reference        `json:"subject,omitempty"`
	Date             string            `json:"date,omitempty"`
	Author           []Reference       `json:"author,omitempty"`
	Custodian        *Reference        `json:"custodian,omitempty"`
	Description      string            `json:"description,omitempty"`
	Content          []DocumentContent `json:"content"`
	Context          *DocumentContext  `json:"context,omitempty"`
}

// DocumentContext is in what care a document arose.
type DocumentContext struct {
	Event   []CodeableConcept `json:"event,omitempty"`
	Related []Reference       `json:"related,omitempty"`
}

// DocumentContent is where a document's data is.
type DocumentContent struct {
	Attachment Attachment `json:"attachment"`
}

func (r Patient) Kind() string           { return r.ResourceType }
func (r RelatedPerson) Kind() string     { return r.ResourceType }
func (r Organization) Kind() string      { return r.ResourceType }
func (r Practitioner) Kind() string      { return r.ResourceType }
func (r PractitionerRole) Kind() string  { return r.ResourceType }
func (r Task) Kind() string              { return r.ResourceType }
func (r Communication) Kind() string     { return r.ResourceType }
func (r DocumentReference) Kind() string { return r.ResourceType }
