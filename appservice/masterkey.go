package appservice

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"maunium.net/go/mautrix/id"
)

// errNotTold says that whoever has to know of a changed identity could not be told: the same
// batch has to come again.
var errNotTold = errors.New("a changed identity could not be handed on")

// OnIdentity sets what is told of everyone whose master key is found to be another than the one
// that was seen first: at every look-up of such a user's devices, before the batch that led to it
// is kept. If it fails, the batch comes again. Set it before Run.
func (c *Client) OnIdentity(listen func(ctx context.Context, user id.UserID, key string) error) {
	c.identity = listen
}

// OnDevices sets what is called when the devices of people, or who signed them, were looked up
// because they changed. Set it before Run.
func (c *Client) OnDevices(listen func(users []id.UserID)) { c.devices = listen }

// MasterKey is the public master key of a user as it was last looked up, and the one that was
// seen first; "" = none. It does not ask the homeserver.
func (c *Client) MasterKey(ctx context.Context, user id.UserID) (key, first id.Ed25519, err error) {
	keys, err := c.keys.GetCrossSigningKeys(ctx, user)
	if err != nil {
		return "", "", fmt.Errorf("load a master key: %w", err)
	}
	master := keys[id.XSUsageMaster]
	return master.Key, master.First, nil
}

// errNewIdentity stops a message: who would get its key is somebody else than when it was decided
// to send it. Tried again it is decided anew, by who was told of the change (OnIdentity).
var errNewIdentity = errors.New("an identity has changed just now")

// fetchKeysToShare looks up the devices of people who are about to get a key. Nobody gets it when
// one of them turns out to have another identity than a moment ago.
func (c *Client) fetchKeysToShare(ctx context.Context, users []id.UserID) error {
	before := make(map[id.UserID]id.Ed25519, len(users))
	for _, user := range users {
		key, _, err := c.MasterKey(ctx, user)
		if err != nil {
			return err
		}
		before[user] = key
	}
	if err := c.fetchKeys(ctx, users); err != nil {
		return err
	}
	for user, was := range before {
		if key, _, err := c.MasterKey(ctx, user); err != nil {
			return err
		} else if was != "" && key != was {
			return errNewIdentity
		}
	}
	return nil
}

// fetchKeys looks up the devices and identities of people who are known already. Those of the bot
// are looked up once, before Run: the library forgets for a moment who it is itself when they are
// looked up again, without a lock, while others decide by it whom to trust.
func (c *Client) fetchKeys(ctx context.Context, users []id.UserID) error {
	if users = c.others(users); len(users) == 0 {
		return nil
	}
	if _, err := c.machine.FetchKeys(ctx, users, false); err != nil {
		return err
	}
	if c.devices != nil {
		defer c.devices(users)
	}
	for _, user := range users {
		key, first, err := c.MasterKey(ctx, user)
		if err != nil {
			return err
		}
		if key == first || c.identity == nil {
			continue
		}
		if err := c.identity(ctx, user, string(key)); err != nil {
			return fmt.Errorf("%w: %w", errNotTold, err)
		}
	}
	return nil
}

// others are the users without the bot.
func (c *Client) others(users []id.UserID) []id.UserID {
	return slices.DeleteFunc(slices.Clone(users), func(user id.UserID) bool { return user == c.user })
}
