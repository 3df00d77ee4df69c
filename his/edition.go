package his

import (
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// EditionID is what something is called in the HIS that has this ID with us, in an edition
// of its conversation (Conversation.Edition).
func EditionID(id uuid.UUID, edition int) uuid.UUID {
	if edition == 0 || id == uuid.Nil {
		return id
	}
	return derive(id, "edition", strconv.Itoa(edition))
}

// filedAnew gives an item, and what it refers to, the names of its edition. Every connector
// starts with it; nothing after it has to know of editions.
func filedAnew(i Item) Item {
	edition := i.Conversation.Edition
	if edition == 0 {
		return i
	}
	i.Attachments = slices.Clone(i.Attachments)
	for n := range i.Attachments {
		i.Attachments[n].ID = EditionID(i.attachmentID(n), edition)
	}
	i.Mistaken = slices.Clone(i.Mistaken)
	for n := range i.Mistaken {
		i.Mistaken[n] = EditionID(i.Mistaken[n], edition)
	}
	i.ID, i.InReplyTo, i.Replaces = EditionID(i.ID, edition), EditionID(i.InReplyTo, edition), EditionID(i.Replaces, edition)
	i.Conversation.original = i.Conversation.ID
	i.Conversation.ID = EditionID(i.Conversation.ID, edition)
	i.Conversation.Edition = 0
	return i
}
