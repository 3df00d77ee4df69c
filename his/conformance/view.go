package conformance

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/loose"
)

// View looks at a FHIR server from behind, with nothing of the connector's.
type View struct{ Base string }

// Resource is any resource, as JSON.
type Resource = loose.Resource

// Do makes one request with a JSON body (nil: none).
func (v View) Do(t testing.TB, method, path string, body any) (status int, answer Resource) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	if body == nil {
		text = nil
	}
	address := v.Base + "/" + path
	if at, err := url.Parse(path); err == nil && (at.IsAbs() || strings.HasPrefix(path, "/")) { // a next page
		base, err := url.Parse(v.Base)
		require.NoError(t, err)
		address = base.ResolveReference(at).String()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/fhir+json")
	req.Header.Set("Accept", "application/fhir+json")
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if len(said) > 0 {
		require.NoError(t, json.Unmarshal(said, &answer), "%s %s: %.300s", method, path, said)
	}
	return resp.StatusCode, answer
}

// Get reads one resource.
func (v View) Get(t testing.TB, path string) Resource {
	t.Helper()
	status, r := v.Do(t, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, status, path)
	return r
}

// Create makes a resource and gives its Type/id.
func (v View) Create(t testing.TB, r Resource) string {
	t.Helper()
	kind := r["resourceType"].(string)
	status, made := v.Do(t, http.MethodPost, kind, r)
	require.Equal(t, http.StatusCreated, status, "%v", made)
	return kind + "/" + made["id"].(string)
}

// All gives every resource of a type that matches.
func (v View) All(t testing.TB, kind string, query url.Values) (found []Resource) {
	t.Helper()
	query.Set("_count", "200")
	for next := kind + "?" + query.Encode(); next != ""; {
		page := v.Get(t, next)
		next = ""
		entries, _ := page["entry"].([]any)
		for _, e := range entries {
			if r, _ := e.(map[string]any)["resource"].(map[string]any); r["resourceType"] == kind {
				found = append(found, r)
			}
		}
		links, _ := page["link"].([]any)
		for _, l := range links {
			if l := l.(map[string]any); l["relation"] == "next" {
				next = l["url"].(string)
			}
		}
	}
	return found
}

// One finds what has an identifier of ours; it has to be there once.
func (v View) One(t testing.TB, kind string, id uuid.UUID) Resource {
	t.Helper()
	found := v.All(t, kind, url.Values{"identifier": {"urn:ietf:rfc:3986|urn:uuid:" + id.String()}})
	require.Len(t, found, 1, kind)
	return found[0]
}

// filed shows each thing that was filed, by its Provenance, in the order in which it was said.
func (v View) filed(t testing.TB) (filed []histest.Filed) {
	t.Helper()
	provenances := v.All(t, "Provenance", url.Values{})
	slices.SortStableFunc(provenances, func(a, b Resource) int {
		return cmp.Compare(a.Text("occurredDateTime"), b.Text("occurredDateTime"))
	})
	versions := map[string][]Resource{} // of what was filed, oldest first; each Provenance made one
	for _, p := range provenances {
		target := Relative(p.Text("target.reference"))
		if _, known := versions[target]; !known {
			versions[target] = v.History(t, target)
		}
		now := v.Get(t, target)
		shown := now
		if left := versions[target]; len(left) > 0 {
			shown, versions[target] = left[0], left[1:]
		}
		filed = append(filed, v.item(t, p, shown, now))
	}
	return filed
}

// History gives the versions of a resource, oldest first.
func (v View) History(t testing.TB, path string) (versions []Resource) {
	t.Helper()
	for _, e := range v.Get(t, path+"/_history").List("entry") {
		if r, ok := e["resource"].(map[string]any); ok {
			versions = append(versions, r)
		}
	}
	slices.SortStableFunc(versions, func(a, b Resource) int { return cmp.Compare(a.Text("meta.lastUpdated"), b.Text("meta.lastUpdated")) })
	return versions
}

func (v View) item(t testing.TB, provenance, shown, now Resource) histest.Filed {
	t.Helper()
	item := histest.Filed{Mistaken: now["status"] == "entered-in-error"}
	for _, i := range shown.List("identifier") {
		id, err := uuid.Parse(strings.TrimPrefix(i.Text("value"), "urn:uuid:"))
		require.NoError(t, err)
		item.ID = id
	}
	words := []string{v.words(shown), v.words(provenance)}
	for _, ref := range []string{"subject", "for", "patient"} {
		if subject := Relative(shown.Text(ref + ".reference")); subject != "" {
			r := v.Get(t, subject)
			words = append(words, v.words(r))
			for _, i := range r.List("identifier") {
				if i.Text("system") == "http://fhir.nl/fhir/NamingSystem/bsn" {
					item.Subject = i.Text("value")
				}
			}
		}
	}
	for _, ref := range []string{"sender.reference", "recipient.reference", "owner.reference"} {
		if who := Relative(shown.Text(ref)); who != "" {
			words = append(words, v.words(v.Get(t, who)))
		}
	}
	item.Sender, _, _ = strings.Cut(Relative(shown.Text("sender.reference")), "/")
	for _, target := range provenance.List("target") {
		if path := Relative(target.Text("reference")); strings.HasPrefix(path, "DocumentReference/") {
			text := v.document(t, path, &item)
			words = append(words, text)
		}
	}
	item.Record = strings.Join(words, "\n")
	return item
}

// document gives an attachment's sum to the item and, of a text, its words.
func (v View) document(t testing.TB, path string, item *histest.Filed) string {
	t.Helper()
	d := v.Get(t, path)
	attachment := Resource(d.List("content")[0].At("attachment").(map[string]any))
	data := attachment.Text("data")
	if address := attachment.Text("url"); address != "" {
		data = v.Get(t, Relative(address)).Text("data")
	}
	content, err := base64.StdEncoding.DecodeString(data)
	require.NoError(t, err)
	if attachment.Text("contentType") == "text/plain" && strings.HasPrefix(attachment.Text("title"), "Gesprek ") {
		return v.words(d) + "\n" + string(content)
	}
	item.Attachments = append(item.Attachments, sha256.Sum256(content))
	return v.words(d)
}

// words are all texts in a resource.
func (v View) words(r Resource) string {
	var all []string
	var walk func(any)
	walk = func(here any) {
		switch here := here.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(here)) {
				walk(here[name])
			}
		case []any:
			for _, member := range here {
				walk(member)
			}
		case string:
			all = append(all, here)
		}
	}
	walk(map[string]any(r))
	return strings.Join(all, "\n")
}

// Relative is Type/id of an address in any form.
func Relative(address string) string {
	address, _, _ = strings.Cut(address, "/_history/")
	parts := strings.Split(address, "/")
	if len(parts) < 2 {
		return ""
	}
	return strings.Join(parts[len(parts)-2:], "/")
}
