package histest

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
)

// monday is when all samples begin: 11:12 in the practice.
var monday = time.Date(2026, 6, 1, 9, 12, 0, 123_000_000, time.UTC)

// Message is a patient's message, complete and valid, with its number as text.
func Message(seq int) his.Item {
	return his.Item{
		ID:           his.MessageID(fmt.Sprintf("$event-%d", seq)),
		Seq:          seq,
		Kind:         his.KindMessage,
		Conversation: Conversation(),
		Sent:         monday.Add(time.Duration(seq) * time.Minute),
		Filed:        monday.Add(time.Duration(seq)*time.Minute + 3*time.Second),
		Author:       his.Author{Name: "Jan de Vries", Role: his.RolePatient},
		Text:         fmt.Sprintf("Bericht nummer %d.", seq),
	}
}

// Conversation is open and about the account holder.
func Conversation() his.Conversation {
	return his.Conversation{
		ID:       uuid.MustParse("6f1d4e0a-52f1-4a50-9a57-0d6f6a5f7b11"),
		Number:   1042,
		Opened:   monday,
		Status:   his.StatusOpen,
		Practice: his.Practice{ID: "linde", Name: "Huisartsenpraktijk De Linde", AGB: "01054321"},
		Patient: his.Patient{
			Number: "20417", BSN: "999990019", FirstName: "Jan", LastName: "de Vries",
			BirthDate: time.Date(1980, 3, 2, 0, 0, 0, 0, time.UTC), Phone: "+31612345678", Email: "jan@example.org",
		},
	}
}

// Document is what a closed conversation came to.
func Document() *his.Closing {
	staff := his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}
	return &his.Closing{
		Said: []his.Said{
			{Seq: []int{1, 2}, Author: his.Author{Name: "Jan de Vries", Role: his.RolePatient}, Sent: monday, Text: "Is deze plek erg?\nIk heb hem een week.", Files: []string{"plek.jpg"}},
			{Seq: []int{3}, Author: staff, Sent: monday.Add(time.Hour), Text: "Nee, dat is een schaafwond."},
		},
		Summary: "S: plek op arm. E: schaafwond. P: afwachten.", By: staff, ClosedBy: staff,
		Consult: &his.Code{System: "http://snomed.info/sct", Code: "448337001", Display: "Telemedicine consultation with patient"},
	}
}

// Child is a Derde whom the practice may know as a patient.
func Child(patient *his.Patient) *his.Derde {
	return &his.Derde{
		Name: "Sanne de Vries", BirthDate: time.Date(2015, 9, 14, 0, 0, 0, 0, time.UTC), Relation: "dochter",
		Ground: his.GroundParent, AttestedAt: monday.Add(-time.Minute), StatementVersion: "2026-01",
		StatementURI: "https://example.org/verklaring/2026-01", Patient: patient,
	}
}

// ChildPatient is that child in the practice's records.
func ChildPatient() *his.Patient {
	return &his.Patient{
		Number: "20418", BSN: "123456782", FirstName: "Sanne", LastName: "de Vries",
		BirthDate: time.Date(2015, 9, 14, 0, 0, 0, 0, time.UTC),
	}
}

