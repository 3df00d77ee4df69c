package his_test

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

func editOf(seq int, words string) his.Item {
	edit := histest.Message(seq)
	edit.Kind, edit.Replaces, edit.Text = his.KindEdit, histest.Message(1).ID, words
	edit.Conversation.Derde = histest.Child(nil)
	return edit
}

// changedInHIS is what somebody in the practice does to a resource in the HIS.
func (f *fakeFHIR) changedInHIS(path string, change func(object)) {
	now := maps.Clone(f.newest(path))
	change(now)
	f.put(path, "", now)
}

// A patient who rewords a message undoes nothing of what the practice did to it.
func TestAnEditKeepsWhatThePracticeDidToTheMessage(t *testing.T) {
	for name, transactions := range map[string]bool{"a transaction": true, "one by one": false} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(transactions, true, true, allTypes...)
			c := fhirAt(t, f, nil)
			first := histest.Message(1)
			first.Conversation.Derde = histest.Child(nil)
			fileIn(t, c, first)
			path := "Communication/" + f.filed(1).Text("id")
			theirs := object{"text": "Besproken met de cardioloog.", "authorString": "P. Bakker"}
			f.changedInHIS(path, func(r object) {
				r["status"], r["statusReason"] = "entered-in-error", object{"text": "verkeerde patiënt"}
				r["note"] = append([]any{theirs}, r["note"].([]any)...)
				r["identifier"] = append([]any{object{"system": "https://his.example/berichten", "value": "77"}}, r["identifier"].([]any)...)
				r["reasonCode"] = []any{object{"text": "hoofdpijn"}}
			})
			fileIn(t, c, editOf(2, "Beter gezegd."))
			fileIn(t, c, editOf(3, "Nog beter gezegd."))
			now := f.filed(1)
			assert.Equal(t, "Nog beter gezegd.", now.Text("payload.contentString"))
			assert.Equal(t, "entered-in-error", now["status"])
			assert.Equal(t, "verkeerde patiënt", now.Text("statusReason.text"))
			assert.Equal(t, "hoofdpijn", now.Text("reasonCode.text"))
			var notes []string
			for _, note := range now.List("note") {
				notes = append(notes, note.Text("text"))
			}
			require.Len(t, notes, 5, "theirs, whom it is about, the marks, and each edit")
			assert.Equal(t, theirs, object(now.List("note")[0]))
			assert.Contains(t, notes[1], "Gewijzigd door de afzender")
			var names []string
			for _, i := range now.List("identifier") {
				names = append(names, i.Text("value"))
			}
			assert.Equal(t, []string{
				"urn:uuid:" + first.ID.String(), "77", "urn:uuid:" + histest.Message(2).ID.String(), "urn:uuid:" + histest.Message(3).ID.String(),
			}, names)
			assert.Len(t, f.versions[path], 4)
			assert.Empty(t, told(t, c))
		})
	}
}

func TestAMessageThatThePracticeChangesMeanwhileIsRewordedTheNextTime(t *testing.T) {
	for name, transactions := range map[string]bool{"a transaction": true, "one by one": false} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(transactions, true, true, allTypes...)
			c := fhirAt(t, f, nil)
			fileIn(t, c, histest.Message(1))
			path, meanwhile := "Communication/"+f.filed(1).Text("id"), true
			f.before = func(method string, _ map[string]any) {
				if meanwhile && (method == http.MethodPut || transactions && method == http.MethodPost) && f.wasRead(path) {
					meanwhile = false
					f.changedInHIS(path, func(r object) { r["status"] = "entered-in-error" })
				}
			}
			_, err := c.File(t.Context(), editOf(2, "Beter gezegd."))
			require.ErrorIs(t, err, rest.CodeConflict)
			assert.NotErrorIs(t, err, his.ErrRefused)
			fileIn(t, c, editOf(2, "Beter gezegd."))
			assert.Equal(t, "entered-in-error", f.filed(1)["status"])
			assert.Equal(t, "Beter gezegd.", f.filed(1).Text("payload.contentString"))
		})
	}
}

// wasRead says that a resource was asked for.
func (f *fakeFHIR) wasRead(path string) bool {
	for _, asked := range f.asked {
		if asked == "GET /fhir/"+path {
			return true
		}
	}
	return false
}

func TestWhatThePracticeCalledAMistakeStaysOne(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	asked, _ := aboutAChild()
	fileIn(t, c, asked)
	wrong := func(r object) { r["status"] = "entered-in-error" }
	header, consent := f.find("Communication", "")[0], f.find("Consent", "")[0]
	require.NotContains(t, f.newest(header), "partOf")
	f.changedInHIS(header, wrong)
	f.changedInHIS(consent, wrong)
	withdrawn := histest.Message(2)
	withdrawn.Kind, withdrawn.Text, withdrawn.Conversation.Derde = his.KindWithdrawal, "", asked.Conversation.Derde
	fileIn(t, c, withdrawn)
	closing := closingOf(3)
	closing.Conversation.Derde = asked.Conversation.Derde
	fileIn(t, c, closing)
	assert.Equal(t, "entered-in-error", f.newest(header)["status"])
	assert.Equal(t, "entered-in-error", f.newest(consent)["status"])
}
