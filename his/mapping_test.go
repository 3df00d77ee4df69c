package his_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

func TestWhoWritesToWhomAboutWhom(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		author                     his.Role
		child                      *his.Derde
		subject, sender, recipient string
		said                       string
	}{
		{"a patient about himself", his.RolePatient, nil, "Patient", "Patient", "Organization", ""},
		{"the practice to a patient", his.RoleDoktersassistent, nil, "Patient", "PractitionerRole", "Patient", ""},
		{"a patient about a child we do not know", his.RolePatient, histest.Child(nil), "Patient", "Patient", "Organization", "Sanne"},
		{"a parent about a patient", his.RolePatient, histest.Child(histest.ChildPatient()), "Patient", "RelatedPerson", "Organization", "Sanne"},
		{"the practice to a parent", his.RoleHuisarts, histest.Child(histest.ChildPatient()), "Patient", "PractitionerRole", "RelatedPerson", "Sanne"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			item := histest.Message(1)
			item.Author.Role, item.Conversation.Derde = tt.author, tt.child
			_, b := write(t, item)
			said := b.said(t).Resource
			assert.Equal(t, b.one(t, tt.subject).FullURL, said["subject"].(map[string]any)["reference"])
			assert.Equal(t, b.one(t, tt.sender).FullURL, said["sender"].(map[string]any)["reference"])
			assert.Equal(t, b.one(t, tt.recipient).FullURL, said["recipient"].([]any)[0].(map[string]any)["reference"])
			assert.Equal(t, tt.said != "", said["note"] != nil && strings.Contains(said["note"].([]any)[0].(map[string]any)["text"].(string), "Sanne"))
			assert.Equal(t, tt.child != nil, said["about"] != nil, "the attestation is named with every message")
		})
	}
}

func TestAMessageBearsTheMarkByWhichOthersPointToIt(t *testing.T) {
	first, second := histest.Message(1), histest.Message(2)
	for name, tt := range map[string]struct {
		kind his.Kind
		want string
	}{
		"a message": {his.KindMessage, his.Mark(second.ID) + "; nummer 2"},
		"an edit":   {his.KindEdit, his.Mark(first.ID) + ", " + his.Mark(second.ID) + "; nummers 1, 2"},
		"a removal": {his.KindRemoval, his.Mark(second.ID) + "; nummer 2"},
	} {
		item := second
		item.Kind, item.Conversation.Derde = tt.kind, histest.Child(nil)
		if tt.kind != his.KindMessage {
			item.Replaces, item.ReplacesSeq = first.ID, first.Seq
		}
		_, b := write(t, item)
		notes := b.said(t).Resource["note"].([]any)
		assert.Contains(t, notes, map[string]any{"text": "Kenmerk: " + tt.want + " in dit gesprek"}, name)
		assert.Contains(t, notes[0].(map[string]any)["text"], "Sanne", "whom it is about comes first")
	}
}

func TestThePatientIsTheDerdeWhomThePracticeKnows(t *testing.T) {
	item := histest.Message(1)
	item.Conversation.Derde = histest.Child(histest.ChildPatient())
	_, b := write(t, item)
	assert.Equal(t, "identifier=http://fhir.nl/fhir/NamingSystem/bsn|123456782", b.one(t, "Patient").Request.IfNoneExist)
	related := b.one(t, "RelatedPerson").Resource
	assert.Equal(t, "PRN", related["relationship"].([]any)[0].(map[string]any)["coding"].([]any)[0].(map[string]any)["code"])
}

func TestPatientsOfDifferentPracticesAreDifferent(t *testing.T) {
	a, b := histest.Message(1), histest.Message(1)
	a.Conversation.Patient.BSN, b.Conversation.Patient.BSN = "", ""
	b.Conversation.Practice.ID = "eik"
	_, first := write(t, a)
	_, second := write(t, b)
	assert.NotEqual(t, first.one(t, "Patient").FullURL, second.one(t, "Patient").FullURL)
	assert.Equal(t, "identifier=urn:ietf:rfc:3986|"+first.one(t, "Patient").Resource["identifier"].([]any)[0].(map[string]any)["value"].(string), first.one(t, "Patient").Request.IfNoneExist)
}

