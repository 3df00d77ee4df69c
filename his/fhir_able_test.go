package his_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/loose"
)

// aboutAChild is a conversation in which each type is: of the account holder, and of staff.
func aboutAChild() (asked, answered his.Item) {
	asked, answered = histest.Message(1), histest.Message(2)
	asked.Attachments = []his.Attachment{histest.Photo("plek.jpg", []byte("a photo"))}
	answered.Author = his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}
	asked.Conversation.Derde, answered.Conversation.Derde = histest.Child(histest.ChildPatient()), histest.Child(histest.ChildPatient())
	return asked, answered
}

// A transaction with something in it that the server makes twice would make it for each message.
func TestWhatAServerWouldMakeTwiceIsLookedForFirst(t *testing.T) {
	for _, kind := range []string{"PractitionerRole", "RelatedPerson", "Consent", "DocumentReference", "Task"} {
		t.Run(kind, func(t *testing.T) {
			f := newFakeFHIR(t)
			f.can(true, true, true, allTypes...)
			f.twice(kind)
			c := fhirAt(t, f, nil)
			asked, answered := aboutAChild()
			fileIn(t, c, asked)
			fileIn(t, c, answered)
			next := histest.Message(3)
			next.Author, next.Conversation.Derde = answered.Author, answered.Conversation.Derde
			fileIn(t, c, next)
			assert.Len(t, f.find(kind, ""), 1)
			assert.Len(t, f.find("Provenance", ""), 3)
		})
	}
}

// What can be put in no transaction safely goes without one, and all else goes in one.
func TestOnlyABundleWithWhatIsMadeTwiceGoesOneByOne(t *testing.T) {
	f := newFakeFHIR(t)
	f.can(true, true, true, allTypes...)
	f.twice("Consent")
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	assert.Contains(t, f.asked, "POST /fhir")
	f.asked = nil
	asked, _ := aboutAChild()
	asked.ID = histest.Message(2).ID
	fileIn(t, c, asked)
	assert.NotContains(t, f.asked, "POST /fhir")
}

// Whoever runs the server reads in the log what is wrong, Beheer hears that nothing is filed, and the messages wait.
func TestNothingIsSentToAServerThatDoesNotSuit(t *testing.T) {
	for name, tt := range map[string]struct {
		can func(*fakeFHIR)
		why string
	}{
		"of another version": {func(f *fakeFHIR) { f.can(true, true, true, allTypes...); f.statement["fhirVersion"] = "5.0.0" }, `it speaks FHIR "5.0.0"`},
		"without a type":     {func(f *fakeFHIR) { f.can(true, true, true, without("Task")...) }, "it has no Task"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			tt.can(f)
			c := fhirAt(t, f, func(s *his.FHIR) { s.HookURL = "https://spreekkamer.example/his/linde" })
			answerer := c.(his.Answerer)
			_, err := c.File(t.Context(), histest.Message(1))
			assert.True(t, his.Untaken(err))
			_, _, asking := answerer.Answers(t.Context(), "")
			reporting := answerer.Report(t.Context(), his.Report{Reference: "Communication/1", Delivery: his.DeliveryDelivered, At: time.Now()})
			tracking := c.(his.Tracker).Track(t.Context(), histest.Conversation(), time.Now())
			for _, err := range []error{err, asking, reporting, tracking} {
				require.ErrorContains(t, err, tt.why)
				assert.NotErrorIs(t, err, his.ErrRefused)
			}
			for _, asked := range f.asked {
				assert.Equal(t, "GET /fhir/metadata", asked)
			}
			f.can(true, true, true, allTypes...)
			fileIn(t, c, histest.Message(1))
		})
	}
}

