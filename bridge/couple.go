package bridge

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/texts"
)

// A BSN, or without one the patient number, decides in whose record things are filed, and one that is
// mistyped may pass the 11-test. So before staff couple somebody, the HIS is asked whose it is
// (requirement A6). When it is who it should be, what they decided is carried out; otherwise they hear
// what differs, nothing is coupled, and they decide: "toch" behind the command couples all the same. A
// number, which many systems let nobody search by, is coupled unchecked where the HIS does not let us
// look, and they hear that.

// coupling are the commands that couple somebody to a record.
var coupling = map[string]bool{"approve": true, "record": true}

// checkedAct is a command in somebody's queue that the HIS has confirmed.
const checkedAct = "checked"

// An entry is what staff typed to look somebody up, or to couple them: CODE [BSN], or NUMBER [BSN] [toch].
type entry struct {
	number string
	bsn    string
	sure   bool // couple also when the HIS does not confirm it, or the number looks like a BSN
}

func (e entry) identity() care.Identity { return care.Identity{PatientNumber: e.number, BSN: e.bsn} }

// anyway is what staff type to couple all the same.
var anyway = []string{"toch", "anyway"}

// couplingTyped takes apart what stands behind a command that couples: NUMBER [BSN] [toch].
func couplingTyped(args []string) (e entry, ok bool) {
	if n := len(args) - 1; n > 0 && slices.Contains(anyway, strings.ToLower(args[n])) {
		e.sure, args = true, args[:n]
	}
	if len(args) < 1 || len(args) > 2 {
		return e, false
	}
	e.number = args[0]
	if len(args) > 1 {
		e.bsn = args[1]
	}
	return e, true
}

// misplaced says that what stands in the place of the patient number is a BSN, as far as one can tell.
func (e entry) misplaced() bool { return !e.sure && care.ValidBSN(e.number) }

// typedFor reads again what was typed: an effect holds no BSN.
func (b *Bridge) typedFor(ctx context.Context, t task) (what entry, err error) {
	if t.SourceEvent == "" {
		return what, nil
	}
	evt, err := b.readEvent(ctx, t.sourceRoom(), t.sourceEvent())
	if err != nil {
		return what, err
	}
	name, args := commandIn(evt)
	switch {
	case name == "look_up" && len(args) == 2:
		what.bsn = args[1]
	case name == "approve" && len(args) > 1:
		what, _ = couplingTyped(args[1:])
	case name == "record":
		what, _ = couplingTyped(args)
	}
	return what, nil
}

// isUnread says that what was typed can be read no more, and was not taken back.
func isUnread(err error) bool {
	return errors.Is(err, ErrNoKey) || errors.Is(err, ErrUnreadable) || errors.Is(err, ErrRefused)
}

// bsn is the BSN that a command gives; "" = none.
func (r request) bsn() string {
	if r.name == "look_up" && len(r.args) == 2 {
		return r.args[1]
	}
	return r.couples.bsn
}

// asksFirst says that the HIS has to be asked before a command couples somebody.
func (b *Bridge) asksFirst(r request) bool {
	_, can := b.practice(r.room.Practice).Connector.(his.Finder)
	return can && coupling[r.name] && !r.couples.sure && !r.checked
}

// unconfirmed are the texts that say why a BSN, or a number, is not confirmed.
type unconfirmed struct{ unsaid, none, several, differs string }

var (
	unconfirmedBSN    = unconfirmed{"find.unsaid", "find.none", "find.several", "find.differs"}
	unconfirmedNumber = unconfirmed{"find.number_unsaid", "find.number_none", "find.number_several", "find.number_differs"}
)

// isOf says that a patient of the HIS has what was typed. One of whom it is left out confirms nothing.
func (e entry) isOf(p his.Patient) bool {
	if e.bsn != "" {
		return p.BSN == e.bsn
	}
	return strings.EqualFold(oneLine(p.Number), e.number)
}

