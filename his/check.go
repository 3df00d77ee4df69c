package his

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// maxText is FHIR's limit for a string, in bytes.
const maxText = 1 << 20

// latest is the first moment that FHIR's four-digit years cannot write.
var latest = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// requirement is one thing without which an item cannot be filed by any connector.
type requirement struct {
	flaw Flaw // what is wrong when it is not met
	met  func(Item) bool
}

var requirements = []requirement{
	{FlawNoID, func(i Item) bool { return i.ID != uuid.Nil }},
	{FlawNoPlace, func(i Item) bool { return i.Seq > 0 }},
	{FlawUnknownKind, func(i Item) bool { _, known := kindRules[i.Kind]; return known }},
	{FlawNoTime, func(i Item) bool { return datable(i.Sent) && (i.Filed.IsZero() || datable(i.Filed)) }},
	{FlawNoAuthor, func(i Item) bool { return i.Author.name() != "" && line(string(i.Author.Role)) != "" }},
	{FlawNoConversation, func(i Item) bool { return i.Conversation.ID != uuid.Nil && i.Conversation.Number > 0 }},
	{FlawNotOpened, func(i Item) bool { return datable(i.Conversation.Opened) }},
	{FlawNoPractice, func(i Item) bool { return i.Conversation.Practice.ID != "" && line(i.Conversation.Practice.Name) != "" }},
	{FlawPracticeCode, func(i Item) bool { return digits(i.Conversation.Practice.AGB, 8) }},
	{FlawPatientNumber, func(i Item) bool { return known(i.Conversation.Patient) }},
	{FlawDerde, func(i Item) bool { return i.Conversation.Derde == nil || complete(*i.Conversation.Derde) }},
	{FlawTooLong, func(i Item) bool { return len(i.Text) <= maxText }},
	{FlawDocument, func(i Item) bool { return closes(i) }},
	{FlawReplacesNone, func(i Item) bool { return !kindRules[i.Kind].replaces || i.Replaces != uuid.Nil }},
	{FlawNoDerde, func(i Item) bool { return !kindRules[i.Kind].derde || i.Conversation.Derde != nil }},
	{FlawAttachment, func(i Item) bool { return readable(i) }},
}

// check refuses an item that no connector could file.
func check(item Item) error {
	for _, r := range requirements {
		if !r.met(item) {
			return fmt.Errorf("item %s: %w", item.ID, r.flaw)
		}
	}
	return nil
}

func datable(t time.Time) bool { return !t.IsZero() && t.Year() > 0 && t.Before(latest) }

func known(p Patient) bool { return line(p.Number) != "" && digits(p.BSN, 9) }

func complete(d Derde) bool {
	ground := d.Ground == GroundParent || d.Ground == GroundPermission
	return line(d.Name) != "" && ground && datable(d.AttestedAt) && (d.Patient == nil || known(*d.Patient))
}

func closes(i Item) bool {
	if i.Closing == nil {
		return true
	}
	c := i.Closing.Consult
	return i.Kind == KindClosing && (c == nil || line(c.System) != "" && line(c.Code) != "")
}

// digits is true for n digits, and for nothing at all.
func digits(s string, n int) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s == "" || len(s) == n
}

// readable keeps to FHIR's unsignedInt for a size, and asks for different attachments.
func readable(item Item) bool {
	seen := map[uuid.UUID]bool{}
	for i, a := range item.Attachments {
		id := item.attachmentID(i)
		if a.Open == nil || a.Size < 0 || a.Size > 1<<31-1 || seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}
