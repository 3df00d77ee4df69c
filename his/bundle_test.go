package his_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

var update = flag.Bool("update", false, "write the golden files")

// write gives the Bundle's bytes and what they say.
func write(t testing.TB, item his.Item) ([]byte, bundle) {
	t.Helper()
	mapped, err := his.Bundle(item)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, mapped.Write(&out))
	var b bundle
	require.NoError(t, json.Unmarshal(out.Bytes(), &b))
	return out.Bytes(), b
}

// every runs a test on one of everything that can be filed, hostile strings included.
func every(t *testing.T, test func(t *testing.T, item his.Item)) {
	for _, s := range histest.Samples() {
		t.Run(s.Name, func(t *testing.T) { test(t, s.Item) })
	}
	for _, bad := range histest.Hostile() {
		t.Run("a message full of "+bad[:min(len(bad), 20)], func(t *testing.T) { test(t, hostile(bad)) })
	}
}

func hostile(bad string) his.Item {
	item := histest.Message(1)
	item.Text = bad + "."
	item.Author.Name = bad
	item.Conversation.Patient.Number = bad
	item.Conversation.Patient.FirstName, item.Conversation.Patient.Phone = bad, bad
	item.Conversation.Derde = histest.Child(nil)
	item.Conversation.Derde.Relation, item.Conversation.Derde.StatementURI = bad, bad
	item.Attachments = []his.Attachment{histest.Photo(bad, []byte("x"))}
	item.Attachments[0].ContentType = bad
	return item
}

// one finds the only resource of a type.
func (b bundle) one(t testing.TB, kind string) entry {
	t.Helper()
	all := b.all(kind)
	require.Len(t, all, 1, kind)
	return all[0]
}

func (b bundle) all(kind string) (all []entry) {
	for _, e := range b.Entry {
		if e.Resource["resourceType"] == kind {
			all = append(all, e)
		}
	}
	return all
}

// said finds the Communication that is part of the header.
func (b bundle) said(t testing.TB) entry {
	t.Helper()
	for _, e := range b.all("Communication") {
		if e.Resource["partOf"] != nil {
			return e
		}
	}
	require.Fail(t, "no message")
	return entry{}
}

func TestTheSameItemGivesTheSameBytes(t *testing.T) {
	every(t, func(t *testing.T, item his.Item) {
		first, _ := write(t, item)
		again, _ := write(t, item)
		assert.Equal(t, string(first), string(again))
	})
}

func TestEveryBundleIsATransactionThatCanBePostedTwice(t *testing.T) {
	every(t, func(t *testing.T, item his.Item) {
		_, b := write(t, item)
		assert.Equal(t, "transaction", b.Type)
		assert.Equal(t, "urn:uuid:"+item.ID.String(), b.Identifier.Value)
		seen := map[string]bool{}
		for _, e := range b.Entry {
			kind, _ := e.Resource["resourceType"].(string)
			assert.False(t, seen[e.FullURL], "%s is there twice", e.FullURL)
			seen[e.FullURL] = true
			switch kind {
			case "Binary", "Provenance", "AuditEvent":
				assert.Equal(t, "PUT", e.Request.Method)
				assert.Equal(t, kind+"/"+e.Resource["id"].(string), e.Request.URL)
				assert.Regexp(t, `^sk-[0-9a-f-]{36}$`, e.Resource["id"])
			default:
				assert.True(t, idempotent(e, kind), "%s %s", kind, e.Request)
			}
		}
	})
}

// idempotent: created unless it is there, or put in the place of what is there.
func idempotent(e entry, kind string) bool {
	query, put := strings.CutPrefix(e.Request.URL, kind+"?")
	if !put {
		query = e.Request.IfNoneExist
	}
	if (e.Request.Method == "PUT") != put || put == (e.Request.IfNoneExist != "") {
		return false
	}
	system, value, _ := strings.Cut(strings.TrimPrefix(query, "identifier="), "|")
	for _, i := range e.Resource["identifier"].([]any) {
		if i := i.(map[string]any); i["system"] == system && i["value"] == value {
			return true
		}
	}
	return false
}

func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	every(t, func(t *testing.T, item his.Item) {
		_, b := write(t, item)
		known, binaries := map[string]bool{}, map[string]bool{}
		for _, e := range b.Entry {
			known[e.FullURL] = true
			if e.Resource["resourceType"] == "Binary" {
				binaries[e.Request.URL] = true
			}
		}
		for _, e := range b.Entry {
			walk(e.Resource, func(key string, v any) {
				if key == "reference" && v != nil {
					if s, ok := v.(string); ok {
						assert.True(t, known[s], "%s is not in the Bundle", s)
					}
				}
				if key == "attachment" {
					assert.True(t, binaries[v.(map[string]any)["url"].(string)])
				}
			})
		}
	})
}

