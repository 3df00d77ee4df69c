package bridge

import (
	"context"
	"errors"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// Who a new account may be, as the HIS knows it, is proposed in Beheer (requirement A6). A person
// decides. What the HIS says is shown there and kept nowhere.

const (
	findLater    = 2 * time.Second // the card about the account comes first
	findAttempts = 8               // some minutes; then staff have looked it up themselves
)

// lookUp makes the effect that asks the HIS who somebody may be.
func (b *Bridge) lookUp(ctx context.Context, person care.Person) error {
	p := b.practice(person.Answers.Practice)
	if _, can := p.Connector.(his.Finder); !can {
		return nil
	}
	e := ofPerson(job("find", "find:"+person.ID, body{Practice: p.ID}), person)
	e.Lane, e.DueAt = systemLane(hisName, p.ID), b.Now().Add(findLater)
	return b.add(ctx, e)
}

func (b *Bridge) deliverFind(ctx context.Context, t task) (done delivery, err error) {
	person, err := b.personFor(ctx, t)
	if err != nil {
		return done, err
	}
	system, err := b.systemIn(t.Lane)
	if err != nil {
		return done, err
	}
	finder, can := system.Connector.(his.Finder)
	if !can || person.State != care.Awaiting && t.EventID == "" {
		return delivery{dropped: "nobody has to decide any more"}, nil
	}
	found, more, err := finder.Find(ctx, his.PatientQuery{LastName: person.Answers.LastName, BirthDate: b.day(person.Answers.BirthDate)})
	if err != nil && (errors.Is(err, his.ErrRefused) || t.Attempt >= findAttempts) {
		return delivery{dropped: "the system does not say"}, nil
	}
	if err != nil {
		return done, err
	}
	room, err := b.roomOf(ctx, store.RoomBeheer, t.body.Practice)
	if err != nil {
		return done, err
	}
	args := texts.Args{Code: code(person)}
	if more {
		args.Waiting = 1
	}
	for _, p := range found {
		args.Items = append(args.Items, b.match(person, p))
	}
	text := strings.TrimSpace(b.Texts.Text(b.Language, "beheer.matches", args))
	done.event, err = b.send(ctx, t, room, event.EventMessage, message(event.MsgText, text))
	return done, err
}

// noNumber stands for a patient number that the system does not tell, or that cannot be typed. It
// is none: the BSN behind it would be taken for the number otherwise.
const noNumber = "…"

// match is one proposal, with what to type to accept it.
func (b *Bridge) match(person care.Person, p his.Patient) string {
	number := oneLine(p.Number)
	if number == "" || strings.Contains(number, " ") {
		number = noNumber
	}
	typed := "!" + commands["approve"].names[0] + " " + code(person) + " " + number
	if p.BSN != "" {
		typed += " " + oneLine(p.BSN)
	}
	born := "?"
	if !p.BirthDate.IsZero() {
		born = p.BirthDate.Format("02-01-2006")
	}
	return b.Texts.Text(b.Language, "beheer.match", texts.Args{
		Name: oneLine(p.FirstName + " " + p.LastName), BirthDate: born, Command: typed,
	})
}
