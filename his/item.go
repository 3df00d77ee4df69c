package his

import (
	"io"
	"time"

	"github.com/google/uuid"
)

// Item is one thing to file. The same Item always gives the same files and the same
// Bundle, byte for byte, so it must be made of the same values on every try.
type Item struct {
	ID           uuid.UUID // what makes it one; for an event: MessageID
	Seq          int       // 1, 2, 3… within the conversation
	First        bool      // the conversation began with it, though its Seq is higher: it was filed elsewhere before
	Kind         Kind
	Conversation Conversation // as it was when the item arose
	Sent         time.Time    // when it was written, by the sender's server
	Filed        time.Time    // when filing was decided on: the same on every try; zero: Sent
	Author       Author
	Text         string    // plain text; KindMistake: why it should not be there; may be empty
	InReplyTo    uuid.UUID // the message this answers; zero: none
	Replaces     uuid.UUID // KindEdit, KindRemoval: the message that is replaced or removed
	ReplacesSeq  int       // its Seq, lower than this one's; 0: not known
	OfEdit       bool      // KindRemoval: only that edit was removed; what it changed still stands in the chat
	Attachments  []Attachment

	// Closing is KindClosing's document; nil: only that it was closed.
	Closing *Closing

	// Mistaken are KindMistake's messages that should not have been filed; none: all of the
	// conversation. What was mistaken is named by the ID of its Item.
	Mistaken []uuid.UUID

	copied bool // see Copier
}

// Kind is what an Item is.
type Kind string

const (
	KindMessage    Kind = "message"    // what a patient or the practice wrote
	KindEdit       Kind = "edit"       // a new wording of a filed message
	KindRemoval    Kind = "removal"    // the sender removed a filed message from the chat; the record keeps it
	KindClosing    Kind = "closing"    // the conversation ended; Closing is its one document
	KindReopening  Kind = "reopening"  // a closed conversation goes on
	KindWithdrawal Kind = "withdrawal" // the attestation about the Derde ended

	// KindMistake says that what was filed does not belong where it is: the wrong patient,
	// or the wrong system. It is never deleted, but marked as entered in error. Make the
	// item with the Conversation as it was filed. To file the conversation where it does
	// belong, file its items anew with a higher Conversation.Edition.
	KindMistake Kind = "mistake"
)

// Conversation is what an Item belongs to.
type Conversation struct {
	ID       uuid.UUID
	Number   int64 // what staff call it; from 1, different for each conversation of a practice
	Opened   time.Time
	Status   Status
	Category Category // may be empty: not told apart
	Urgent   bool
	Practice Practice
	Patient  Patient // the account holder, who writes
	Derde    *Derde  // whom it concerns; nil: the account holder

	// Edition counts how often the conversation was filed anew after a KindMistake for all
	// of it: 0, 1, 2… Items and conversations of different editions are different things
	// in the HIS, though their IDs are the same.
	Edition int

	original uuid.UUID // ID of the first edition, when this is another; see filedAnew
}

// Status is a conversation's state. KindClosing and KindReopening bring their own.
type Status string

const (
	StatusRequested Status = "requested" // nobody in the practice has taken it up yet
	StatusOpen      Status = "open"
	StatusClosed    Status = "closed"
)

// Category tells questions about health from others (requirement B9).
type Category string

const (
	CategoryCare    Category = "zorg"
	CategoryNonCare Category = "overig"
)

// Closing is what a closed conversation comes to: the literal question and answer, and
// what staff say about it in short (requirement E6).
type Closing struct {
	Said    []Said // what was written, in order
	Only    []int  // Seq, rising, of what has no item of its own and is here only
	Gone    []int  // Seq, rising, of what was removed or called off before it was filed: there is nothing of it
	Summary string // by staff; may be empty
	By      Author // who wrote the summary; may be empty

	ClosedBy   Author // who of the practice closed it in the chat; empty: nobody did
	Ending     Ending // what ended it otherwise; empty: that is not known
	Unanswered bool   // nobody of the practice has answered, or taken it up, in the chat or elsewhere

	// Consult says as what kind of contact this counts for the practice (an e-consult);
	// nil: not said.
	Consult *Code
}

// Ending is what ended a conversation that nobody in the practice simply closed.
type Ending string

const (
	EndingWithdrawn Ending = "withdrawn" // the account holder withdrew the consent for the chat
	EndingDeclined  Ending = "declined"  // the practice declined the account
	EndingGround    Ending = "ground"    // what allowed the account holder to write about the Derde ended
	EndingAnother   Ending = "another"   // the account holder has to say anew whom it concerns
	EndingInSystem  Ending = "system"    // the practice closed it in its own system
)

// Said is one message of a closed conversation, as it reads in the end.
type Said struct {
	Seq    []int // rising: its number in the conversation, and those of its edits; empty: not known
	Author Author
	Sent   time.Time
	Text   string
	Files  []string // names of attachments
}

// Code is a code of a code system that the practice's HIS knows.
type Code struct {
	System  string // a URI, such as urn:oid:…
	Code    string
	Display string
}

// Practice is where the conversation is held.
type Practice struct {
	ID   string // from the configuration; never changes
	Name string
	AGB  string // the practice's AGB code, 8 digits; may be empty
}

// Patient is someone in the practice's records, as staff verified.
type Patient struct {
	Number              string // patient number in the HIS
	BSN                 string // 9 digits that pass the 11-test; may be empty
	FirstName, LastName string
	Name                string    // all of it, where it is not known which part is which
	BirthDate           time.Time // its day counts, in its own location; may be zero
	Phone, Email        string    // may be empty
}

// Derde is another person whom the conversation concerns, and why the patient may
// share that person's data.
type Derde struct {
	Name             string
	BirthDate        time.Time // its day counts, in its own location; may be zero
	Relation         string    // what the Derde is of the patient, in the patient's words
	Ground           Ground
	AttestedAt       time.Time
	StatementVersion string
	StatementURI     string // where that version can be read; may be empty

	// Patient is set when staff know the Derde as a patient of the practice: then the
	// record is about the Derde. When nil, the Derde is named in words only.
	Patient *Patient
}

// Ground is what the patient attested about the Derde.
type Ground string

const (
	GroundParent     Ground = "ouder"       // parent or guardian of a person younger than 16
	GroundPermission Ground = "toestemming" // that person's permission
)

// Author is who wrote an Item.
type Author struct {
	ID   uuid.UUID // staff: who it is, however the name is written; zero: told apart by practice, role and name
	Name string    // RoleBridge: not used
	Role Role
}

// Role is in what capacity someone wrote. Any other value than RolePatient and
// RoleBridge is a function in the practice, and is shown as it is.
type Role string

const (
	RolePatient              Role = "patient"
	RoleBridge               Role = "spreekkamer" // nobody: the bridge itself
	RoleHuisarts             Role = "huisarts"
	RoleDoktersassistent     Role = "doktersassistent"
	RolePraktijkondersteuner Role = "praktijkondersteuner"
)

// Attachment is a photo, video, voice message or file.
type Attachment struct {
	ID          uuid.UUID // zero: made from the Item and the place in it
	Name        string    // as the sender called it: never trusted
	ContentType string    // as it was sniffed
	Size        int64     // exact, in bytes

	// Open gives the data, decrypted. It is called once for each try, and its error
	// goes into File's error as it is: it may wrap ErrRefused, and holds no personal data.
	Open func() (io.ReadCloser, error)
}
