package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// codeLength is how many characters of an account's id staff type at least; where two accounts
// begin alike they are asked for more.
const codeLength = 6

// code is what staff call an account: it says nothing about the person.
func code(p care.Person) string { return p.ID[:min(codeLength, len(p.ID))] }

// An act is what a command asks of a person, on its way to that person's queue. It
// holds ids only: what was typed is read again from the event.
type act struct {
	Command string `json:"command"`
	Person  string `json:"person,omitempty"`
	User    string `json:"user,omitempty"` // when it may be a member of staff

	Event        string     `json:"event,omitempty"`    // the command that is carried out now, and
	Room         string     `json:"room,omitempty"`     // where it was typed
	Stance       string     `json:"stance,omitempty"`   // how things stood when it was typed: see stanceOn
	Unlooked     bool       `json:"unlooked,omitempty"` // the HIS did not let us look
	Answer       string     `json:"answer,omitempty"`
	Conversation string     `json:"conversation,omitempty"`
	Status       his.Status `json:"status,omitempty"`
	At           int64      `json:"at,omitempty"` // milliseconds since 1970
}

func (b *Bridge) approveCommand(ctx context.Context, r request) error {
	ok := len(r.args) > 1
	if ok {
		r.couples, ok = couplingTyped(r.args[1:])
	}
	switch {
	case !ok:
		return b.usage(ctx, r, "approve")
	case r.couples.misplaced():
		return b.mistake(ctx, r, "error.number_is_bsn")
	}
	return b.aboutAccount(ctx, r, "approve", func(before care.Case, env care.Env) (care.Case, error) {
		return care.ApproveAccount(before, r.couples.identity(), r.Sender, env)
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
	person, known, err := b.personOfAct(ctx, r)
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

// personOfAct is whom a command that was forwarded is about.
func (b *Bridge) personOfAct(ctx context.Context, r request) (p care.Person, known bool, err error) {
	var a act
	if err := json.Unmarshal([]byte(r.Act), &a); err != nil {
		return p, false, fmt.Errorf("the act of turn %s: %w", r.EventID, errBroken)
	}
	return b.Store.Person(ctx, a.Person)
}

func (b *Bridge) forward(ctx context.Context, r request, name string) error {
	found, err := b.accountsWith(ctx, r.args[0], r.room.Practice)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return b.mistake(ctx, r, "error.no_account")
	case len(found) > 1: // never guess whom a decision is about
		return b.answerCommand(ctx, r, body{Text: "error.code_longer", Code: strings.ToLower(strings.Trim(r.args[0], "#"))})
	}
	person := found[0]
	text, err := json.Marshal(act{Command: name, Person: person.ID})
	if err != nil {
		return err
	}
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		return b.Store.ForwardTurn(ctx, r.Turn, store.QueueOf(person.UserID), string(text), b.Now())
	})
}

// accountsWith are the accounts of a practice that staff may mean by a code, in a fixed order.
func (b *Bridge) accountsWith(ctx context.Context, typed, practice string) (found []care.Person, err error) {
	wanted := strings.ToLower(strings.Trim(typed, "#"))
	if len(wanted) < codeLength {
		return nil, nil
	}
	for _, state := range []care.AccountState{care.Awaiting, care.Active, care.Unconfirmed, care.Declined} {
		all, err := b.Store.PersonsIn(ctx, state, practice)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			if strings.HasPrefix(p.ID, wanted) {
				found = append(found, p)
			}
		}
	}
	return found, nil
}

// addCodes lists accounts whose codes begin alike, each with a code that is only its own.
func (b *Bridge) addCodes(ctx context.Context, t task, args *texts.Args) error {
	_, practice, _ := strings.Cut(t.Destination, ":")
	found, err := b.accountsWith(ctx, t.body.Code, practice)
	for _, p := range found {
		args.Items = append(args.Items, ownCode(p, found)+": "+p.Answers.Name()+", "+dutchDate(p.Answers.BirthDate))
	}
	return err
}

// ownCode is the shortest code of an account that none of the others begins with.
func ownCode(p care.Person, all []care.Person) string {
	for length := codeLength; length < len(p.ID); length++ {
		alone := !slices.ContainsFunc(all, func(other care.Person) bool {
			return other.ID != p.ID && strings.HasPrefix(other.ID, p.ID[:length])
		})
		if alone {
			return p.ID[:length]
		}
	}
	return p.ID
}
