// Package histest is what every connector has to pass. A connector's test gives Run a
// way to open one on an empty system of its own; what a test needs to see of that
// system is in Fixture. Samples (items.go) has one of everything that can be filed.
package histest

import (
	"crypto/sha256"
	"testing"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
)

// Fixture is a connector on an empty system, and that system seen from behind.
type Fixture struct {
	Connector his.Connector

	// Filed is what the system holds, in the order in which it shows it. Half an item
	// that the system would not pick up is not in it.
	Filed func(testing.TB) []Filed

	// Break makes filing fail for now; repair ends that.
	Break func(testing.TB) (repair func())

	// Interrupt starts to file the item and dies at the step, counted from 0, as at a
	// power cut. It returns a connector as after the restart, and whether there was
	// such a step: false when the item was filed to the end.
	Interrupt func(t testing.TB, item his.Item, step int) (his.Connector, bool)

	// Streams says that an attachment is never in memory as a whole.
	Streams bool
}

// Filed is one item as the system shows it.
type Filed struct {
	ID          uuid.UUID
	Record      string              // all words that a person would see
	Attachments [][sha256.Size]byte // sums of the attachments' bytes, in order
}

// Run runs the suite; open is called for every test.
func Run(t *testing.T, open func(testing.TB) Fixture) {
	for _, tt := range suite {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

var suite = []struct {
	name string
	run  func(*testing.T, Fixture)
}{
	{"an item is filed with its words, author and patient", filesOne},
	{"filing the same item again changes nothing", filesOnce},
	{"filing the same item at the same time files it once", filesOnceAtTheSameTime},
	{"different items at the same time are all filed", filesManyAtTheSameTime},
	{"items are shown in the order of their numbers", keepsOrder},
	{"everything that can be filed is filed", filesSamples},
	{"attachments arrive byte for byte, also those with one name", filesAttachments},
	{"an attachment of 25 MB is filed", filesBig},
	{"the Derde and the ground are in the record", filesDerde},
	{"an edit, a removal and a closing are filed beside the message", filesChanges},
	{"hostile strings are filed and keep patients apart", survivesHostileStrings},
	{"an outage is an error that is tried again, and then it works", survivesOutage},
	{"an attachment that cannot be read now is tried again", survivesBrokenAttachment},
	{"an attachment that breaks off is not filed short", refusesShortAttachment},
	{"an item that can never be filed is refused", refusesImpossible},
	{"a cancelled context stops the filing", obeysContext},
	{"a crash at any step leaves one item after the next try", survivesCrash},
	{"check finds a working system, and a broken one", checks},
}
