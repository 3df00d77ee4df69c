package his

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// conversation adds the Task that the conversation is, and the header Communication
// that its messages are part of. Both are created once; only an item that changes the
// conversation's state writes them again, because the HIS may have moved on the Task.
func (m *mapper) conversation() {
	id := m.item.Conversation.ID
	headerID := derive(id, "header")
	m.task = fhir.Reference{Reference: fullURL(id)}
	m.header = fhir.Reference{Reference: fullURL(headerID)}
	task, header := m.taskResource(), m.headerResource()
	if m.rule.status != "" {
		m.update(id, task)
		m.update(headerID, header)
		return
	}
	m.create(id, task, byIdentifier(id))
	m.create(headerID, header, byIdentifier(headerID))
}

func (m *mapper) taskResource() fhir.Task {
	c := m.item.Conversation
	modified := m.item.Sent
	if modified.Before(c.Opened) { // Task rule inv-1
		modified = c.Opened
	}
	return fhir.Task{
		ResourceType: "Task",
		Identifier:   []fhir.Identifier{marked(c.ID)},
		Group:        ours(c.named()),
		Status:       m.status(),
		StatusReason: m.outcome(),
		Intent:       "order",
		Priority:     m.priority(),
		Code:         text("Gesprek met de patiënt via de chat"),
		Description:  conversationTitle(c),
		Focus:        &m.header,
		For:          &m.subject,
		AuthoredOn:   fhir.Instant(c.Opened),
		LastModified: fhir.Instant(modified),
		Requester:    &m.writer,
		Owner:        &m.practice,
	}
}

func (m *mapper) headerResource() fhir.Communication {
	c := m.item.Conversation
	return fhir.Communication{
		ResourceType: "Communication",
		Identifier:   m.headerIdentifiers(),
		Status:       m.headerStatus(),
		Category:     m.category(),
		Priority:     m.priority(),
		Medium:       online,
		Subject:      &m.subject,
		Topic:        text(conversationTitle(c)),
		Sent:         fhir.Instant(c.Opened),
		Recipient:    []fhir.Reference{m.practice},
		Sender:       &m.writer,
	}
}

// online is "written, electronic" of v3-ParticipationMode.
var online = []fhir.CodeableConcept{fhir.Concept(fhir.SystemParticipationMode, "ONLINEWRIT")}

// headerIdentifiers also name the conversation itself: who finds an answer to a message
// comes from the header to the conversation.
func (m *mapper) headerIdentifiers() []fhir.Identifier {
	c := m.item.Conversation
	return []fhir.Identifier{marked(derive(c.ID, "header")), marked(c.named())}
}

// named is the conversation's own ID in every edition.
func (c Conversation) named() uuid.UUID {
	if c.original != uuid.Nil {
		return c.original
	}
	return c.ID
}

// statuses are what a Task says of a conversation.
var statuses = map[Status]string{StatusRequested: "requested", StatusOpen: "in-progress", StatusClosed: "completed"}

// status is the Task's.
func (m *mapper) status() string {
	if m.rule.status != "" {
		return m.rule.status
	}
	if status, known := statuses[m.item.Conversation.Status]; known {
		return status
	}
	return statuses[StatusOpen]
}

// outcome says beside the status how a conversation ended.
func (m *mapper) outcome() *fhir.CodeableConcept {
	if m.item.Kind != KindClosing || m.item.Closing == nil {
		return nil
	}
	return text(m.item.Closing.outcome(m.item.Conversation, m.item.Sent))
}

// headerStatus is the Task's word where a Communication has it.
func (m *mapper) headerStatus() string {
	if status := m.status(); status != statuses[StatusRequested] {
		return status
	}
	return statuses[StatusOpen]
}

// categories are a conversation's kinds in words: there is no code for them.
var categories = map[Category]string{CategoryCare: "Zorgvraag", CategoryNonCare: "Praktische vraag"}

func (m *mapper) category() []fhir.CodeableConcept {
	words, told := categories[m.item.Conversation.Category]
	if !told {
		return nil
	}
	return []fhir.CodeableConcept{*text(words)}
}

func (m *mapper) priority() string {
	if m.item.Conversation.Urgent {
		return "urgent"
	}
	return "routine"
}

func conversationTitle(c Conversation) string { return fmt.Sprintf("Gesprek %d", c.Number) }
