package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/store"
)

// A talk is an open conversation with the clients of both sides.
type talk struct {
	patient          *client.Client
	consulting, desk string // the rooms of the patient and of staff
}

// A practice is a running world in which patients talk with one member of staff.
type practice struct {
	*world.World
	fatima *client.Client
	talks  []talk
}

// practice starts a world with so many open conversations. The accounts are put in the database,
// since how people register is not what is measured.
func (b *bench) practice(ctx context.Context, patients int) (*practice, error) {
	w, err := world.Start(ctx, world.Options{Kind: b.kind, Dir: b.dir, Patients: patients, Env: b.env(), Profile: b.profile != ""})
	if err != nil {
		return nil, err
	}
	p := &practice{World: w}
	if err := p.open(ctx); err != nil {
		w.Stop()
		return nil, err
	}
	return p, nil
}

func (b *bench) env() []string {
	env := []string{"SPREEKKAMER_LOG_LEVEL=warn"}
	if b.profile != "" {
		env = append(env, "PROFILE_FILE="+b.profile)
	}
	return env
}

func (p *practice) open(ctx context.Context) (err error) {
	if err := p.Bridge().Stop(); err != nil {
		return err
	}
	if err := seed(ctx, p.World, p.accounts()); err != nil {
		return err
	}
	if err := p.StartBridge(ctx); err != nil {
		return err
	}
	if p.fatima, err = p.Login(ctx, p.Staff[0]); err != nil {
		return err
	}
	for _, kind := range []string{"space", "balie"} { // one may see the rooms of the space then
		room, err := p.Room(ctx, kind)
		if err == nil {
			err = p.fatima.Join(ctx, room)
		}
		if err != nil {
			return err
		}
	}
	p.talks = make([]talk, len(p.Patients))
	for i, person := range p.Patients { // one by one: a client that joins rooms at once may miss what is first in one
		if p.talks[i], err = p.talk(ctx, person); err != nil {
			return err
		}
	}
	return nil
}

func (p *practice) accounts() (all []care.Person) {
	for i, person := range p.Patients {
		all = append(all, account(i, person.UserID))
	}
	return all
}

// account is an active account.
func account(i int, user string) care.Person {
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
	db, err := openStore(ctx, w)
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

func openStore(ctx context.Context, w *world.World) (*store.Store, error) {
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
func (p *practice) talk(ctx context.Context, person world.Person) (t talk, err error) {
	if t.patient, err = p.Login(ctx, person); err != nil {
		return t, err
	}
	if _, err = t.patient.DirectChat(ctx, p.Bot); err != nil {
		return t, err
	}
	if t.consulting, err = t.patient.WaitInvite(ctx, p.Bot); err != nil {
		return t, err
	}
	if err = t.patient.Join(ctx, t.consulting); err != nil {
		return t, err
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(person.UserID, "@"), ":") // the whole id would not cross
	question := "Vraag van " + local + "."
	for _, line := range []struct{ says, hears string }{{question, "Over wie gaat uw vraag?"}, {"over mijzelf", ""}} {
		if _, err = t.patient.SendText(ctx, t.consulting, line.says); err != nil {
			return t, err
		}
		if _, err = t.patient.WaitText(ctx, t.consulting, line.hears); err != nil {
			return t, err
		}
	}
	t.desk, err = p.deskOf(ctx, question)
	return t, err
}

// deskOf joins the conversation rooms to which Fatima is invited, until one has the question, and
// scrolls back when it is late.
func (p *practice) deskOf(ctx context.Context, question string) (found string, err error) {
	for range 12 {
		waiting, cancel := context.WithTimeout(ctx, 5*time.Second)
		err = p.fatima.WaitFor(waiting, "the conversation room", func(*client.Client) bool {
			found = p.roomWith(ctx, question)
			return found != ""
		})
		cancel()
		if err == nil || ctx.Err() != nil {
			return found, err
		}
		for _, room := range p.fatima.Rooms() {
			if err := p.enter(ctx, room); err != nil {
				return "", err
			}
		}
	}
	return "", err
}

// enter accepts an invitation of the bot; in a room that Fatima is in she scrolls back.
func (p *practice) enter(ctx context.Context, room client.Room) error {
	switch {
	case room.Membership == "invite" && room.Inviter == p.Bot:
		return p.fatima.Join(ctx, room.ID)
	case room.Membership == "join":
		return p.fatima.Backfill(ctx, room.ID)
	}
	return nil
}

// roomWith accepts what the bot invites to, and finds the room with a message.
func (p *practice) roomWith(ctx context.Context, text string) string {
	for _, room := range p.fatima.Rooms() {
		if room.Membership == "invite" && room.Inviter == p.Bot {
			_ = p.fatima.Join(ctx, room.ID) // whoever waits says what is missing
		}
		if _, is := room.Text(text); is && room.Membership == "join" {
			return room.ID
		}
	}
	return ""
}

// log tells how the run goes.
func (b *bench) log(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }
