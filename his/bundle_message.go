package his

import (
	"io"
	"mime"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// message adds what was written, and its attachments.
func (m *mapper) message() []fhir.Reference {
	documents := m.documents(m.item.documents())
	said := m.communication(documents)
	said.Note = append(said.Note, m.markNote(m.item.ID))
	if from := m.item.origin(); from != "" {
		said.Note = append(said.Note, fhir.Annotation{Text: from})
	}
	filed := m.create(m.item.ID, said, byIdentifier(m.item.ID))
	return append([]fhir.Reference{filed}, documents...)
}

// MarkNote begins the note with the marks by which a document or a letter points to a message: of
// an edited one its own, and that of the edit.
const MarkNote = "Kenmerk: "

// aboutNote begins the note on whom a message is about.
const aboutNote = "Gaat over: "

// NumberNote stands between the marks and the numbers in the conversation, by which the report calls messages.
const NumberNote = "; "

func (m *mapper) markNote(ids ...uuid.UUID) fhir.Annotation {
	var all []string
	for _, id := range ids {
		all = append(all, Mark(id))
	}
	seqs := []int{m.item.Seq}
	if m.item.Kind == KindEdit && m.item.ReplacesSeq > 0 {
		seqs = []int{m.item.ReplacesSeq, m.item.Seq}
	}
	return fhir.Annotation{Text: MarkNote + strings.Join(all, ", ") + NumberNote + numbers(seqs) + " in dit gesprek"}
}

// edit writes a new version of the message: the server keeps the old wording in its
// history, and Provenance says that there was one. The message's identifier stays.
func (m *mapper) edit() []fhir.Reference {
	documents := m.documents(m.item.documents())
	edited := m.communication(documents)
	edited.Identifier = []fhir.Identifier{marked(m.item.Replaces), marked(m.item.ID)}
	edited.Note = append(edited.Note, m.markNote(m.item.Replaces, m.item.ID), fhir.Annotation{
		Text: "Gewijzigd door de afzender op " + moment(m.item.Sent) + ". De eerdere tekst is bewaard als vorige versie van dit bericht.",
	})
	filed := m.update(m.item.Replaces, edited)
	return append([]fhir.Reference{filed}, documents...)
}

// RemovedTopic tells the notice that a message was removed from what people write.
const RemovedTopic = "Bericht uit de chat verwijderd"

// removal adds a notice; the message itself stays in the record.
func (m *mapper) removal() []fhir.Reference {
	notice := m.communication(nil)
	notice.InResponseTo = []fhir.Reference{named("Communication", m.item.Replaces)}
	notice.Topic = text(RemovedTopic)
	notice.Note = append(notice.Note, m.markNote(m.item.ID))
	return []fhir.Reference{m.create(m.item.ID, notice, byIdentifier(m.item.ID))}
}

// mistake marks what should not have been filed, and leaves its words to the server's
// history. The conversation's own status is set with it when all of it was mistaken.
func (m *mapper) mistake() (wrong []fhir.Reference) {
	for _, id := range m.item.Mistaken {
		wrong = append(wrong, m.update(id, fhir.Communication{
			ResourceType: "Communication",
			Identifier:   []fhir.Identifier{marked(id)},
			PartOf:       []fhir.Reference{m.header},
			Status:       enteredInError,
			StatusReason: text(m.item.body()),
			Subject:      &m.subject,
		}))
	}
	if len(wrong) == 0 {
		wrong = []fhir.Reference{m.task, m.header}
	}
	return wrong
}

// closing adds question, answer and summary as one document, when there is one.
func (m *mapper) closing() []fhir.Reference {
	return append(m.conversationItself(), m.documents(m.item.documents())...)
}

// conversationItself is what a change of state is about; conversation() has added it.
func (m *mapper) conversationItself() []fhir.Reference { return []fhir.Reference{m.task} }

func (m *mapper) communication(documents []fhir.Reference) fhir.Communication {
	c := fhir.Communication{
		ResourceType: "Communication",
		Identifier:   []fhir.Identifier{marked(m.item.ID)},
		PartOf:       []fhir.Reference{m.header},
		Status:       "completed",
		Category:     m.category(),
		Priority:     m.priority(),
		Medium:       online,
		Subject:      &m.subject,
		Sent:         fhir.Instant(m.item.Sent),
		Recipient:    []fhir.Reference{m.recipient()},
		Sender:       &m.author,
	}
	if m.item.InReplyTo != uuid.Nil {
		c.InResponseTo = []fhir.Reference{named("Communication", m.item.InReplyTo)}
	}
	if m.consent != nil {
		c.About = []fhir.Reference{*m.consent}
	}
	if d := m.item.Conversation.Derde; d != nil {
		c.Note = []fhir.Annotation{{Text: markdown(aboutNote + concerns(m.item.Conversation) + ". Grond: " + groundLine(*d) + ".")}}
	}
	if said := m.item.body(); said != "" {
		c.Payload = append(c.Payload, fhir.Payload{ContentString: said})
	}
	for _, d := range documents {
		c.Payload = append(c.Payload, fhir.Payload{ContentReference: &d})
	}
	return c
}

func (m *mapper) recipient() fhir.Reference {
	if m.item.Author.Role == RolePatient {
		return m.practice
	}
	return m.writer
}

// document is one thing with bytes of its own.
type document struct {
	id          uuid.UUID
	name        string
	contentType string
	size        int64
	open        func() (io.ReadCloser, error)
}

// documents are the attachments and, of a closing, the text.
func (i Item) documents() (all []document) {
	for n, a := range i.Attachments {
		all = append(all, document{i.attachmentID(n), a.Name, a.ContentType, a.Size, a.Open})
	}
	if i.Closing != nil {
		said := i.Closing.document(i.Conversation, i.Sent)
		all = append(all, document{
			derive(i.ID, "document"), conversationTitle(i.Conversation) + ".txt", "text/plain", int64(len(said)),
			func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(said)), nil },
		})
	}
	return all
}

