// Package his files what was said in the practice's information system (Huisarts
// Informatie Systeem). Start at Connector. An Item (item.go) is one thing to file;
// Bundle (bundle.go) is the one mapping to FHIR R4 that every connector shares, and
// folder.go is the connector that is always there. A new system is one file with a
// Connector and one line in kinds; histest holds what it has to pass.
//
// Kept out: when and whether to file, retrying, the order of items, and where the
// words come from: that is the bridge's. Nothing here knows Matrix, and no error
// says anything about a person.
package his

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrRefused marks an error that is not cured by trying again: the item, or the
// system's answer, has to be seen by a person. Every other error is tried again.
var ErrRefused = errors.New("refused")

// mostPatience bounds how long a system is left alone at its own word.
const mostPatience = time.Hour

// RetryAfter is how long a system wants to be left alone, as it said with an error of a Connector
// (HTTP: Retry-After); at most an hour. Zero: it did not say. Any error in the chain that has a
// method RetryAfter says so.
func RetryAfter(err error) time.Duration {
	var said interface{ RetryAfter() time.Duration }
	if !errors.As(err, &said) {
		return 0
	}
	return min(max(said.RetryAfter(), 0), mostPatience)
}

// A Connector files items in one system of one practice. It may be used by several
// goroutines at once.
type Connector interface {
	// File puts the item in the practice's inbox and returns when the system has it
	// safely. Filing an item that is there already changes nothing. The caller files
	// the items of one conversation in the order of Seq. An error that wraps
	// ErrRefused is final; errors hold no personal data, as far as an Attachment's
	// Open adds none.
	File(ctx context.Context, item Item) (Receipt, error)

	// Check says whether File could succeed now, and otherwise why not. It leaves
	// nothing behind.
	Check(ctx context.Context) error
}

// Receipt is what the system answered.
type Receipt struct {
	Reference string // where the item is, in the system's own terms; holds no personal data
	Already   bool   // the item had been filed before
}

// Settings say which system; each kind reads what concerns it.
type Settings struct {
	Dir     string  // folder, medvri: an existing directory, for this practice only
	FHIR    FHIR    // fhir
	Edifact Edifact // medvri
}

// kinds are the systems we can file in, by their name in the configuration.
var kinds = map[string]func(Settings) (Connector, error){
	"folder": openFolder,
	"fhir":   openFHIR,
	"medvri": openSpool,
}

// Open returns the connector for a kind named in the configuration. It needs no
// reachable system (see Check): an outage at the start is like one later.
func Open(kind string, settings Settings) (Connector, error) {
	open, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("his kind %q: we know %s", kind, strings.Join(Kinds(), ", "))
	}
	c, err := open(settings)
	if err != nil {
		return nil, fmt.Errorf("open his %s: %w", kind, err)
	}
	return c, nil
}

// SameServer says that two connectors are of one server: what one reads the other reads too.
func SameServer(a, b Connector) bool {
	one, isA := a.(*fhirServer)
	two, isB := b.(*fhirServer)
	return a == b || isA && isB && one.client.Base() == two.client.Base()
}

// Kinds are the names that Open knows, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }
