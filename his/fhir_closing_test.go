package his_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

func closingOf(seq int) his.Item {
	item := histest.Message(seq)
	item.Kind, item.Text, item.Author, item.Closing = his.KindClosing, "", his.Author{Role: his.RoleBridge}, histest.Document()
	return item
}

// What the practice wrote on the Task in its own system is its own: an answer may be there that
// nobody has read yet.
func TestClosingLeavesWhatThePracticePutOnTheTask(t *testing.T) {
	for name, transactions := range map[string]bool{"a transaction": true, "one by one": false} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(transactions, true, true, allTypes...)
			c := fhirAt(t, f, nil)
			fileIn(t, c, histest.Message(1))
			path := f.find("Task", "")[0]
			task := f.newest(path)
			task["owner"] = object{"display": "P. Bakker"}
			task["output"] = []any{object{"type": object{"text": "Antwoord"}, "valueString": "Dat is niet erg."}}
			f.put(path, "", task)
			for range 2 {
				fileIn(t, c, closingOf(2))
			}
			now := f.newest(path)
			assert.Equal(t, "completed", now["status"])
			assert.Equal(t, object{"text": "Afgesloten op 1 juni 2026 om 11:14 uur, door Fatima (doktersassistent)"}, now["statusReason"])
			assert.Equal(t, object{"display": "P. Bakker"}, now["owner"])
			all := told(t, c)
			require.Len(t, all, 1)
			assert.Equal(t, "Dat is niet erg.", all[0].Text)
			assert.Len(t, f.find("Task", ""), 1)
			again := histest.Message(3)
			again.Kind, again.Text = his.KindReopening, ""
			fileIn(t, c, again)
			assert.NotContains(t, f.newest(path), "statusReason", "it goes on")
		})
	}
}

// Somebody who works in the HIS at that moment is no reason to trouble staff.
func TestATaskThatChangesMeanwhileIsClosedTheNextTime(t *testing.T) {
	for name, transactions := range map[string]bool{"a transaction": true, "one by one": false, "a transaction, in words of its own": true} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(transactions, true, true, allTypes...)
			between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(name, "own") {
					w = strangely{w}
				}
				f.ServeHTTP(w, r)
			}))
			defer between.Close()
			c := fhirAt(t, f, func(s *his.FHIR) { s.Base = between.URL + "/fhir" })
			fileIn(t, c, histest.Message(1))
			path, meanwhile := f.find("Task", "")[0], true
			f.before = func(method string, body map[string]any) {
				if closes := fmt.Sprint(body); meanwhile && method != http.MethodGet && strings.Contains(closes, "completed") {
					meanwhile = false
					task := maps.Clone(f.newest(path))
					task["note"] = []any{object{"text": "even overleggen"}}
					f.put(path, "", task)
				}
			}
			_, err := c.File(t.Context(), closingOf(2))
			require.ErrorIs(t, err, rest.CodeConflict)
			assert.NotErrorIs(t, err, his.ErrRefused)
			fileIn(t, c, closingOf(2))
			assert.Equal(t, "completed", f.newest(path)["status"])
			assert.NotNil(t, f.newest(path)["note"])
		})
	}
}

// strangely says in no FHIR that something was changed meanwhile.
type strangely struct{ http.ResponseWriter }

func (s strangely) WriteHeader(status int) {
	if status == http.StatusPreconditionFailed {
		s.Header().Set("Content-Type", "application/json")
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s strangely) Write(said []byte) (int, error) {
	if s.Header().Get("Content-Type") != "application/json" {
		return s.ResponseWriter.Write(said)
	}
	return s.ResponseWriter.Write([]byte(`{"error":"version"}`))
}

func TestWhatTheHISEndedItselfKeepsItsEnd(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	path := f.find("Task", "")[0]
	task := maps.Clone(f.newest(path))
	task["status"] = "rejected"
	f.put(path, "", task)
	fileIn(t, c, closingOf(2))
	assert.Equal(t, "rejected", f.newest(path)["status"])
}
