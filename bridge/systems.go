package bridge

import (
	"errors"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
)

// A System is where a practice files what was said.
type System struct {
	Connector his.Connector
	AskEvery  time.Duration // for answers, besides when it knocks; 0 = 30 s
	OnClosing bool          // one document when a conversation is closed, instead of every message
	Consult   *his.Code     // as what a closed conversation about care counts; nil: not said
}

// The names of systems, in lanes and destinations.
const (
	hisName = "his"
	crmName = "crm"

	lookName = "look" // the HIS too, when it is asked who somebody is
)

// filed is how things were when something to file arose, so that every try says the same.
type filed struct {
	Seq      int           `json:"seq,omitempty"`      // place in the file of the conversation
	Edition  int           `json:"edition,omitempty"`  // of the conversation
	Category care.Category `json:"category,omitempty"` // of the conversation
	Taken    bool          `json:"taken,omitempty"`    // the practice had taken it up
	Alone    bool          `json:"alone,omitempty"`    // comes after the document: an edit stands by itself
	First    bool          `json:"first,omitempty"`    // it had the first place, where it was filed before
	Again    bool          `json:"again,omitempty"`    // it was filed elsewhere before

	TargetSeq int  `json:"target_seq,omitempty"` // Seq of what a removal is about
	OfEdit    bool `json:"of_edit,omitempty"`    // a removal is about an edit, and not about what that changed
}

// keptLane has what was said while a conversation that is filed on closing is open: nobody works
// in it, the document takes everything out. It is a row like others because a chat that has to
// go sooner is sealed there (unfiled.go).
const keptLane = "kept"

func systemLane(name, practice string) string { return name + ":" + practice }
func fileIn(name, conversation string) string { return name + ":" + conversation }

// systems are those of a practice by their lanes.
func (p Practice) systems() map[string]System {
	all := map[string]System{systemLane(hisName, p.ID): p.System}
	if p.CRM != nil {
		all[systemLane(crmName, p.ID)] = *p.CRM
	}
	return all
}

// systemOf is where a conversation is filed now: care in the HIS, the rest in the CRM when there
// is one (requirement E7). A practice that is not in the settings any more has none: its lane
// waits for it to come back.
func (b *Bridge) systemOf(c care.Conversation) (System, string) {
	p := b.practice(c.Practice)
	if p.ID != c.Practice {
		return System{}, hisName
	}
	if c.Category == care.Practical && p.CRM != nil {
		return *p.CRM, crmName
	}
	return p.System, hisName
}

// systemIn is the system that a lane is for.
func (b *Bridge) systemIn(lane string) (System, error) {
	name, practice, _ := strings.Cut(lane, ":")
	if name == lookName {
		lane = systemLane(hisName, practice)
	}
	system, known := b.practice(practice).systems()[lane]
	if !known {
		return system, errors.New("this system is not in the settings")
	}
	return system, nil
}

// isReadIn says that an answer is read by another lane, whose conversation it is in: practices may
// have one server together, and each then sees what is written to the patients of the others.
func (b *Bridge) isReadIn(lane string, c care.Conversation) bool {
	ours, name := b.systemOf(c)
	read, err := b.systemIn(lane)
	return err == nil && systemLane(name, c.Practice) != lane && his.SameServer(read.Connector, ours.Connector)
}

// isOneSystem says that two lanes read one server.
func (b *Bridge) isOneSystem(lane, other string) bool {
	one, unknown := b.systemIn(lane)
	two, err := b.systemIn(other)
	return lane == other || unknown == nil && err == nil && his.SameServer(one.Connector, two.Connector)
}
