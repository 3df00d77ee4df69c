package rest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// outcome is what is read of an OperationOutcome.
type outcome struct {
	Issue []struct {
		Severity    string   `json:"severity"`
		Code        string   `json:"code"`
		Diagnostics string   `json:"diagnostics"`
		Expression  []string `json:"expression"`
		Location    []string `json:"location"`
	} `json:"issue"`
}

// What is told is bounded: a server may find something in every entry, and a path may go round.
const (
	mostIssues = 8
	mostSteps  = 16 // of a path
)

// where collects, of the errors only (the first issue may be a warning), the kind, the element
// and HAPI's number of the message. A server's own words may repeat what was sent, in any place
// and any form. So nothing is cleaned of what is personal: only what is in the lists below gets
// out, which are FHIR's own words.
func where(body []byte) string {
	var o outcome
	if json.Unmarshal(body, &o) != nil {
		return ""
	}
	var all []string
	told := 0
	for _, i := range o.Issue {
		if i.Severity != "error" && i.Severity != "fatal" || told == mostIssues {
			continue
		}
		told++
		if issueTypes[i.Code] {
			all = append(all, i.Code)
		}
		at := ""
		for _, said := range slices.Concat(i.Expression, i.Location) { // the first that says anything: they tell the same twice
			if at = element(said); at != "" {
				all = append(all, at)
				break
			}
		}
		if number := hapiNumber.FindStringSubmatch(i.Diagnostics); number != nil {
			all = append(all, number[1])
		}
	}
	return strings.Join(all, ", ")
}

var (
	// HAPI begins a message with its number and a colon. The numbers of other servers cannot be
	// told from a patient's.
	hapiNumber = regexp.MustCompile(`^(HAPI-\d{4}): `)
	// HAPI says in a comment within a path which resource it means, by its id.
	comment = regexp.MustCompile(`/\*.*?\*/`)
	step    = regexp.MustCompile(`^([A-Za-z]+)(\[\d{1,3}\])?$`)
	ofType  = regexp.MustCompile(`^ofType\(([A-Za-z]+)\)$`)
)

// element is a path in a resource such as Bundle.entry[2].resource.birthDate, as far as each
// step is the name of an element; "" when it is no such path at all.
func element(said string) string {
	steps := strings.Split(comment.ReplaceAllString(said, ""), ".")
	if !resourceTypes[steps[0]] {
		return ""
	}
	steps = steps[:min(len(steps), mostSteps)]
	for n, s := range steps[1:] {
		name, of := step.FindStringSubmatch(s), ofType.FindStringSubmatch(s)
		if (name == nil || !elements[name[1]]) && (of == nil || !resourceTypes[of[1]]) {
			return strings.Join(steps[:n+1], ".")
		}
	}
	return strings.Join(steps, ".")
}

func words(lists ...string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(strings.Join(lists, " ")) {
		all[word] = true
	}
	return all
}

// issueTypes is https://hl7.org/fhir/R4/valueset-issue-type.html.
var issueTypes = words(`invalid structure required value invariant security login unknown expired forbidden suppressed
	processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly
	business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational`)

// IssueTypes are the kinds of errors that can be told.
func IssueTypes() []string { return slices.Sorted(maps.Keys(issueTypes)) }

// resourceTypes are those that we send.
var resourceTypes = words(`AuditEvent Binary Bundle Communication Consent DocumentReference Organization Patient
	Practitioner PractitionerRole Provenance RelatedPerson Subscription Task`)

// elements of these resources and of the data types in them (FHIR R4).
var elements = words(
	`about action active activity actor address agent agentReference altId assigner attachment author authenticator
	authoredOn authority basedOn birthDate businessStatus category channel city class code codeFilter coding comparator
	contact content contentAttachment contentReference contentString contentType context country creation criteria
	custodian data dataReference date dateTime deceasedBoolean deceasedDateTime description detail display district
	docStatus encounter end endpoint entity entry error etag event executionPeriod expression extension facilityType
	family focus for format fullUrl gender given groupIdentifier hash header height id identifier ifMatch
	ifModifiedSince ifNoneExist ifNoneMatch implicitRules inResponseTo input instantiatesCanonical instantiatesUri
	insurance intent language lastModified lastUpdated lifecycle line link linkId location managingOrganization
	maritalStatus masterIdentifier media medium meaning meta method mode modifierExtension name network note observer
	occurredDateTime occurredPeriod onBehalfOf organization outcome outcomeDesc output owner parameter partOf patient
	payload performer performerType period photo policy policyRule postalCode practiceSetting practitioner prefix
	priority profile provision purposeOfEvent purposeOfUse query rank reason reasonCode reasonReference received
	recipient recorded reference referenceSeq related relatesTo relationship repetitions requester requestor request
	resource response restriction role scope search securityContext securityLabel sender sensitivityLevel sent
	sequence signature site size source sourceAttachment sourcePatientInfo sourceReference specialty state status
	statusReason subject subtype suffix system tag target telecom text timestamp title topic total type uri url use
	userSelected value valueBoolean valueCode valueCodeableConcept valueCoding valueDateTime valueIdentifier
	valueInstant valueReference valueString valueUri verification verified verifiedWith version versionId what when
	who`)
