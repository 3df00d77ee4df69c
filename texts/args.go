package texts

// Args is what a text may name. Every field may be left empty: a text never breaks. What
// differs per language (Relation, Ground, Role, Reason, dates) is filled in as words of
// that language.
type Args struct {
	Organisation string // the controller
	Website      string
	Practice     string
	Phone        string // of the practice, or of the organisation before one is chosen
	Emergency    string // emergency line of the practice; "" = none of its own
	OutOfHours   string // phone of the huisartsenpost

	Name         string // of the patient, as registered
	FirstName    string
	LastName     string
	PatientPhone string
	Email        string
	BirthDate    string
	Code         string // short code by which staff name the account

	Said          string // who the person says they are, when that is asked again
	SaidBirthDate string

	Privacy Document // the privacy statement
	Terms   Document // the terms of use

	Staff string // who answers or decided
	Role  string // text of "role.…"

	Whom          string // name of the Derde; "" = the patient
	WhomBirthDate string
	Relation      string // text of "relation.…"
	Ground        string // text of "ground.…"

	OpensDay  string // when the practice reads messages again; "" = it is open
	OpensTime string
	AnswerBy  string // the last day for an answer; "" = none is promised

	Practical bool // the conversation is not about care

	Number  int64  // of the conversation
	Date    string // of what the text is about
	Time    string
	Days    int    // retention in chat, or working days until an answer
	Reason  string // text of another key, or an answer of the HIS
	Command string // as typed
	Items   []string
	Count   int // of what the text is about
	Report  Report

	Waiting   int  // messages that are not filed yet
	Perhaps   int  // messages that were called off, and may be filed all the same
	OnClosing bool // they are filed when the conversation is closed
	Outage    Outage
}

// An Outage is a time in which nothing came in, and what was caught up after it.
type Outage struct {
	From, Until     string // day and time
	Messages, Rooms int
}

// A Document is something a person can read elsewhere.
type Document struct{ Version, Date, URL string }

// A Report is the state of retention in counts of messages and media.
type Report struct {
	Kept, Due, Redacted, Verified, Failed   int
	MediaKept, MediaErased, MediaUnerasable int
	Rooms, Walked                           int    // rooms of ours, and those whose whole history was looked through
	Oldest                                  string // date of the oldest message still kept; "" = none
}