// A type that a server does not have is told in words, and the rest is as it was.
func TestWhatAServerDoesNotHaveIsSaidInWords(t *testing.T) {
	for _, kind := range []string{"PractitionerRole", "RelatedPerson", "Consent"} {
		for name, transactions := range map[string]bool{"a transaction": true, "one by one": false} {
			t.Run(kind+", "+name, func(t *testing.T) {
				f := newFakeFHIR(t)
				f.can(transactions, true, true, without(kind)...)
				c := fhirAt(t, f, nil)
				require.NoError(t, c.Check(t.Context()))
				asked, answered := aboutAChild()
				withdrawn := histest.Message(3)
				withdrawn.Kind, withdrawn.Text, withdrawn.Conversation.Derde = his.KindWithdrawal, "", asked.Conversation.Derde
				for _, item := range []his.Item{asked, answered, withdrawn} {
					fileIn(t, c, item)
				}
				saysInWords[kind](t, f)
				mistake := histest.Message(4)
				mistake.Kind, mistake.Author, mistake.Text, mistake.Conversation.Derde = his.KindMistake, answered.Author, "Verkeerd.", asked.Conversation.Derde
				fileIn(t, c, mistake)
				for _, at := range f.find("Communication", "") {
					assert.Equal(t, "entered-in-error", f.newest(at)["status"])
				}
			})
		}
	}
}

// saysInWords looks at a record by the type that it lacks.
var saysInWords = map[string]func(*testing.T, *fakeFHIR){
	"PractitionerRole": func(t *testing.T, f *fakeFHIR) {
		answer := f.filed(2)
		assert.Equal(t, f.find("Practitioner", "")[0], answer.Text("sender.reference"))
		assert.Equal(t, "P. Bakker (huisarts)", answer.Text("sender.display"))
	},
	"RelatedPerson": func(t *testing.T, f *fakeFHIR) {
		for seq, where := range []string{"sender", "recipient"} {
			message := f.filed(seq + 1)
			assert.Equal(t, "Jan de Vries", message.Text(where+".display"))
			assert.Equal(t, "RelatedPerson", message.Text(where+".type"))
			assert.NotEmpty(t, message.Text(where+".identifier.value"))
		}
	},
	"Consent": func(t *testing.T, f *fakeFHIR) {
		for seq := range 3 {
			said := f.filed(seq + 1)
			assert.Nil(t, said["about"])
			assert.Contains(t, said.Text("note.text"), "Grond: ")
		}
		assert.Equal(t, "Grond ingetrokken", f.filed(3).Text("topic.text"))
	},
}

// filed is the Communication of a message, by its number.
func (f *fakeFHIR) filed(seq int) loose.Resource {
	return f.newest(f.find("Communication", "identifier=urn:ietf:rfc:3986|urn:uuid:"+histest.Message(seq).ID.String())[0])
}

// Such a server has no Provenance of ours by which to ask whether something is there.
func TestAServerThatTakesNoIDsOfOursGetsEverythingOnce(t *testing.T) {
	for name, can := range map[string]func(*fakeFHIR){
		"in transactions": func(f *fakeFHIR) { f.can(true, true, false, allTypes...) },
		"one by one":      func(f *fakeFHIR) { f.can(false, true, false, allTypes...) },
		"that has none of what would have them": func(f *fakeFHIR) {
			f.can(true, true, true, slices.DeleteFunc(without("Binary"), func(kind string) bool { return kind == "Provenance" || kind == "AuditEvent" })...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			can(f)
			said, edit := histest.Message(1), histest.Message(2)
			said.Attachments = []his.Attachment{histest.Photo("plek.jpg", []byte("a photo"))}
			edit.Kind, edit.Replaces, edit.Text = his.KindEdit, said.ID, "Beter gezegd."
			for range 2 {
				c := fhirAt(t, f, nil) // it remembers nothing
				for _, item := range []his.Item{said, edit} {
					for range 2 {
						fileIn(t, c, item)
					}
					if item.Kind == his.KindMessage {
						assert.True(t, fileIn(t, c, item).Already)
					}
				}
			}
			for kind, want := range map[string]int{"Communication": 2, "Task": 1, "DocumentReference": 1, "Binary": 0, "Provenance": 0, "AuditEvent": 0} {
				assert.Len(t, f.find(kind, ""), want, kind)
			}
			assert.Equal(t, "Beter gezegd.", f.filed(1).Text("payload.contentString"))
			assert.NotEmpty(t, loose.Resource(f.newest(f.find("DocumentReference", "")[0])).Text("content.attachment.data"))
		})
	}
}
