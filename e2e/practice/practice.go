// Package practice makes a world with open conversations of many patients, whose accounts are put in
// the database: for what is not about how people register.
package practice

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/leaks"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/store"
)

// A Talk is an open conversation with the clients of both sides.
type Talk struct {
	Patient          *client.Client
	Consulting, Desk string // the rooms of the patient and of staff
}

// A Practice is a running world in which patients talk with one member of staff.
type Practice struct {
	*world.World
	Fatima *client.Client
	Balie  string
	Talks  []Talk
}

// Leaks looks for what only the other side may know in all rooms of those who are in the practice.
func (p *Practice) Leaks(ctx context.Context, nowhere ...string) (found []string, looked int, err error) {
	people := leaks.People{World: p.World, Staff: []*client.Client{p.Fatima}, Nowhere: nowhere}
	for _, talk := range p.Talks {
		people.Patients = append(people.Patients, talk.Patient)
	}
	return people.Find(ctx)
}

// Open gives every patient of a world an account and an open conversation.
func Open(ctx context.Context, w *world.World) (*Practice, error) {
	p := &Practice{World: w}
	return p, p.open(ctx)
}

func (p *Practice) open(ctx context.Context) (err error) {
	if err := p.Bridge().Stop(); err != nil {
		return err
	}
	if err := seed(ctx, p.World, p.accounts()); err != nil {
		return err
	}
	if err := p.StartBridge(ctx); err != nil {
		return err
	}
	if p.Fatima, err = p.Login(ctx, p.Staff[0]); err != nil {
		return err
	}
	for _, kind := range []string{"space", "balie"} { // one may see the rooms of the space then
		if p.Balie, err = p.Room(ctx, kind); err == nil {
			err = p.Fatima.Join(ctx, p.Balie)
		}
		if err != nil {
			return err
		}
	}
	p.Talks = make([]Talk, len(p.Patients))
	for i, person := range p.Patients { // one by one: a client that joins rooms at once may miss what is first in one
		if p.Talks[i], err = p.talk(ctx, person); err != nil {
			return err
		}
	}
	return nil
}

func (p *Practice) accounts() (all []care.Person) {
	for i, person := range p.Patients {
		all = append(all, Account(i, person.UserID))
	}
	return all
}

// Account is an active account.
func Account(i int, user string) care.Person {
	return care.Person{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), UserID: user, Language: "nl", State: care.Active,
		CreatedAt: time.Now(), ChangedAt: time.Now(), Identity: care.Identity{PatientNumber: fmt.Sprint(10_000 + i)},
		Answers: care.Answers{
			FirstName: "Anneke", LastName: fmt.Sprintf("de Berg %d", i), Phone: "+31612345678", Email: "a@example.com",
			BirthDate: care.Date{Year: 1980, Month: 5, Day: 31}, Practice: world.PracticeID, OptIn: true,
		},
	}
}

// seed puts accounts in the database of a bridge that does not run.
func seed(ctx context.Context, w *world.World, people []care.Person) error {
	db, err := OpenStore(ctx, w)
	if err != nil {
		return err
	}
	err = db.Transact(ctx, func(ctx context.Context) error {
		for _, person := range people {
			if err := db.SavePerson(ctx, person); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		_ = db.Close()
		return err
	}
	return db.Close()
}

// OpenStore opens the database of a bridge that does not run.
func OpenStore(ctx context.Context, w *world.World) (*store.Store, error) {
	c, err := config.Load(w.ConfigFile())
	if err != nil {
		return nil, err
	}
	key, err := c.MasterKey()
	if err != nil {
		return nil, err
	}
	uri, err := c.DatabaseURI()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Options{Kind: c.Database.Type, URI: uri, Key: key, Log: zerolog.Nop()})
}

// talk brings a patient to an open conversation.
func (p *Practice) talk(ctx context.Context, person world.Person) (t Talk, err error) {
	if t.Patient, err = p.Login(ctx, person); err != nil {
		return t, err
	}
	if _, err = t.Patient.DirectChat(ctx, p.Bot); err != nil {
		return t, err
	}
	if t.Consulting, err = t.Patient.WaitInvite(ctx, p.Bot); err != nil {
		return t, err
	}
	if err = t.Patient.Join(ctx, t.Consulting); err != nil {
		return t, err
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(person.UserID, "@patient"), ":")
	question := "Vraag van nummer " + local + "." // staff see no account
	for _, line := range []struct{ says, hears string }{{question, "Over wie gaat uw vraag?"}, {"over mijzelf", ""}} {
		if _, err = t.Patient.SendText(ctx, t.Consulting, line.says); err != nil {
			return t, err
		}
		if _, err = t.Patient.WaitText(ctx, t.Consulting, line.hears); err != nil {
			return t, err
		}
	}
	t.Desk, err = p.deskOf(ctx, question)
	return t, err
}

// deskOf joins the conversation rooms to which Fatima is invited, until one has the question, and
// scrolls back when it is late.
func (p *Practice) deskOf(ctx context.Context, question string) (found string, err error) {
	for range 12 {
		waiting, cancel := context.WithTimeout(ctx, 5*time.Second)
		err = p.Fatima.WaitFor(waiting, "the conversation room", func(*client.Client) bool {
			found = p.roomWith(ctx, question)
			return found != ""
		})
		cancel()
		if err == nil || ctx.Err() != nil {
			return found, err
		}
		for _, room := range p.Fatima.Rooms() {
			if err := p.enter(ctx, room); err != nil {
				return "", err
			}
		}
	}
	return "", err
}

// enter accepts an invitation of the bot; in a room that Fatima is in she scrolls back.
func (p *Practice) enter(ctx context.Context, room client.Room) error {
	switch {
	case room.Membership == "invite" && room.Inviter == p.Bot:
		return p.Fatima.Join(ctx, room.ID)
	case room.Membership == "join":
		return p.Fatima.Backfill(ctx, room.ID)
	}
	return nil
}

// roomWith accepts what the bot invites to, and finds the room with a message.
func (p *Practice) roomWith(ctx context.Context, text string) string {
	for _, room := range p.Fatima.Rooms() {
		if room.Membership == "invite" && room.Inviter == p.Bot {
			_ = p.Fatima.Join(ctx, room.ID) // whoever waits says what is missing
		}
		if _, is := room.Text(text); is && room.Membership == "join" {
			return room.ID
		}
	}
	return ""
}
