package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// Who a new account may be, as the HIS knows it, is proposed in Beheer (requirement A6): by family
// name and birth date as soon as somebody has registered, and by the BSN that staff type. A person
// decides. What the HIS says is shown to staff and kept nowhere; that it was asked, by whom and
// how many it found, is in the log of who did what. Before somebody is coupled, couple.go asks the HIS
// whose the BSN, or else the number, is.

const (
	findLater    = 2 * time.Second  // the card about the account comes first
	findLimit    = 20 * time.Second // of one question
	findAttempts = 8                // some minutes; then staff hear that it does not answer
	findForStaff = 4                // the same, when somebody waits for it
	findPatience = 30 * time.Second // a system that wants to be left alone for longer does not answer now
	findNoLonger = 90 * time.Second // somebody waits
)

// A lookup is what a system said when it was asked for a patient.
type lookup struct {
	bsn    string // what it was asked by, or else
	number string // by this; both "" = family name and birth date
	found  []his.Patient
	more   bool
	away   string // key of a text: why it did not say; "" = it did

	shut    bool // it lets nobody look
	differs bool // who was found is not as we have them
}

// outcome is what the log keeps of it: by what was asked, and how many were found.
func (f lookup) outcome() string {
	by, many := "name", "several"
	switch {
	case f.bsn != "":
		by = "bsn"
	case f.number != "":
		by = "number"
	}
	switch {
	case f.away != "":
		many = "failed"
	case len(f.found) == 0:
		many = "none"
	case len(f.found) == 1 && !f.more:
		many = "one"
	}
	if f.differs {
		many += " differs"
	}
	return by + " " + many
}

// lookUp makes the effect that asks the HIS who somebody may be.
func (b *Bridge) lookUp(ctx context.Context, person care.Person) error {
	p := b.practice(person.Answers.Practice)
	if _, can := p.Connector.(his.Finder); !can {
		return nil
	}
	e := b.findJob(person, body{Practice: p.ID})
	e.DueAt = b.Now().Add(findLater)
	return b.add(ctx, e)
}

func (b *Bridge) findJob(person care.Person, what body) store.Effect {
	e := ofPerson(job("find", "find:"+person.ID, what), person)
	e.Lane = systemLane(lookName, what.Practice)
	return e
}

// lookUpCommand: !zoeken CODE [BSN] asks the HIS again, or by a BSN. The BSN is read from the command
// when it is needed: it is in no row of ours.
func (b *Bridge) lookUpCommand(ctx context.Context, r request) error {
	if len(r.args) < 1 || len(r.args) > 2 {
		return b.usage(ctx, r, "look_up")
	}
	if _, can := b.practice(r.room.Practice).Connector.(his.Finder); !can {
		return b.mistake(ctx, r, "error.no_look_up")
	}
	if len(r.args) == 2 && !care.ValidBSN(r.args[1]) {
		return b.mistake(ctx, r, "error.bsn")
	}
	if r.Step == 0 {
		return b.forward(ctx, r, "look_up")
	}
	person, known, err := b.personOfAct(ctx, r)
	switch {
	case err != nil:
		return err
	case !known:
		return b.mistake(ctx, r, "error.no_account")
	case person.State != care.Awaiting:
		return b.mistake(ctx, r, "error.not_awaiting")
	}
	return b.askHIS(ctx, r, person)
}

// askHIS ends the turn of a command with a question to the HIS for whoever typed it. A system that
// wants to be left alone for long is not waited for.
func (b *Bridge) askHIS(ctx context.Context, r request, person care.Person) error {
	stance, err := b.stanceOn(ctx, person)
	if err != nil {
		return err
	}
	e := b.findJob(person, body{Practice: r.room.Practice, By: r.Sender, Command: r.name, Reply: r.EventID, Stance: stance})
	e.Destination += ":" + r.EventID // what was asked before does not hold it up
	e.Conversation = r.room.Conversation
	e = aboutEvent(e, r.place)
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		if b.paused(systemLane(hisName, r.room.Practice)) <= findPatience {
			return b.add(ctx, e)
		}
		told := b.reply(r.place, body{Text: "beheer.find_failed", Reason: "find.away"})
		if coupling[r.name] {
			told = b.reply(r.place, body{Text: "find.not_coupled", Reason: "find.away"})
		}
		told.Person = person.ID
		return errors.Join(b.add(ctx, told), b.logFound(ctx, task{Effect: e, body: body{By: r.Sender}}, lookup{bsn: r.bsn(), number: r.couples.number, away: "find.away"}.outcome()))
	})
}

// deliverFind asks the HIS, and tells staff what it said.
func (b *Bridge) deliverFind(ctx context.Context, t task) (done delivery, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return done, err
	}
	what, err := b.typedFor(ctx, t)
	if wasRemoved(err) {
		return delivery{dropped: "the command is gone"}, nil
	}
	unread := isUnread(err)
	if err != nil && !unread {
		return done, err
	}
	why, err := b.notToFind(ctx, t, person)
	if err != nil {
		return done, err
	}
	if unread {
		why = "find.unread"
	}
	switch {
	case t.EventID != "": // it has been told
	case why != "" && t.body.By == "":
		return delivery{dropped: "nobody has to decide any more"}, nil
	case why != "":
		return b.tellNotFound(ctx, t, person, lookup{bsn: what.bsn, number: what.number, away: why})
	}
	f, err := b.find(ctx, t, person, what)
	if err != nil {
		return done, err
	}
	if coupling[t.body.Command] {
		return b.checked(ctx, t, person, what, f)
	}
	return b.propose(ctx, t, person, f)
}

