package his_test

import (
	"crypto/sha256"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/histest"
)

// watch is a HIS: it takes every .json and what belongs to it.
func watch(t testing.TB, dir string) (filed []histest.Filed) {
	t.Helper()
	for _, path := range files(t, dir) {
		name, ours := strings.CutSuffix(path, ".json")
		if !ours {
			continue
		}
		b := readBundle(t, path)
		text, err := os.ReadFile(name + ".txt")
		require.NoError(t, err)
		item := histest.Filed{ID: uuid.MustParse(strings.TrimPrefix(b.Identifier.Value, "urn:uuid:")), Record: string(text)}
		for _, data := range b.binaries(t) {
			item.Attachments = append(item.Attachments, sha256.Sum256(data))
		}
		for _, file := range attachmentFiles(t, name) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Contains(t, item.Attachments, sha256.Sum256(data), "%s is in the Bundle too", file)
		}
		item.Subject, item.Sender = b.about()
		filed = append(filed, item)
	}
	return mark(filed)
}

// mark finds what a later item says does not belong there.
func mark(filed []histest.Filed) []histest.Filed {
	for i, later := range filed {
		if !strings.HasPrefix(later.Record, "Hoort niet in dit dossier") {
			continue
		}
		for n := range filed[:i] {
			named := strings.Contains(later.Record, filed[n].ID.String()[:8]) || strings.Contains(later.Record, "alle berichten")
			filed[n].Mistaken = filed[n].Mistaken || named && (later.Subject == "" || filed[n].Subject == later.Subject)
		}
	}
	return filed
}

// about is in whose record a message is, by BSN, and of what type its sender is.
func (b bundle) about() (subject, sender string) {
	byURL := map[string]map[string]any{}
	for _, e := range b.Entry {
		byURL[e.FullURL] = e.Resource
	}
	at := func(r map[string]any, key string) map[string]any {
		to, _ := r[key].(map[string]any)
		url, _ := to["reference"].(string)
		return byURL[url]
	}
	for _, e := range b.Entry {
		if e.Resource["resourceType"] != "Communication" || e.Resource["partOf"] == nil {
			continue
		}
		for _, i := range at(e.Resource, "subject")["identifier"].([]any) {
			if i := i.(map[string]any); i["system"] == "http://fhir.nl/fhir/NamingSystem/bsn" {
				subject = i["value"].(string)
			}
		}
		sender, _ = at(e.Resource, "sender")["resourceType"].(string)
	}
	return subject, sender
}

// files are all files below dir, sorted within their directory.
func files(t testing.TB, dir string) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	}))
	return all
}

func attachmentFiles(t testing.TB, base string) []string {
	t.Helper()
	return slices.DeleteFunc(files(t, filepath.Dir(base)), func(path string) bool { return !strings.HasPrefix(path, base+"-") })
}

type bundle struct {
	ResourceType, Type, Timestamp string
	Identifier                    struct{ System, Value string }
	Entry                         []entry
}

type entry struct {
	FullURL  string `json:"fullUrl"`
	Resource map[string]any
	Request  struct{ Method, URL, IfNoneExist string }
}

func readBundle(t testing.TB, path string) (b bundle) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &b))
	return b
}
