package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// An Identity is the cryptographic identity of a Matrix user, as cross-signing has it: the
// public master key now, and the one that was seen first. "" = none.
type Identity struct{ Key, First string }

// identityAct is what is asked of a queue when the identity of its person changed.
const identityAct = "identity"

// IdentityChanged is told of a user whose master key is not the one that was seen first. The
// same change may be told any number of times. What it leads to is a turn of that person's own
// queue, so that nothing else happens to them meanwhile.
func (b *Bridge) IdentityChanged(ctx context.Context, user id.UserID, key string) error {
	person, _, err := b.Store.PersonByUser(ctx, string(user))
	if err != nil {
		return err
	}
	// The account's last move tells a change from the same one before staff approved it.
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", user, key, person.ChangedAt.UnixMilli()))
	text, err := json.Marshal(act{Command: identityAct, User: string(user)})
	if err != nil {
		return err
	}
	err = b.Store.AddAct(ctx, store.QueueOf(string(user)), string(text), identityAct+":"+hex.EncodeToString(sum[:]), b.Now())
	b.turns.ring()
	return err
}

// identityCame is the turn in which somebody's identity changed.
func (b *Bridge) identityCame(ctx context.Context, p place, a act) error {
	person, known, err := b.Store.PersonByUser(ctx, a.User)
	if err != nil {
		return err
	}
	if !known {
		return b.staffIdentity(ctx, p, a)
	}
	key, doubt, err := b.inDoubt(ctx, person)
	if err != nil {
		return err
	}
	if !doubt { // approved since
		return b.finish(ctx, p, nil)
	}
	return b.decide(ctx, p, person, func(c care.Case, env care.Env) care.Case { return care.ChangeIdentity(c, key, env) })
}

// staffIdentity tells Beheer that a member of staff has another identity than before.
func (b *Bridge) staffIdentity(ctx context.Context, p place, a act) error {
	m, known, err := b.Store.Staff(ctx, a.User)
	if err != nil {
		return err
	}
	return b.finish(ctx, p, func(ctx context.Context) error {
		if !known {
			return nil
		}
		return b.add(ctx, b.aboutStaff("beheer.staff_identity", m.UserID, m.Practice))
	})
}

// inDoubt says whether the identity of a person is another than staff approved, and its key.
func (b *Bridge) inDoubt(ctx context.Context, person care.Person) (key string, doubt bool, err error) {
	now, err := b.Matrix.Identity(ctx, id.UserID(person.UserID))
	approved := person.Key
	if approved == "" {
		approved = now.First
	}
	return now.Key, err == nil && now.Key != approved, err
}

// mayReach refuses what must not go to a person: the account is not active, or their identity
// is another than staff approved and may be somebody else's (requirements A11, A14). It looks
// once more when something is delivered, since the turn that stops the person may still have to
// come; it is asked for here too.
func (b *Bridge) mayReach(ctx context.Context, person care.Person) error {
	if person.State != care.Active {
		return refused("the account is %s", person.State)
	}
	key, doubt, err := b.inDoubt(ctx, person)
	if err != nil || !doubt {
		return err
	}
	if err := b.IdentityChanged(ctx, id.UserID(person.UserID), key); err != nil {
		return err
	}
	return refused("the identity of the patient has changed")
}

// doubted is the second net: it stops a person whose identity changed at the first thing that
// they do, however the change became known.
func (b *Bridge) doubted(ctx context.Context, p place, person care.Person) (stopped bool, err error) {
	if person.State != care.Active {
		return false, nil
	}
	key, doubt, err := b.inDoubt(ctx, person)
	if err != nil || !doubt {
		return false, err
	}
	return true, b.decide(ctx, p, person, func(c care.Case, env care.Env) care.Case {
		return care.ChangeIdentity(c, key, env)
	})
}

// confirmCommand: !bevestigen CODE
func (b *Bridge) confirmCommand(ctx context.Context, r request) error {
	if len(r.args) != 1 {
		return b.usage(ctx, r, "confirm")
	}
	return b.aboutAccount(ctx, r, "confirm", func(before care.Case, env care.Env) (care.Case, error) {
		return care.ConfirmIdentity(before, r.Sender, env)
	})
}
