package care

import "time"

// A Person is the account of someone who chats: one per Matrix user.
type Person struct {
	ID         string // random, ours
	UserID     string // Matrix user id
	Language   string // "nl" or "en"
	State      AccountState
	Question   Question // what the bot has asked and waits for; "" = nothing
	Misses     int      // answers in a row that were not understood
	Correcting bool     // the answer goes back to the summary
	Answers    Answers  // what they said about themselves; stored sealed
	Identity   Identity // entered by staff; stored sealed
	Draft      Derde    // the person being asked about, a Derde or (while Unconfirmed) the patient; stored sealed
	Left       bool     // they went out of the consulting room, and did not come back
	Current    string   // id of the conversation that is asked about or open; "" = none
	Key        string   // public master key that staff approved; "" = the first that was seen
	NewKey     string   // another one, which staff have to confirm; "" = none
	CreatedAt  time.Time
	ChangedAt  time.Time // when State last changed
}

// Inside says that the person came into the consulting room and did not leave it since. Matrix tells of a new
// display name as of one more join (m.room.member).
func (p Person) Inside() bool { return p.State != New && !p.Left }

// Answers are what registration asks (requirement A4).
type Answers struct {
	FirstName string
	LastName  string
	Phone     string // E.164
	Email     string
	BirthDate Date
	Practice  string // id of a practice
	OptIn     bool
}

// Name is how staff see the person.
func (a Answers) Name() string {
	if a.FirstName == "" {
		return a.LastName
	}
	if a.LastName == "" {
		return a.FirstName
	}
	return a.FirstName + " " + a.LastName
}

// Complete says whether everything that is required has been answered.
func (a Answers) Complete() bool {
	return a.FirstName != "" && a.LastName != "" && a.Phone != "" && a.Email != "" &&
		!a.BirthDate.IsZero() && a.Practice != "" && a.OptIn
}

// Identity couples the account to the HIS; only staff enter it (requirement A6).
type Identity struct {
	PatientNumber string
	BSN           string
}

// MaySpeak says whether the gate of the consulting room is open: the account is
// active, or the bot waits for a typed answer. A question that only needs a tap
// leaves the room muted, since reactions are always allowed (requirement A9).
func (p Person) MaySpeak() bool {
	answering := p.Question != NoQuestion && !p.Question.aboutDerde() && !questions[p.Question].tapOnly
	return p.State == Active || answering
}

// A Practice is one GP practice of the organisation.
type Practice struct {
	ID, Name  string
	Postcodes []string // PC4 ("1011") or PC6 ("1011AB")
	Hours     Hours
}

// A Purpose is what a consent is for (requirement A3).
type Purpose string

// The purposes consent is asked for, and the other things a person agrees to.
const (
	PersonalData Purpose = "personal data"
	HealthData   Purpose = "health data"
	TermsOfUse   Purpose = "terms of use"
	OptIn        Purpose = "opt-in"
	DerdeData    Purpose = "data of another person"
)

// A ConversationState is where a conversation stands.
type ConversationState string

// The states of a conversation.
const (
	Asking  ConversationState = "asking"  // whom it concerns is not known: messages are held
	Open    ConversationState = "open"    // staff see it
	Closed  ConversationState = "closed"  // staff have closed it
	Dropped ConversationState = "dropped" // ended before staff saw anything
)

// A Conversation is one question of a patient and what follows from it.
type Conversation struct {
	ID       string // random UUID, ours; also used in the HIS
	Number   int64  // what staff call it
	Person   string
	Practice string
	Derde    string // whom it concerns; "" = the person
	Category Category
	State    ConversationState
	OpenedAt time.Time
	ClosedAt time.Time
	TakenAt  time.Time // when the practice took it up; zero = not yet
	Edition  int       // how often it was filed anew, after it had been filed where it does not belong

	HoursSaidAt time.Time // when the patient was last told that the practice is closed; zero = never
}
