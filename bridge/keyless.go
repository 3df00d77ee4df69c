package bridge

import (
	"context"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// keyless stands for all devices of somebody who has none with keys, where devices that were told
// of are remembered.
const keyless = "no device with keys"

// NoKeysOf is told of people to whom something was sent and who have no device with keys: they can
// read nothing. Of each member of staff among them Beheer hears once.
func (b *Bridge) NoKeysOf(ctx context.Context, users []id.UserID) error {
	for _, user := range users {
		m, known, err := b.Store.Staff(ctx, string(user))
		if err != nil {
			return err
		}
		if !known {
			continue
		}
		if err := b.Store.Transact(ctx, func(ctx context.Context) error {
			first, err := b.Store.TellDevice(ctx, m.UserID, keyless, b.Now())
			if err != nil || !first {
				return err
			}
			return b.add(ctx, b.aboutStaff("beheer.staff_no_keys", m.UserID, m.Practice))
		}); err != nil {
			return err
		}
	}
	b.outbox.ring(matrixLane)
	return nil
}

// aboutStaff tells Beheer something about a member of staff.
func (b *Bridge) aboutStaff(text, user, practice string) store.Effect {
	practice = b.practice(practice).ID
	return job("tell", beheer(practice), body{Text: text, By: user, Practice: practice})
}
