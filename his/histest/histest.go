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

	// Largest is the size in bytes of the largest attachment to show; zero: 25 MB, the most that
	// a practice lets through. Less is for a stand-in; the real system shows it whole.
	Largest int64

	// Streams says that an attachment is never in memory as a whole.
	Streams bool

	// What follows is needed by connectors that have the ability (his/abilities.go), or whose
	// system can do it; the others leave it nil, and the cases about it do not run.
	Answer   func(testing.TB, Written)                      // Answerer: the practice writes an answer
	Reported func(testing.TB, his.Answer) his.Delivery      // Answerer: what the system was told of it
	State    func(testing.TB, his.Conversation) his.Status  // Tracker: what the system shows
	SetState func(testing.TB, his.Conversation, his.Status) // Tracker: the practice changes it
	Know     func(testing.TB, his.Patient)                  // Finder: adds a patient
	Refuse   func(testing.TB) (repair func())               // the system refuses what it is given
	Lose     func(testing.TB)                               // the next item is taken, but its answer is lost
	Stall    func(testing.TB) (asked, repair func())        // the system takes items and does not answer; asked returns when one came
}

// Filed is one item as the system shows it.
type Filed struct {
	ID          uuid.UUID
	Record      string              // all words that a person would see
	Attachments [][sha256.Size]byte // sums of the attachments' bytes, in order
	Subject     string              // the BSN of the patient in whose record it is; "": the system does not tell
	Sender      string              // the FHIR type of who sent it; "": the system does not tell
	Mistaken    bool                // it is marked as not belonging there
}

// Written is an answer as somebody in the practice writes it in the system.
type Written struct {
	InReplyTo his.Item   // what is answered
	Author    his.Author // Name and Role
	Text      string
	Subject   string // the BSN of another patient than the one who wrote: a mistake; "": the right one
	Draft     bool   // not meant to be sent yet
}

// Run runs the suite; open is called for every test.
func Run(t *testing.T, open func(testing.TB) Fixture) {
	for _, tt := range suite {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
	f := open(t)
	for _, tt := range optional {
		if tt.can(t, f) {
			t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
		}
	}
}

// optional cases run for connectors that can do it: can says so, and fails the test when an
// ability is there and nothing to see it with.
var optional = []struct {
	name string
	can  func(testing.TB, Fixture) bool
	run  func(*testing.T, Fixture)
}{
	{"a refusal by the system is final", canRefuse, refusesWhatTheSystemRefuses},
	{"an item whose answer was lost is there once", canLose, survivesLostAnswer},
	{"a system that does not answer holds nobody up", canStall, survivesSilence},
	{"an answer is read with its author and what it answers", canAnswer, readsAnswer},
	{"answers are read in order, and go on from the cursor", canAnswer, readsAnswersInOrder},
	{"a draft is no answer until it is finished", canDraft, leavesDrafts},
	{"an answer in another patient's record is not passed on", canAnswerAboutAnother, stopsWrongAnswer},
	{"the system is told what became of an answer", canAnswer, reports},
	{"a copy of an answer is put once, and is no message of its own", canCopy, copies},
	{"a conversation's state is kept in step", canTrack, tracks},
	{"a state that was changed in the system is seen", canTrack, seesStates},
	{"a patient is found by BSN, by number, or by name and day of birth", canFind, findsPatients},
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
	{"a large attachment is filed", filesBig},
	{"the Derde and the ground are in the record", filesDerde},
	{"a Derde who is a patient has it in the own record, another in the sender's", filesInTheRightRecord},
	{"an edit, a removal and a closing are filed beside the message", filesChanges},
	{"what was filed wrongly is marked, and can be filed anew", filesAnew},
	{"hostile strings are filed and keep patients apart", survivesHostileStrings},
	{"an outage is an error that is tried again, and then it works", survivesOutage},
	{"an attachment that cannot be read now is tried again", survivesBrokenAttachment},
	{"an attachment that breaks off is not filed short", refusesShortAttachment},
	{"an item that can never be filed is refused", refusesImpossible},
	{"a cancelled context stops the filing", obeysContext},
	{"a crash at any step leaves one item after the next try", survivesCrash},
	{"check finds a working system, and a broken one", checks},
}
