package care

import (
	"errors"
	"strings"
)

// A Role is what a member of staff is (requirement F8).
type Role string

// The roles.
const (
	Huisarts       Role = "huisarts"
	Doktersassist  Role = "doktersassistent"
	POH            Role = "praktijkondersteuner"
	Beheer         Role = "beheer"
	Servicedesk    Role = "servicedesk"
	maxPatientNo        = 32 // characters of a patient number
	patientNoExtra      = "-_."
)

// A Right is something that not everyone in the practice may do.
type Right string

// The rights.
const (
	MaySee    Right = "see what people write, and who they are"
	MayVerify Right = "verify accounts"
	MayAnswer Right = "answer patients"
	MayFile   Right = "decide about what the HIS refused"
	MayAdmin  Right = "administer"
)

// rights says which role may do what.
var rights = map[Role]map[Right]bool{
	Huisarts:      {MaySee: true, MayVerify: true, MayAnswer: true, MayFile: true},
	Doktersassist: {MaySee: true, MayVerify: true, MayAnswer: true, MayFile: true},
	POH:           {MaySee: true, MayAnswer: true, MayFile: true},
	Beheer:        {MaySee: true, MayVerify: true, MayAdmin: true, MayFile: true},
	Servicedesk:   {},
}

// KnownRole says whether a role exists.
func KnownRole(r Role) bool { _, ok := rights[r]; return ok }

// May says whether a role has a right.
func (r Role) May(right Right) bool { return rights[r][right] }

// A Member is a member of staff.
type Member struct {
	UserID   string
	Name     string // as the patient sees it; stored sealed
	Role     Role
	Practice string
	Source   string // "config" or "command"
	OwnName  bool   // they chose the name themselves: the configuration does not undo it
}

// What staff may have typed wrongly.
var (
	ErrBSN           = errors.New("this BSN does not pass the 11-test")
	ErrPatientNumber = errors.New("a patient number has letters and digits, at most 32")
	ErrNotOpen       = errors.New("this conversation is not open")
	ErrSameRecord    = errors.New("it is in that record already")
	ErrGroundEnded   = errors.New("what this conversation rests on has ended")
	ErrNoDerde       = errors.New("this conversation concerns nobody but the patient")

	errNotAwaiting = errors.New("this account does not wait for that decision")
)

// ApproveAccount lets a named person make an account active, coupled to the patient in
// the HIS. Only staff enter the BSN (requirement A6); it may be left out ("").
func ApproveAccount(c Case, id Identity, by string, env Env) (Case, error) {
	if err := id.check(); err != nil {
		return c, err
	}
	if !c.Person.State.can(Approve) {
		return c, errNotAwaiting
	}
	c.move(Approve, env)
	c.Person.Identity, c.Person.Question = id, NoQuestion
	c.Person.Key, c.Person.NewKey = env.Key, "" // staff compared name and date of birth
	c.do(Effect{Do: Say, Text: "account.active", By: by}, Effect{Do: Tell, Text: "beheer.approved", By: by})
	return c, nil
}

// DeclineAccount is a named person's no; the patient is told whom to call.
func DeclineAccount(c Case, by string, env Env) (Case, error) {
	if !c.Person.State.can(Decline) {
		return c, errNotAwaiting
	}
	endConversation(&c, "desk.declined", by, env)
	c.move(Decline, env)
	c.Person.Draft = Derde{}
	c.do(Effect{Do: Say, Text: "account.declined", By: by}, Effect{Do: Tell, Text: "beheer.declined", By: by})
	c.ask(AskAgain)
	return c, nil
}

// CoupleAnew is a named person's word that an account is coupled to the record of the wrong
// patient: what was said belongs in another.
func CoupleAnew(c Case, id Identity, by string) (Case, error) {
	if err := id.check(); err != nil {
		return c, err
	}
	if c.Person.Identity == id {
		return c, ErrSameRecord
	}
	c.Person.Identity = id
	c.do(Effect{Do: TellDesk, Text: "desk.coupled", By: by})
	return c, nil
}

// CoupleDerde is a named person's word in whose record the conversations about a Derde belong:
// the Derde's own.
func CoupleDerde(c Case, d Derde, id Identity, by string) (Case, error) {
	if err := id.check(); err != nil {
		return c, err
	}
	if d.Identity == id {
		return c, ErrSameRecord
	}
	d.Identity = id
	c.Derde = &d
	c.do(Effect{Do: TellDesk, Text: "desk.coupled_derde", By: by})
	return c, nil
}

// CloseConversation is staff's end of a conversation: by is who of them, or "" when it was in their own
// system.
func CloseConversation(c Case, by string, env Env) (Case, error) {
	if c.Conversation.State != Open {
		return c, ErrNotOpen
	}
	why := ""
	if by == "" {
		why = "desk.closed_in_his"
	}
	closeConversation(&c, why, by, env)
	c.do(Effect{Do: Say, Text: "conversation.closed", By: by})
	return c, nil
}

// check looks at the form of what staff typed; the BSN may be left out.
func (id Identity) check() error {
	if id.BSN != "" && !ValidBSN(id.BSN) {
		return ErrBSN
	}
	if !validPatientNumber(id.PatientNumber) {
		return ErrPatientNumber
	}
	return nil
}

func validPatientNumber(s string) bool {
	if len(s) > maxPatientNo || strings.Trim(s, patientNoExtra) == "" {
		return false
	}
	for _, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune(patientNoExtra, c) {
			return false
		}
	}
	return true
}
