package his

import (
	"encoding/json"
	"time"
)

// What the tests of package his_test see of the inside.
var (
	DirName         = dirName
	FileName        = fileName
	AttachmentNames = attachmentNames
	Plain           = plain
	Line            = line
)

// OpenFaultySpool opens a spool whose every step may be made to fail.
func OpenFaultySpool(dir string, fault func(step string) error) Connector {
	return &spool{dir: dir, parties: Edifact{"500001234", "500005678"}, fault: fault}
}

// OpenFaulty opens a folder whose every step may be made to fail.
func OpenFaulty(dir string, fault func(step string) error) Connector {
	return &folder{dir: dir, fault: fault}
}

// Is lets Spreekkamer be of a version; back ends that.
func Is(of string) (back func()) {
	before := version
	version = of
	return func() { version = before }
}

// LastAsked lets a FHIR server have been asked last at some time what it can do.
func LastAsked(c Connector, at time.Time) {
	s := c.(*fhirServer)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = at
}

// HeldSince is a cursor with all that is held in it held since a moment.
func HeldSince(text string, at time.Time) string {
	var c cursor
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	for i := range c.Held {
		c.Held[i].Since = at.Unix()
	}
	return c.String()
}