// Photo is an attachment with these bytes.
func Photo(name string, data []byte) his.Attachment {
	return his.Attachment{
		Name: name, ContentType: "image/jpeg", Size: int64(len(data)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

// Big is an attachment that takes no memory.
func Big(size int64) his.Attachment {
	return his.Attachment{
		Name: "film.mp4", ContentType: "video/mp4", Size: size,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(pattern{}, size)), nil },
	}
}

// pattern is endless and the same wherever it is read from.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// A Sample is an item with a name.
type Sample struct {
	Name string
	Item his.Item
}

// Samples is one of everything that can be filed.
func Samples() []Sample {
	var all []Sample
	add := func(name string, change func(*his.Item)) {
		item := Message(len(all) + 1)
		change(&item)
		all = append(all, Sample{name, item})
	}
	first := Message(1).ID
	staff := his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}
	add("a patient's message", func(i *his.Item) { i.Text = "Mag ik <dit> & dat?\n\nGroet, Jan 👋" })
	add("an answer", func(i *his.Item) { i.Author, i.InReplyTo = staff, first })
	add("an answer of the GP with an id", func(i *his.Item) {
		i.Author = his.Author{ID: uuid.MustParse("0b9cf6ad-4d20-4a0b-9f7e-1d1c6f2b9f01"), Name: "P. Bakker", Role: his.RoleHuisarts}
	})
	add("a notice of the bridge", func(i *his.Item) { i.Author = his.Author{Role: his.RoleBridge} })
	add("photos without text", func(i *his.Item) {
		i.Text = ""
		i.Attachments = []his.Attachment{Photo("plek.jpg", []byte("a photo")), Photo("plek.jpg", []byte("another"))}
	})
	add("a message of which nothing could be carried", func(i *his.Item) { i.Text = "" })
	add("an empty file", func(i *his.Item) { i.Attachments = []his.Attachment{Photo("leeg", nil)} })
	add("a message about a child", func(i *his.Item) { i.Conversation.Derde = Child(nil) })
	add("a message about a child who is a patient", func(i *his.Item) { i.Conversation.Derde = Child(ChildPatient()) })
	add("an answer about a child who is a patient", func(i *his.Item) {
		i.Author, i.Conversation.Derde = staff, Child(ChildPatient())
	})
	add("a message with someone's permission", func(i *his.Item) {
		i.Conversation.Derde = &his.Derde{Name: "P. Jansen", Relation: "achterneef", Ground: his.GroundPermission, AttestedAt: monday}
	})
	add("an edit", func(i *his.Item) { i.Kind, i.Replaces, i.Text = his.KindEdit, first, "Beter gezegd." })
	add("a removal", func(i *his.Item) { i.Kind, i.Replaces, i.Text = his.KindRemoval, first, "" })
	add("an urgent message of a patient of whom little is known", func(i *his.Item) {
		i.Conversation.Urgent, i.Filed = true, time.Time{}
		i.Conversation.Patient, i.Conversation.Practice.AGB = his.Patient{Number: "7"}, ""
	})
	add("a withdrawal", func(i *his.Item) { i.Kind, i.Text, i.Conversation.Derde = his.KindWithdrawal, "", Child(nil) })
	add("a closing with a document", func(i *his.Item) { i.Kind, i.Author, i.Closing = his.KindClosing, staff, Document() })
	add("a closing after the patient withdrew", func(i *his.Item) {
		i.Kind, i.Text, i.Author = his.KindClosing, "", his.Author{Role: his.RoleBridge}
		i.Closing = &his.Closing{Ending: his.EndingWithdrawn, Unanswered: true, Only: []int{1, 2}}
	})
	add("a reopening", func(i *his.Item) { i.Kind, i.Text = his.KindReopening, "" })
	add("a closing without words", func(i *his.Item) { i.Kind, i.Author, i.Text = his.KindClosing, staff, "" })
	add("a message after the closing", func(i *his.Item) { i.Conversation.Status = his.StatusClosed })
	add("a new question that is not about care", func(i *his.Item) {
		i.Conversation.Status, i.Conversation.Category = his.StatusRequested, his.CategoryNonCare
	})
	add("a message that was filed wrongly", func(i *his.Item) { i.Kind, i.Author, i.Mistaken = his.KindMistake, staff, []uuid.UUID{first} })
	add("a conversation that was filed wrongly", func(i *his.Item) {
		i.Kind, i.Author, i.Text = his.KindMistake, staff, "Dit gesprek hoort bij een andere patiënt."
	})
	add("a message of a conversation that is filed anew", func(i *his.Item) {
		i.Conversation.Edition, i.InReplyTo, i.Conversation.Category = 1, first, his.CategoryCare
	})
	return all
}