// checked ends the question whose a BSN or a number is: the command is carried out, or staff hear why not.
func (b *Bridge) checked(ctx context.Context, t task, person care.Person, what entry, f lookup) (done delivery, err error) {
	who, err := b.coupled(ctx, t, person)
	if err != nil {
		return done, err
	}
	all, words := len(f.found), unconfirmedBSN
	if what.bsn == "" {
		words = unconfirmedNumber
	}
	f.found = slices.DeleteFunc(f.found, func(p his.Patient) bool { return !what.isOf(p) })
	why, args := "", texts.Args{}
	unlooked := f.shut && what.bsn == ""
	switch {
	case unlooked:
	case f.away != "":
		why = f.away
	case len(f.found) == 0 && (all > 0 || f.more):
		why = words.unsaid
	case len(f.found) == 0:
		why = words.none
	case len(f.found) > 1:
		why = words.several
	case f.more: // of a server that does not search by it
		why = words.unsaid
	default:
		args = b.patientArgs(f.found[0])
		if args.Items = b.differences(who, f.found[0], what.number); len(args.Items) > 0 {
			why, f.differs = words.differs, true
		}
	}
	if why == "" && t.EventID == "" {
		done.after = func(ctx context.Context) error {
			if err := b.logFound(ctx, t, f.outcome()); err != nil {
				return err
			}
			a := act{Command: checkedAct, Event: t.SourceEvent, Room: t.SourceRoom, Stance: t.body.Stance, Unlooked: unlooked}
			return b.addAct(ctx, person, a, checkedAct+":"+strconv.FormatInt(t.ID, 10))
		}
		return done, nil
	}
	args.Reason = b.Texts.Text(b.Language, why, args)
	return b.tellFound(ctx, t, f.outcome(), b.Texts.Text(b.Language, "find.not_coupled", args))
}

// checkedCame carries a command out that the HIS has confirmed: as whoever typed it, where they did.
func (b *Bridge) checkedCame(ctx context.Context, p place, a act, person care.Person) error {
	room, known, err := b.Store.Room(ctx, a.Room)
	if err != nil {
		return err
	}
	given, there, err := b.Store.Turn(ctx, a.Event, 0)
	if err != nil {
		return err
	}
	evt, err := b.readEvent(ctx, id.RoomID(a.Room), id.EventID(a.Event))
	if wasRemoved(err) || !known || !there {
		return b.finish(ctx, p, nil)
	}
	unread := isUnread(err)
	if err != nil && !unread {
		return errors.Join(errAway, err)
	}
	p.room, p.RoomID, p.EventID, p.Sender, p.Step = room, a.Room, a.Event, given.Sender, 1 // it is in this queue already
	if unread {
		return b.mistake(ctx, request{place: p}, "find.unread")
	}
	if stance, err := b.stanceOn(ctx, person); err != nil || a.Stance != "" && stance != a.Stance {
		return errors.Join(err, b.mistake(ctx, request{place: p}, "error.overtaken"))
	}
	member, ok, err := b.member(ctx, p)
	if err != nil {
		return err
	}
	name, args := commandIn(evt)
	if cmd := commands[name]; ok && coupling[name] && cmd.allows(member, room.Kind) {
		return cmd.run(b, ctx, request{place: p, member: member, name: name, args: args, checked: true, unlooked: a.Unlooked})
	}
	return b.finish(ctx, p, nil)
}

// A whom is somebody as we know them, to compare with a patient of the HIS.
type whom struct {
	code, first, last string
	born              care.Date
}

func holder(p care.Person) whom {
	return whom{code: code(p), first: p.Answers.FirstName, last: p.Answers.LastName, born: p.Answers.BirthDate}
}

// coupled is who is to be coupled: the Derde of the conversation in which it was typed, or the
// account holder.
func (b *Bridge) coupled(ctx context.Context, t task, person care.Person) (whom, error) {
	if t.Conversation == "" {
		return holder(person), nil
	}
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil {
		return whom{}, err
	}
	d, named, err := b.derdeOf(ctx, c)
	if err != nil || !named {
		return holder(person), err
	}
	first, _, _ := strings.Cut(d.Name, " ")
	return whom{first: first, last: d.Name, born: d.BirthDate}, nil
}

// differences are what of a patient of the HIS is not as we have it, in words. Of first names only
// how they begin counts: records have initials, and names that nobody uses. A number that is not
// known is not compared.
func (b *Bridge) differences(who whom, p his.Patient, number string) (all []string) {
	for _, d := range []struct {
		what string
		is   bool
	}{
		{"birth_date", care.DateOf(p.BirthDate) != who.born},
		{"last_name", !his.SameName(p.LastName, who.last)},
		{"first_name", p.FirstName != "" && who.first != "" && begins(p.FirstName) != begins(who.first)},
		{"number", number != "" && oneLine(p.Number) != "" && !strings.EqualFold(oneLine(p.Number), number)},
	} {
		if d.is {
			all = append(all, b.Texts.Text(b.Language, "differs."+d.what, texts.Args{}))
		}
	}
	return all
}

func begins(name string) rune {
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(name))
	return unicode.ToLower(first)
}
