package bridge

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// codeLength is how many characters of an account's id staff type; enough for the
// accounts that wait in one practice.
const codeLength = 6

// code is what staff call an account: it says nothing about the person.
func code(p care.Person) string { return p.ID[:min(codeLength, len(p.ID))] }

// An act is what a command asks of a person, on its way to that person's queue. It
// holds ids only: what was typed is read again from the event.
type act struct {
	Command string `json:"command"`
	Person  string `json:"person"`
}

func (b *Bridge) approveCommand(ctx context.Context, r request) error {
	if len(r.args) < 2 || len(r.args) > 3 {
		return b.usage(ctx, r, "approve")
	}
	return b.aboutAccount(ctx, r, "approve", func(before care.Case, env care.Env) (care.Case, error) {
		id := care.Identity{PatientNumber: r.args[1]}
		if len(r.args) == 3 {
			id.BSN = r.args[2]
		}
		return care.ApproveAccount(before, id, r.Sender, env)
	})
}

func (b *Bridge) declineCommand(ctx context.Context, r request) error {
	if len(r.args) != 1 {
		return b.usage(ctx, r, "decline")
	}
	return b.aboutAccount(ctx, r, "decline", func(before care.Case, env care.Env) (care.Case, error) {
		return care.DeclineAccount(before, r.Sender, env)
	})
}

// aboutAccount lets staff decide about an account. The decision is a turn of that
// person's own queue, so nothing else happens to them meanwhile: the first time the
// command is only forwarded there.
func (b *Bridge) aboutAccount(ctx context.Context, r request, name string, decide func(care.Case, care.Env) (care.Case, error)) error {
	if r.Step == 0 {
		return b.forward(ctx, r, name)
	}
	var a act
	if err := json.Unmarshal([]byte(r.Act), &a); err != nil {
		return refused("turn %s has a broken act", r.EventID)
	}
	person, known, err := b.Store.Person(ctx, a.Person)
	if err != nil {
		return err
	}
	if !known {
		return b.mistake(ctx, r, "error.no_account")
	}
	before, err := b.caseOf(ctx, person)
	if err != nil {
		return err
	}
	env, err := b.env(ctx, person)
	if err != nil {
		return err
	}
	return b.decided(ctx, r, before, func() (care.Case, error) { return decide(before, env) })
}

func (b *Bridge) forward(ctx context.Context, r request, name string) error {
	person, found, err := b.accountByCode(ctx, r)
	if err != nil {
		return err
	}
	if !found {
		return b.mistake(ctx, r, "error.no_account")
	}
	text, err := json.Marshal(act{Command: name, Person: person.ID})
	if err != nil {
		return err
	}
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		return b.Store.ForwardTurn(ctx, r.Turn, store.QueueOf(person.UserID), string(text), b.Now())
	})
}

// accountByCode finds the account that staff mean, among those of their own practice.
func (b *Bridge) accountByCode(ctx context.Context, r request) (care.Person, bool, error) {
	wanted := strings.ToLower(strings.Trim(r.args[0], "#"))
	var found []care.Person
	for _, state := range []care.AccountState{care.Awaiting, care.Active, care.Declined} {
		all, err := b.Store.PersonsIn(ctx, state, r.room.Practice)
		if err != nil {
			return care.Person{}, false, err
		}
		for _, p := range all {
			if len(wanted) >= codeLength && strings.HasPrefix(p.ID, wanted) {
				found = append(found, p)
			}
		}
	}
	if len(found) != 1 {
		return care.Person{}, false, nil
	}
	return found[0], true, nil
}