// stanceOn is how things stand with somebody: it is another after every decision about them.
func (b *Bridge) stanceOn(ctx context.Context, person care.Person) (string, error) {
	lines, err := b.Store.AuditOf(ctx, person.ID)
	decided := 0
	for _, line := range lines {
		if line.Action == "decided" {
			decided++
		}
	}
	return fmt.Sprintf("%s %d %s %d", person.State, person.ChangedAt.UnixMilli(), person.Answers.Practice, decided), err
}

// notToFind is why nobody has to be looked up any more, as the key of a text; "" = somebody has.
func (b *Bridge) notToFind(ctx context.Context, t task, person care.Person) (string, error) {
	if t.body.Command != "record" && person.State != care.Awaiting {
		return "error.not_awaiting", nil
	}
	if !coupling[t.body.Command] || t.body.Stance == "" {
		return "", nil
	}
	stance, err := b.stanceOn(ctx, person)
	if err == nil && stance != t.body.Stance {
		return "error.overtaken", nil
	}
	return "", err
}

// tellNotFound tells who waits for it why nobody is looked up, or what the system said instead.
func (b *Bridge) tellNotFound(ctx context.Context, t task, person care.Person, f lookup) (delivery, error) {
	text := "beheer.find_failed"
	if coupling[t.body.Command] {
		text = "find.stopped"
	}
	args := texts.Args{Code: code(person), Reason: b.Texts.Text(b.Language, f.away, texts.Args{})}
	return b.tellFound(ctx, t, f.outcome(), strings.TrimSpace(b.Texts.Text(b.Language, text, args)))
}

// propose shows in Beheer who an account may be.
func (b *Bridge) propose(ctx context.Context, t task, person care.Person, f lookup) (done delivery, err error) {
	args := texts.Args{Code: code(person), Count: len(f.found)}
	if f.more {
		args.Waiting = 1
	}
	who := holder(person)
	for _, p := range f.found {
		args.Items = append(args.Items, b.match(who, p))
		f.differs = f.differs || len(f.found) == 1 && len(b.differences(who, p, "")) > 0
	}
	text := "beheer.matches"
	if f.bsn != "" {
		text = "beheer.matches_bsn"
	}
	if f.away != "" {
		text, args.Reason = "beheer.find_failed", b.Texts.Text(b.Language, f.away, texts.Args{})
	}
	return b.tellFound(ctx, t, f.outcome(), strings.TrimSpace(b.Texts.Text(b.Language, text, args)))
}

// tellFound says what was found where it was asked, and logs that it was asked.
func (b *Bridge) tellFound(ctx context.Context, t task, outcome, text string) (done delivery, err error) {
	kind, key := store.RoomBeheer, t.body.Practice
	if t.Conversation != "" {
		kind, key = store.RoomConversation, t.Conversation
	}
	room, err := b.roomOf(ctx, kind, key)
	if err != nil {
		return done, err
	}
	done.event, err = b.send(ctx, t, room, event.EventMessage, answering(message(event.MsgText, text), t.body.Reply))
	done.after = func(ctx context.Context) error { return b.logFound(ctx, t, outcome) }
	return done, err
}

// logFound logs that the HIS was asked: by whom, about whom, and with what outcome.
func (b *Bridge) logFound(ctx context.Context, t task, outcome string) error {
	line := store.Audit{At: b.Now(), Actor: t.body.By, Action: "looked_up", Person: t.Person, Conversation: t.Conversation,
		EventID: t.SourceEvent, Detail: outcome}
	if line.Actor == "" {
		line.Actor = "bot"
	}
	return b.Store.AddAudit(ctx, line)
}

// noNumber stands for a patient number that the system does not tell, or that cannot be typed. It
// is none: the BSN behind it would be taken for the number otherwise.
const noNumber = "…"

// match is one proposal, with what to type to accept it.
func (b *Bridge) match(who whom, p his.Patient) string {
	number := oneLine(p.Number)
	if number == "" || strings.Contains(number, " ") {
		number = noNumber
	}
	typed := "!" + commands["approve"].names[0] + " " + who.code + " " + number
	if p.BSN != "" {
		typed += " " + oneLine(p.BSN)
	}
	args := b.patientArgs(p)
	args.Command, args.Items = typed, b.differences(who, p, "")
	return b.Texts.Text(b.Language, "beheer.match", args)
}

// patientArgs is how a patient of the HIS is named to staff.
func (b *Bridge) patientArgs(p his.Patient) texts.Args {
	born := "?"
	if !p.BirthDate.IsZero() {
		born = p.BirthDate.Format("02-01-2006")
	}
	return texts.Args{Name: oneLine(p.FirstName + " " + p.LastName), BirthDate: born}
}
