package his

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// What a system can do beside taking items. Each ability is an interface of its own, that
// a Connector has or has not; ask with a type assertion:
//
//	if a, can := practice.Connector.(his.Answerer); can { … }
//
// | ability  | folder | fhir | medvri |
// |----------|--------|------|--------|
// | Answerer | yes    | yes  | no     |
// | Tracker  | no     | yes  | no     |
// | Finder   | no     | yes  | no     |
// | Hooked   | no     | yes  | no     |
// | Copier   | yes    | no   | no     |
//
// Withdrawing what was filed wrongly is no ability but an Item (KindMistake): every
// connector can say in the record that something does not belong there.

// An Answerer gives what the practice writes in its own system in answer to a patient
// (requirement E4). Its methods may be called while File runs.
type Answerer interface {
	// Answers gives what was written since the cursor, oldest first, and the cursor to go
	// on from. "" is the very beginning. Keep next in the transaction that keeps the
	// answers: an answer that was given once may not be given again after it.
	//
	// The same answer may come more than once, also with an old cursor lost; its ID stays
	// the same, and whoever passes it on goes by that (see Answer.List). An answer that was changed
	// in the system after it was given comes again under the same ID and is not meant to be sent
	// again; one that was taken back may come as Withdrawn. No more than a page comes at once: ask
	// again at once while next changes. Errors are worth trying again later, with the same cursor;
	// they hold no personal data. With ErrBehind answers and next are good all the same.
	Answers(ctx context.Context, since string) (answers []Answer, next string, err error)

	// Report tells the system what became of an answer. Telling the same again changes
	// nothing. An error that wraps ErrRefused is final: the system takes no report.
	Report(ctx context.Context, r Report) error

	// Woken gets a value when there may be something to read. It is a hint: it may be
	// early, or never come (also nil: the system cannot knock), so ask from time to time
	// as well.
	Woken() <-chan struct{}
}

// ErrBehind says that the system fails at some answers: they, and what follows them in the same
// record, come when it no longer does. Tell somebody when it lasts.
var ErrBehind = errors.New("some answers have to wait")

// A Copier is an Answerer whose answers lie apart from the conversations that they are in: who reads one
// would miss them.
type Copier interface {
	// Copy puts a copy of an answer, a KindMessage, in its place in the conversation, for people only: the
	// system has the answer itself, and must not get it as another message. The rest is as with File.
	Copy(ctx context.Context, item Item) (Receipt, error)
}

// Answer is what somebody in the practice wrote in the system.
type Answer struct {
	ID        uuid.UUID // which answer it is: the same whenever it is read
	Reference string    // what the system calls it; for Report; holds no personal data

	// Conversation is the Conversation.ID that was filed; when it is zero, Number says
	// which conversation of this practice is meant. InReplyTo is the Item.ID of the message
	// that is answered; zero: the conversation as a whole.
	Conversation uuid.UUID
	Number       int64
	InReplyTo    uuid.UUID

	// For says whose record the answer was written in, where the system itself does not see to
	// it: a number is soon mistyped. Whoever passes it on compares it with the patient and the
	// Derde of the conversation. nil: the system has seen to it.
	For *Whose

	Author      Author // Name and Role as the system tells them; never RolePatient
	Written     time.Time
	Text        string // plain text
	Attachments []Attachment

	// List and Place are set when the answer is one of a list whose members have no lasting name (FHIR:
	// outputs of a Task): Place is where in the List it stands now, as Reference has it, and ID is not
	// more than a proposal. All of a list comes at once, and whoever passes answers on tells its members
	// apart by what they say.
	List, Place string

	// Withdrawn says that the system has taken the answer back, whatever it was; with a List, that
	// nothing is left in that. Nothing else is told, and of what was never given it means nothing.
	Withdrawn bool

	// Problem says why this answer must not be passed on: another patient than the
	// conversation's, nothing in it, … The words and attachments are left out. Tell staff,
	// and report it as failed.
	Problem Problem
}

// Whose is a patient as somebody names one; what is not zero has to be right.
type Whose struct {
	Number string    // patient number in the system
	Born   time.Time // its day counts, in its own location
}

// Report is what became of an Answer.
type Report struct {
	Answer    uuid.UUID // Answer.ID; two may have one Reference, where a list of them was put in another order
	Reference string    // Answer.Reference
	Delivery  Delivery
	At        time.Time // when that happened
	Reason    string    // DeliveryFailed: why, in words for who wrote it; no personal data
}

// Delivery is how far an answer came.
type Delivery string

const (
	DeliveryReceived  Delivery = "received"  // the bridge has it and will pass it on
	DeliveryDelivered Delivery = "delivered" // the patient's homeserver has it
	DeliveryFailed    Delivery = "failed"    // it will not reach the patient
)

// A Tracker keeps the state of a conversation in step with the system's list of work
// (FHIR: the Task).
type Tracker interface {
	// Track says in which state a filed conversation is now: Conversation.Status. Nothing
	// happens when the system does not know the conversation (nothing was filed yet), has
	// that state already, or has ended the work itself. KindClosing and KindReopening
	// change the state by themselves and need no Track.
	Track(ctx context.Context, c Conversation, at time.Time) error

	// Tracked gives the states that were changed in the system, as Answers gives answers.
	// Our own changes come too: a state that the conversation has already means nothing.
	Tracked(ctx context.Context, since string) (changes []StatusChange, next string, err error)
}

// StatusChange is a conversation whose state was changed in the system.
type StatusChange struct {
	Conversation uuid.UUID // Conversation.ID
	Status       Status    // StatusRequested, StatusOpen or StatusClosed
	At           time.Time
}

// A Finder looks up patients, so that staff can couple an account (requirement A6).
type Finder interface {
	// Find gives the patients that the query may mean, best first and at most MaxFound;
	// more says that there were others. They are proposals: a person decides. A query
	// without BSN and number, and without both name and day of birth, finds nothing. An error that wraps
	// ErrRefused is final: the system does not let us look.
	Find(ctx context.Context, q PatientQuery) (found []Patient, more bool, err error)
}

// MaxFound is how many patients a Finder gives: who gets more has not asked enough.
const MaxFound = 10

// PatientQuery is what is known of a patient: the BSN, the number in the system, or family name and
// day of birth. The first of them that is given counts.
type PatientQuery struct {
	BSN       string
	Number    string
	LastName  string
	BirthDate time.Time // its day counts, in its own location
}

// Hooked is a connector whose system can knock on our door. The handler only wakes the
// Answerer: whatever is sent to it is not read. It checks a token of its own; mount it
// where the system can reach it (his.hook in the settings), without its prefix.
type Hooked interface {
	Hook() http.Handler
}
