package his

import (
	"strings"

	"github.com/google/uuid"
)

// namespace makes our UUIDs (version 5) ours. Never change it: everything would be
// filed a second time.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/spreekkamer/spreekkamer"))

// MessageID is an event's name in the HIS. Matrix ids stay outside: they say which
// server somebody uses, and their "$" is a separator in a FHIR search.
func MessageID(eventID string) uuid.UUID { return derive(namespace, "event", eventID) }

// derive gives a thing that belongs to another its own, lasting name.
func derive(base uuid.UUID, what ...string) uuid.UUID {
	return uuid.NewSHA1(base, []byte(strings.Join(what, "\x00")))
}

func urn(id uuid.UUID) string { return "urn:uuid:" + id.String() }
