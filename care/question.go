package care

import "time"

// A Question is something the bot asks a patient.
type Question string

// The questions. Their texts and the words that answer them are in package texts.
const (
	NoQuestion    Question = ""
	AskPersonal   Question = "consent.personal"
	AskHealth     Question = "consent.health"
	AskTerms      Question = "terms"
	AskFirstName  Question = "first_name"
	AskLastName   Question = "last_name"
	AskPhone      Question = "phone"
	AskEmail      Question = "email"
	AskBirthDate  Question = "birth_date"
	AskPractice   Question = "practice"
	AskOptIn      Question = "opt_in"
	AskSummary    Question = "summary"
	AskCorrect    Question = "correct"
	AskAgain      Question = "again"
	AskWhom       Question = "whom"
	AskDerdeName  Question = "derde.name"
	AskDerdeBirth Question = "derde.birth_date"
	AskRelation   Question = "derde.relation"
	AskGround     Question = "derde.ground"

	AskIdentityName  Question = "identity.name"
	AskIdentityBirth Question = "identity.birth_date"
)

// Env is what a rule may know besides the case itself.
type Env struct {
	Now       time.Time // in the practice's zone: days and ages are local
	Practices []Practice
	Derden    []Derde // named before by this person: those that were offered, or that are still valid
	Whom      Derde   // whom the current conversation concerns; zero = the person
	NewID     string  // for a conversation that may begin
	DerdeID   string  // for a person who may be named

	Key string // public master key of the person now; "" = none

	// Of a message whose key had to be waited for:
	AskedAt     time.Time    // when the open question was put; zero = it was not yet
	ConsentedAt time.Time    // when the consent that stands was given; zero = none stands
	Then        Conversation // what it belongs to: the first that was not over when it was sent
	ThenWhom    Derde        // whom that concerns; zero = the person
}

func (e Env) today() Date { return DateOf(e.Now) }

// open says whether a practice reads messages now; one that nobody knows is never closed.
func (e Env) open(practice string) bool { return e.hours(practice).Open(e.Now) }

// shutSince says whether a practice that is closed now has been so since a time.
func (e Env) shutSince(practice string, since time.Time) bool {
	return e.hours(practice).shutFrom(since, e.Now)
}

func (e Env) hours(practice string) (h Hours) {
	for _, p := range e.Practices {
		if p.ID == practice {
			return p.Hours
		}
	}
	return h
}

// A question is one row of the table of everything the bot asks.
type question struct {
	// choices is how many options there are; 0 means a typed answer, and dynamic
	// options (practices, people named before) are counted by the bridge.
	choices int
	// tapOnly questions are answered with a reaction while the room is muted.
	tapOnly bool
	// accept takes an answer; false means: not understood, ask again.
	accept func(c *Case, h Heard, env Env) bool
	// back is the question before it; "" when there is none.
	back Question
	// remind is how someone who does not answer is reminded; nil = not.
	remind *reminding
}

// questions is every question there is. It is filled in init order by Go itself, since
// the rules it names ask questions again.
var questions map[Question]question

func init() {
	questions = map[Question]question{
		AskPersonal:      {choices: 2, accept: acceptPersonal, remind: &remindRegister},
		AskHealth:        {choices: 2, accept: acceptHealth, back: AskPersonal, remind: &remindRegister},
		AskTerms:         {choices: 2, accept: acceptTerms, remind: &remindRegister},
		AskFirstName:     {accept: typed(takeFirstName, AskLastName), remind: &remindRegister},
		AskLastName:      {accept: typed(takeLastName, AskPhone), back: AskFirstName, remind: &remindRegister},
		AskPhone:         {accept: typed(takePhone, AskEmail), back: AskLastName, remind: &remindRegister},
		AskEmail:         {accept: typed(takeEmail, AskBirthDate), back: AskPhone, remind: &remindRegister},
		AskBirthDate:     {accept: acceptBirthDate, back: AskEmail, remind: &remindRegister},
		AskPractice:      {accept: acceptPractice, back: AskBirthDate, remind: &remindRegister},
		AskOptIn:         {choices: 2, accept: acceptOptIn, back: AskPractice, remind: &remindRegister},
		AskSummary:       {choices: 2, accept: acceptSummary, back: AskOptIn, remind: &remindRegister},
		AskCorrect:       {choices: len(correctable), accept: acceptCorrect, back: AskSummary, remind: &remindRegister},
		AskAgain:         {choices: 1, tapOnly: true, accept: acceptAgain},
		AskWhom:          {accept: acceptWhom, remind: &remindHeld},
		AskDerdeName:     {accept: acceptDerdeName, back: AskWhom, remind: &remindHeld},
		AskDerdeBirth:    {accept: acceptDerdeBirth, back: AskDerdeName, remind: &remindHeld},
		AskRelation:      {choices: len(Relations), accept: acceptRelation, back: AskDerdeBirth, remind: &remindHeld},
		AskGround:        {choices: 3, accept: acceptGround, back: AskRelation, remind: &remindHeld},
		AskIdentityName:  {accept: acceptIdentityName, remind: &remindIdentity},
		AskIdentityBirth: {accept: acceptIdentityBirth, back: AskIdentityName, remind: &remindIdentity},
	}
}

// Choices is how many fixed options a question has; 0 for a typed answer or a list
// that depends on the case.
func (q Question) Choices() int { return questions[q].choices }

// AllQuestions lists every question, for tests and for checking the texts.
func AllQuestions() (all []Question) {
	for q := range questions {
		all = append(all, q)
	}
	return all
}

// aboutDerde says that the question is one of those asked about a conversation.
func (q Question) aboutDerde() bool {
	switch q {
	case AskWhom, AskDerdeName, AskDerdeBirth, AskRelation, AskGround:
		return true
	}
	return false
}

// Lasts says that what was sent in answer to a question answers it also when it was put again in
// between. Not of registration: between the two someone may have said "stop", and consent is not
// taken from before that.
func (q Question) Lasts() bool {
	return q.aboutDerde() || q == AskIdentityName || q == AskIdentityBirth
}
