package his_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/fhir"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// FHIR lets a server leave out a search parameter that it does not know: then it gives everything. Others
// then give nothing. Neither may mark what is another's, or leave a message in the wrong record.
func TestOnlyAMistakenConversationIsMarkedWhateverAServerSearchesBy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*fakeFHIR)
	}{
		{"a server that knows each parameter", func(*fakeFHIR) {}},
		{"one that leaves out what it does not know", func(f *fakeFHIR) { f.ignores = []string{"part-of", "related"} }},
		{"one without transactions that leaves it out", func(f *fakeFHIR) {
			f.can(false, true, true, allTypes...)
			f.ignores = []string{"part-of", "related"}
		}},
		{"one that finds nothing then", func(f *fakeFHIR) { f.denies = []string{"part-of", "related"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeFHIR(t)
			tt.change(f)
			c := fhirAt(t, f, nil)
			other := ofAnother(histest.Message(1))
			closing := histest.Message(3)
			closing.Kind, closing.Text, closing.Closing = his.KindClosing, "", histest.Document()
			otherClosing := ofAnother(closing)
			wrong := histest.Message(1)
			wrong.Attachments = []his.Attachment{histest.Photo("plek.jpg", []byte("a photo"))}
			for _, item := range []his.Item{other, otherClosing, wrong, histest.Message(2), closing} {
				fileIn(t, c, item)
			}
			f.create("Communication", object{"resourceType": "Communication", "status": "completed", "topic": object{"text": "of the HIS itself"}})
			before := stateOf(f)
			mistake := histest.Message(4)
			mistake.Kind, mistake.Text, mistake.Author = his.KindMistake, "Verkeerde patiënt.", his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}
			fileIn(t, c, mistake)
			jan := "reference:" + f.find("Patient", "identifier="+fhir.SystemBSN+"|999990019")[0] + "]"
			for path, was := range before {
				mine := strings.Contains(was, "subject:map["+jan) || strings.Contains(was, "for:map["+jan)
				marked := fmt.Sprint(f.newest(path)["status"]) == "entered-in-error"
				assert.Equal(t, mine, marked, "%s %s", path, was)
			}
		})
	}
}

// ofAnother is the same item of another patient's conversation.
func ofAnother(item his.Item) his.Item {
	item.ID = uuid.NewSHA1(item.ID, []byte("another"))
	item.Conversation.ID = uuid.NewSHA1(item.Conversation.ID, []byte("another"))
	item.Conversation.Number = 7
	item.Conversation.Patient = *histest.ChildPatient()
	return item
}

// stateOf is what there is that may be marked.
func stateOf(f *fakeFHIR) map[string]string {
	all := map[string]string{}
	for _, kind := range []string{"Communication", "Task", "DocumentReference"} {
		for _, path := range f.find(kind, "") {
			all[path] = fmt.Sprint(f.newest(path))
		}
	}
	return all
}

func TestAServerThatLeavesOutAParameterProposesNobodyElse(t *testing.T) {
	f := newFakeFHIR(t)
	f.ignores = []string{"identifier", "birthdate"}
	for _, p := range []his.Patient{histest.Conversation().Patient, *histest.ChildPatient()} {
		f.create("Patient", object{
			"resourceType": "Patient", "birthDate": fhir.Date(p.BirthDate), "name": []any{object{"family": p.LastName}},
			"identifier": []any{object{"system": fhir.SystemBSN, "value": p.BSN}},
		})
	}
	child := *histest.ChildPatient()
	for _, q := range []his.PatientQuery{{BSN: child.BSN}, {LastName: child.LastName, BirthDate: child.BirthDate}} {
		found, more, err := fhirAt(t, f, nil).(his.Finder).Find(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, child.BSN, found[0].BSN)
		assert.False(t, more)
	}
}

// Some servers do the rest of a transaction when they refuse a part of it. That the Provenance is
// there says nothing then: it points at nothing.
func TestAnItemIsNotFiledWhenOnlyItsProvenanceIs(t *testing.T) {
	f := newFakeFHIR(t)
	f.sloppy = "Communication"
	_, err := fhirAt(t, f, nil).File(t.Context(), histest.Message(1))
	require.ErrorIs(t, err, his.ErrRefused)
	require.Len(t, f.find("Provenance", ""), 1)
	f.sloppy = ""
	receipt := fileIn(t, fhirAt(t, f, nil), histest.Message(1)) // after a restart
	assert.False(t, receipt.Already)
	assert.Len(t, f.find("Communication", ""), 2, "the message and its header")
}