func TestOnlyAChangeOfStateWritesTheTaskAgain(t *testing.T) {
	for _, tt := range []struct {
		name           string
		kind           his.Kind
		now            his.Status
		method, status string
	}{
		{"a message in an open conversation", his.KindMessage, his.StatusOpen, "POST", "in-progress"},
		{"a message in a closed conversation", his.KindMessage, his.StatusClosed, "POST", "completed"},
		{"an edit", his.KindEdit, his.StatusOpen, "POST", "in-progress"},
		{"a closing", his.KindClosing, his.StatusOpen, "PUT", "completed"},
		{"a reopening", his.KindReopening, his.StatusClosed, "PUT", "in-progress"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			item := histest.Message(1)
			item.Kind, item.Conversation.Status, item.Replaces = tt.kind, tt.now, uuid.New()
			_, b := write(t, item)
			task := b.one(t, "Task")
			assert.Equal(t, tt.method, task.Request.Method)
			assert.Equal(t, tt.status, task.Resource["status"])
		})
	}
}

func TestATaskIsNeverOlderThanItsConversation(t *testing.T) {
	item := histest.Message(1)
	item.Sent = item.Conversation.Opened.Add(-time.Hour) // by the clock of another server
	item.Conversation.Derde = histest.Child(histest.ChildPatient())
	item.Conversation.Derde.Relation = ""
	_, b := write(t, item)
	assert.Equal(t, "2026-06-01T09:12:00.123Z", b.one(t, "Task").Resource["lastModified"])
	assert.NotContains(t, b.one(t, "RelatedPerson").Resource, "relationship")
}

func TestAnEditIsANewVersionOfTheMessage(t *testing.T) {
	said, edit := histest.Message(1), histest.Message(2)
	edit.Kind, edit.Replaces = his.KindEdit, said.ID
	_, b := write(t, edit)
	e := b.said(t)
	assert.Equal(t, "PUT", e.Request.Method)
	assert.Equal(t, "Communication?identifier=urn:ietf:rfc:3986|urn:uuid:"+said.ID.String(), e.Request.URL)
	provenance := b.one(t, "Provenance").Resource
	assert.Equal(t, "revision", provenance["entity"].([]any)[0].(map[string]any)["role"])
}

func TestAWithdrawalEndsTheConsentThatWasFiled(t *testing.T) {
	said, withdrawal := histest.Message(1), histest.Message(2)
	said.Conversation.Derde, withdrawal.Conversation.Derde = histest.Child(nil), histest.Child(nil)
	withdrawal.Kind = his.KindWithdrawal
	_, before := write(t, said)
	_, after := write(t, withdrawal)
	assert.Equal(t, before.one(t, "Consent").FullURL, after.one(t, "Consent").FullURL)
	assert.Equal(t, "active", before.one(t, "Consent").Resource["status"])
	assert.Equal(t, "inactive", after.one(t, "Consent").Resource["status"])
	assert.Equal(t, "PUT", after.one(t, "Consent").Request.Method)
}