func TestNoElementIsEmptyAndEveryTimeIsWhole(t *testing.T) {
	instant := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	times := map[string]bool{"sent": true, "recorded": true, "authoredOn": true, "lastModified": true, "date": true, "dateTime": true, "occurredDateTime": true}
	every(t, func(t *testing.T, item his.Item) {
		_, b := write(t, item)
		assert.Regexp(t, instant, b.Timestamp)
		for _, e := range b.Entry {
			walk(e.Resource, func(key string, v any) {
				assert.NotContains(t, []any{"", nil}, v, key)
				if list, ok := v.([]any); ok {
					assert.NotEmpty(t, list, key)
				}
				if times[key] {
					assert.Regexp(t, instant, v, key)
				}
				if key == "birthDate" {
					assert.Regexp(t, `^\d{4}-\d\d-\d\d$`, v)
				}
			})
		}
	})
}

func walk(v any, visit func(key string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			visit(key, member)
			walk(member, visit)
		}
	case []any:
		for _, member := range v {
			walk(member, visit)
		}
	}
}

// required are R4's elements with a minimum of one, of the types we write.
var required = map[string][]string{
	"Communication":     {"status"},
	"Task":              {"status", "intent"},
	"Consent":           {"status", "scope", "category", "patient"},
	"DocumentReference": {"status", "content", "masterIdentifier", "identifier"},
	"Binary":            {"contentType"},
	"Provenance":        {"target", "recorded", "agent"},
	"AuditEvent":        {"type", "recorded", "agent", "source"},
	"RelatedPerson":     {"patient"},
	"Organization":      {"identifier"},
	"Patient":           {"identifier"},
	"Practitioner":      {"identifier"},
	"PractitionerRole":  {"practitioner", "organization"},
}

func TestWhatFHIRRequiresIsThere(t *testing.T) {
	every(t, func(t *testing.T, item his.Item) {
		_, b := write(t, item)
		for _, e := range b.Entry {
			kind := e.Resource["resourceType"].(string)
			require.Contains(t, required, kind)
			for _, element := range required[kind] {
				assert.Contains(t, e.Resource, element, kind)
			}
			if kind == "Consent" {
				assert.True(t, e.Resource["policy"] != nil || e.Resource["policyRule"] != nil, "ppc-1")
			}
			if kind == "Task" {
				assert.LessOrEqual(t, e.Resource["authoredOn"], e.Resource["lastModified"], "inv-1")
			}
		}
	})
}

func TestNoMatrixIDReachesTheHIS(t *testing.T) {
	for _, s := range histest.Samples() {
		text, _ := write(t, s.Item)
		assert.NotRegexp(t, `[$!][A-Za-z0-9_-]+|"@[^"]*:`, string(text), s.Name)
	}
}

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
	assert.Equal(t, "identifier=urn:ietf:rfc:3986|"+first.one(t, "Patient").FullURL, first.one(t, "Patient").Request.IfNoneExist)
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
	item.Kind, item.Text = his.KindClosing, "Vraag.\nAntwoord."
	_, b := write(t, item)
	assert.Equal(t, "VnJhYWcuCkFudHdvb3JkLg==", b.one(t, "Binary").Resource["data"])
	attachment := b.one(t, "DocumentReference").Resource["content"].([]any)[0].(map[string]any)["attachment"].(map[string]any)
	assert.Equal(t, "Gesprek 1042.txt", attachment["title"])
	assert.InDelta(t, 16, attachment["size"], 0)
}

// Two files hold a whole Bundle and a whole text to look at. go test ./his -update writes them.
func TestGolden(t *testing.T) {
	item := histest.Message(7)
	item.Text = "Sanne heeft <39,5> koorts & vlekken.\nMoeten wij komen?"
	item.InReplyTo = histest.Message(6).ID
	item.Conversation.Derde = histest.Child(histest.ChildPatient())
	item.Attachments = []his.Attachment{histest.Photo("vlekken.jpg", []byte("a photo"))}
	text, _ := write(t, item)
	golden(t, "child.json", text)
	golden(t, "child.txt", []byte(his.Readable(item, his.AttachmentNames(item))))
}

func golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

// The independent validator judges what this writes: HIS_BUNDLES=/some/dir go test ./his.
func TestWriteBundlesForTheValidator(t *testing.T) {
	dir := os.Getenv("HIS_BUNDLES")
	if dir == "" {
		t.Skip("HIS_BUNDLES is not set")
	}
	for _, s := range histest.Samples() {
		text, _ := write(t, s.Item)
		require.NoError(t, os.WriteFile(filepath.Join(dir, strings.ReplaceAll(s.Name, " ", "-")+".json"), text, 0o600))
	}
	for n, bad := range histest.Hostile() {
		text, _ := write(t, hostile(bad))
		name := "hostile-" + string(rune('a'+n/10)) + string(rune('0'+n%10)) + ".json"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
}