// documents adds a Binary and a DocumentReference for each. The Binary is referred to
// by its real address: some servers leave a urn:uuid in attachment.url as it is.
func (m *mapper) documents(all []document) (refs []fhir.Reference) {
	for _, d := range all {
		binary := derive(d.id, "binary")
		kind := mediaType(d.contentType)
		m.put(binary, fhir.Binary{ID: resourceID(binary), ContentType: kind, Size: d.size, Open: d.open})
		refs = append(refs, m.create(d.id, fhir.DocumentReference{
			ResourceType:     "DocumentReference",
			MasterIdentifier: ours(d.id),
			Identifier:       []fhir.Identifier{*ours(d.id)},
			Status:           "current",
			DocStatus:        "final",
			Type:             text(m.documentType()),
			Subject:          &m.subject,
			Date:             fhir.Instant(m.item.Sent),
			Context:          m.context(),
			Author:           []fhir.Reference{m.author},
			Custodian:        &m.practice,
			Description:      conversationTitle(m.item.Conversation),
			Content: []fhir.DocumentContent{{Attachment: fhir.Attachment{
				ContentType: kind, URL: "Binary/" + resourceID(binary), Size: d.size, Title: line(d.name),
			}}},
		}, byIdentifier(d.id)))
	}
	return refs
}

// context is the conversation that a document belongs to, and as what kind of contact that
// counts for the practice.
func (m *mapper) context() *fhir.DocumentContext {
	context := &fhir.DocumentContext{Related: []fhir.Reference{m.task}}
	if m.item.Closing != nil && m.item.Closing.Consult != nil {
		c := m.item.Closing.Consult
		context.Event = []fhir.CodeableConcept{{
			Coding: []fhir.Coding{{System: line(c.System), Code: line(c.Code), Display: line(c.Display)}}, Text: c.words(),
		}}
	}
	return context
}

func (m *mapper) documentType() string {
	if m.item.Kind == KindClosing {
		return "Verslag van een gesprek via de chat"
	}
	return "Bijlage bij een bericht via de chat"
}

// mediaType is type/subtype without parameters, or the type of unknown bytes.
func mediaType(s string) string {
	kind, _, err := mime.ParseMediaType(s)
	if err != nil || strings.Count(kind, "/") != 1 {
		return "application/octet-stream"
	}
	return kind
}

func (i Item) attachmentID(n int) uuid.UUID {
	if id := i.Attachments[n].ID; id != uuid.Nil {
		return id
	}
	return derive(i.ID, "attachment", strconv.Itoa(n))
}