func TestAClosingIsOneDocument(t *testing.T) {
	item := histest.Message(3)
	item.Kind, item.Text, item.Closing = his.KindClosing, "", histest.Document()
	_, b := write(t, item)
	text, err := base64.StdEncoding.DecodeString(b.one(t, "Binary").Resource["data"].(string))
	require.NoError(t, err)
	assert.Equal(t, `Gesprek 1042
Huisartsenpraktijk De Linde, patiënt: Jan de Vries, geboren 2 maart 1980, patiëntnummer 20417, BSN 999990019
Contact: Telemedicine consultation with patient (448337001)
Afgesloten: op 1 juni 2026 om 11:15 uur, door Fatima (doktersassistent)

Nummers 1, 2: Jan de Vries (patiënt), 1 juni 2026 om 11:12 uur:
    Is deze plek erg?
    Ik heb hem een week.
    [bijlage: plek.jpg]

Nummer 3: Fatima (doktersassistent), 1 juni 2026 om 12:12 uur:
    Nee, dat is een schaafwond.

Samenvatting door Fatima (doktersassistent):
    S: plek op arm. E: schaafwond. P: afwachten.
`, string(text))
	event := b.one(t, "DocumentReference").Resource["context"].(map[string]any)["event"].([]any)[0].(map[string]any)
	assert.Equal(t, "448337001", event["coding"].([]any)[0].(map[string]any)["code"])
	attachment := b.one(t, "DocumentReference").Resource["content"].([]any)[0].(map[string]any)["attachment"].(map[string]any)
	assert.Equal(t, "Gesprek 1042.txt", attachment["title"])
	assert.InDelta(t, len(text), attachment["size"], 0)
}

// A GP who reads on sees that nobody answered, and need not wonder whether something is missing.
func TestAClosingWithoutAnAnswerSaysSo(t *testing.T) {
	item := histest.Message(3)
	item.Kind, item.Text, item.Closing = his.KindClosing, "", histest.Document()
	const none = "Antwoord: de praktijk heeft in dit gesprek niet geantwoord\n\nNummers 1, 2: Jan"
	assert.NotContains(t, his.Readable(item, nil), "niet geantwoord")
	item.Closing.Unanswered, item.Closing.ClosedBy = true, his.Author{}
	assert.Contains(t, his.Readable(item, nil), none)
	assert.Contains(t, his.Readable(item, nil), "Afgesloten: op 1 juni 2026 om 11:15 uur\n")
}

func TestAClosingSaysByWhomOrWhy(t *testing.T) {
	for _, tt := range []struct {
		name  string
		by    his.Author
		why   his.Ending
		derde *his.Derde
		want  string
	}{
		{"staff", his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}, "", nil, "door Fatima (doktersassistent)"},
		{"the patient", his.Author{}, his.EndingWithdrawn, nil, "omdat Jan de Vries (patiënt) de eigen toestemming voor de chat introk"},
		{"who writes about a patient", his.Author{}, his.EndingWithdrawn, histest.Child(histest.ChildPatient()), "omdat Jan de Vries (schrijft over de patiënt) de eigen toestemming voor de chat introk"},
		{"staff, for a reason", his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}, his.EndingAnother, nil, "door Fatima (doktersassistent), omdat Jan de Vries (patiënt) opnieuw moet zeggen over wie het gaat"},
		{"an account that was declined", his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}, his.EndingDeclined, nil, "door Fatima (doktersassistent), omdat het account van Jan de Vries (patiënt) is afgewezen"},
		{"nobody", his.Author{}, his.EndingGround, histest.Child(nil), "automatisch, omdat de grond waarop Jan de Vries (patiënt, schrijft over een ander) over een ander schrijft niet meer geldt"},
		{"their own system", his.Author{}, his.EndingInSystem, nil, "door de praktijk, in het eigen systeem"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			item := histest.Message(3)
			item.Kind, item.Text, item.Conversation.Derde = his.KindClosing, "", tt.derde
			item.Closing = &his.Closing{ClosedBy: tt.by, Ending: tt.why}
			assert.Contains(t, his.Readable(item, nil), "\nAfgesloten: op 1 juni 2026 om 11:15 uur, "+tt.want+"\n")
			_, b := write(t, item)
			assert.Equal(t, "Afgesloten op 1 juni 2026 om 11:15 uur, "+tt.want, b.one(t, "Task").Resource["statusReason"].(map[string]any)["text"])
		})
	}
}

