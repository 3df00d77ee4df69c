package his_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

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
		t.Run("a message full of "+bad[:min(len(bad), 20)], func(t *testing.T) { test(t, histest.HostileMessage(bad)) })
	}
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
		assert.Equal(t, "urn:uuid:"+his.EditionID(item.ID, item.Conversation.Edition).String(), b.Identifier.Value)
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

// A server may put an entry's address wherever its fullUrl stands.
func TestNoFullURLIsAnIdentifier(t *testing.T) {
	every(t, func(t *testing.T, item his.Item) {
		_, b := write(t, item)
		full := map[any]bool{}
		for _, e := range b.Entry {
			full[e.FullURL] = true
		}
		for _, e := range b.Entry {
			walk(e.Resource, func(key string, v any) {
				if key == "value" {
					assert.False(t, full[v], "%v", v)
				}
			})
		}
	})
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
	"Device":            {"identifier", "status", "deviceName", "version", "owner"},
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