func TestStaffAreToldApart(t *testing.T) {
	fatima := his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}
	known := his.Author{ID: uuid.New(), Name: "Fatima", Role: his.RoleDoktersassistent}
	for _, tt := range []struct {
		name string
		a, b his.Author
		same bool
	}{
		{"the same name and role", fatima, fatima, true},
		{"another name", fatima, his.Author{Name: "Fatma", Role: his.RoleDoktersassistent}, false},
		{"the same name in another role", fatima, his.Author{Name: "Fatima", Role: his.RoleHuisarts}, false},
		{"the same id under another name", known, his.Author{ID: known.ID, Name: "F. Amrani", Role: known.Role}, true},
		{"another id under the same name", known, his.Author{ID: uuid.New(), Name: "Fatima", Role: known.Role}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.same, practitioner(t, tt.a) == practitioner(t, tt.b))
		})
	}
}

func practitioner(t *testing.T, a his.Author) string {
	t.Helper()
	item := histest.Message(1)
	item.Author = a
	_, b := write(t, item)
	return b.one(t, "Practitioner").FullURL
}

// at follows a path of member names; a list stands for its first element.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		if list, ok := v.([]any); ok {
			v = list[0]
		}
		members, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = members[name]
	}
	return v
}

func TestEachThingIsSaidInItsPlace(t *testing.T) {
	first := histest.Message(9).ID
	for _, tt := range []struct {
		name, kind, path string
		change           func(*his.Item)
		want             any
	}{
		{"a GP has a code", "PractitionerRole", "code.coding.code", func(i *his.Item) { i.Author.Role = his.RoleHuisarts }, "01.015"},
		{"another function is in words", "PractitionerRole", "code.text", func(i *his.Item) { i.Author.Role = "stagiair" }, "stagiair"},
		{"another function has no code", "PractitionerRole", "code.coding", func(i *his.Item) { i.Author.Role = "stagiair" }, nil},
		{"an urgent conversation", "Task", "priority", func(i *his.Item) { i.Conversation.Urgent = true }, "urgent"},
		{"an ordinary conversation", "Task", "priority", func(*his.Item) {}, "routine"},
		{"a practice without AGB", "Organization", "identifier.system", func(i *his.Item) { i.Conversation.Practice.AGB = "" }, "urn:ietf:rfc:3986"},
		{"the time of filing", "Provenance", "recorded", func(*his.Item) {}, "2026-06-01T09:13:03.123Z"},
		{"no time of filing", "Provenance", "recorded", func(i *his.Item) { i.Filed = time.Time{} }, "2026-06-01T09:13:00.123Z"},
		{"a first filing", "Provenance", "activity.coding.code", func(*his.Item) {}, "CREATE"},
		{"a closing", "Provenance", "activity.coding.code", func(i *his.Item) { i.Kind = his.KindClosing }, "UPDATE"},
		{"a first filing in the log", "AuditEvent", "action", func(*his.Item) {}, "C"},
		{"a reopening in the log", "AuditEvent", "action", func(i *his.Item) { i.Kind = his.KindReopening }, "U"},
		{"the bridge's own words", "Provenance", "agent.who.display", func(i *his.Item) { i.Author = his.Author{Role: his.RoleBridge} }, "Spreekkamer"},
		{"an address of the statement", "Consent", "policy.uri", about, "https://example.org/verklaring/2026-01"},
		{"a statement without an address", "Consent", "policy", func(i *his.Item) { about(i); i.Conversation.Derde.StatementURI = "versie 3" }, nil},
		{"a parent", "Consent", "provision.actor.role.coding.code", about, "GUARD"},
		{"someone with permission", "Consent", "provision.actor.role.coding.code", func(i *his.Item) { about(i); i.Conversation.Derde.Ground = his.GroundPermission }, "DELEGATEE"},
		{"a type of file", "Binary", "contentType", sent("image/jpeg"), "image/jpeg"},
		{"a type of file with parameters", "Binary", "contentType", sent("Text/Plain; charset=utf-8"), "text/plain"},
		{"no type of file", "Binary", "contentType", sent(""), "application/octet-stream"},
		{"half a type of file", "Binary", "contentType", sent("image"), "application/octet-stream"},
		{"a spaced type of file", "Binary", "contentType", sent("a b/c"), "application/octet-stream"},
		{"a file's name", "DocumentReference", "content.attachment.title", sent("image/jpeg"), "foto.jpg"},
		{"an answer", "said", "inResponseTo.identifier.value", func(i *his.Item) { i.InReplyTo = first }, "urn:uuid:" + first.String()},
		{"an answer leads out of the Bundle by name only", "said", "inResponseTo.reference", func(i *his.Item) { i.InReplyTo = first }, nil},
		{"a removal names what was removed", "said", "inResponseTo.identifier.value", removed(first), "urn:uuid:" + first.String()},
		{"a removal is said in words", "said", "payload.contentString", removed(first), "De afzender heeft dit bericht, met alle wijzigingen ervan, uit de chat verwijderd op 1 juni 2026 om 11:13 uur. Het blijft in dit dossier."},
		{"the words as they were written", "said", "payload.contentString", func(i *his.Item) { i.Text = " <b>&\n\"x\" " }, " <b>&\n\"x\" "},
		{"something that could not be carried", "said", "payload.contentString", func(i *his.Item) { i.Text = "" }, "[De inhoud van dit bericht kon niet worden overgenomen.]"},
		{"a name that looks like markup", "said", "note.text", markup, `Gaat over: \<b\>\[x\](y)\_; niet gekoppeld aan een eigen dossier. Grond: toestemming van deze persoon, verklaard door de schrijver op 1 juni 2026 om 11:11 uur.`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			item := histest.Message(1)
			tt.change(&item)
			_, b := write(t, item)
			resource := entry{}
			if tt.kind == "said" {
				resource = b.said(t)
			} else {
				resource = b.one(t, tt.kind)
			}
			assert.Equal(t, tt.want, at(resource.Resource, tt.path))
		})
	}
}

func sent(contentType string) func(*his.Item) {
	return func(i *his.Item) {
		i.Attachments = []his.Attachment{histest.Photo("foto.jpg", []byte("x"))}
		i.Attachments[0].ContentType = contentType
	}
}

func removed(id uuid.UUID) func(*his.Item) {
	return func(i *his.Item) { i.Kind, i.Replaces, i.Text = his.KindRemoval, id, "" }
}

func markup(i *his.Item) {
	about(i)
	d := i.Conversation.Derde
	i.Conversation.Derde = &his.Derde{Name: "<b>[x](y)_", Ground: his.GroundPermission, AttestedAt: d.AttestedAt}
}

func TestAFilesOwnIDIsItsIdentity(t *testing.T) {
	item := histest.Message(1)
	sent("image/jpeg")(&item)
	_, derived := write(t, item)
	item.Attachments[0].ID = uuid.New()
	_, given := write(t, item)
	assert.Equal(t, "urn:uuid:"+item.Attachments[0].ID.String(), given.one(t, "DocumentReference").Resource["masterIdentifier"].(map[string]any)["value"])
	assert.NotEqual(t, derived.one(t, "DocumentReference").FullURL, given.one(t, "DocumentReference").FullURL)
}

func TestWhatTheAccountHolderIsOfTheDerde(t *testing.T) {
	for relation, want := range map[string]any{
		"dochter": "PRN", "Mijn kind": "PRN", "moeder": "CHILD", "zus": "SIB", "partner": "SIGOTHR", "huisgenoot": "ROOM", "achternicht": nil,
	} {
		t.Run(relation, func(t *testing.T) {
			item := histest.Message(1)
			item.Conversation.Derde = histest.Child(histest.ChildPatient())
			item.Conversation.Derde.Relation = relation
			_, b := write(t, item)
			assert.Equal(t, want, at(b.one(t, "RelatedPerson").Resource, "relationship.coding.code"))
			assert.Equal(t, "schrijft over: "+relation, at(b.one(t, "RelatedPerson").Resource, "relationship.text"))
		})
	}
}
