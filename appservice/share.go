package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// encrypt seals content for everyone in the room. When the room's key has not been given out,
// or is used up, a new one is shared first.
func (c *Client) encrypt(ctx context.Context, room id.RoomID, kind event.Type, content json.RawMessage) (*event.EncryptedEventContent, error) {
	sealed, err := c.machine.EncryptMegolmEvent(ctx, room, kind, content)
	if err == nil || !crypto.IsShareError(err) {
		return sealed, encryptError(err, room)
	}
	members, err := c.members(ctx, room)
	if err != nil {
		return nil, err
	}
	if err := c.handOut(ctx, room, members); err != nil {
		return nil, err
	}
	if sealed, err = c.machine.EncryptMegolmEvent(ctx, room, kind, content); err != nil {
		return nil, encryptError(err, room)
	}
	return sealed, c.shareAgain(ctx, room, members, sealed.SessionID)
}

// handOutPauses are how long is waited for people of whom no device got the key.
var handOutPauses = []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second}

// handOut shares a room's key. Someone who has just come in from another homeserver, or logged in
// for the first time, may not be known there yet, and would never read the first message: so
// that is waited for, a little, and not again for the same person soon.
func (c *Client) handOut(ctx context.Context, room id.RoomID, members []id.UserID) error {
	waitFor := map[id.UserID]bool{}
	for try := 0; ; try++ {
		if err := c.freshDevices(ctx, members); err != nil {
			return err
		}
		if err := c.machine.ShareGroupSession(ctx, room, members); err != nil {
			return encryptError(err, room)
		}
		unreached, err := c.unreached(ctx, room, members)
		if err != nil {
			return err
		}
		if try == 0 {
			for _, user := range unreached {
				waitFor[user] = c.awaited.allow(string(user))
			}
		}
		all := slices.Clone(unreached)
		unreached = slices.DeleteFunc(unreached, func(user id.UserID) bool { return !waitFor[user] })
		if len(unreached) == 0 || try == len(handOutPauses) {
			c.tellKeyless(ctx, all)
			return nil
		}
		pause(ctx, handOutPauses[try])
		if err := c.keys.RemoveOutboundGroupSession(ctx, room); err != nil {
			return fmt.Errorf("renew the key of %s: %w", room, err)
		}
		if err := c.fetchKeysToShare(ctx, unreached); errors.Is(err, errNewIdentity) {
			return err
		} else if err != nil {
			c.log.Warn().Str("error", said(err)).Int("users", len(unreached)).Msg("Looking up the devices of new people failed; trying again")
		}
	}
}

// unreached are the members of whom no device at all got the room's newest key.
func (c *Client) unreached(ctx context.Context, room id.RoomID, members []id.UserID) (all []id.UserID, err error) {
	session, err := c.keys.GetOutboundGroupSession(ctx, room)
	if err != nil || session == nil {
		return nil, failed(err, "load the key of %s", room)
	}
	for _, user := range members {
		if user == c.user {
			continue
		}
		devices, err := c.keys.GetDevices(ctx, user)
		if err != nil {
			return nil, fmt.Errorf("load devices: %w", err)
		}
		reached := false
		for _, device := range devices {
			got, err := c.keys.IsOutboundGroupSessionShared(ctx, user, device.IdentityKey, session.ID())
			if err != nil {
				return nil, fmt.Errorf("look who has the key of %s: %w", room, err)
			}
			reached = reached || got
		}
		if !reached {
			all = append(all, user)
		}
	}
	return all, nil
}

// shareAgain makes the next message use a new key when a device did not get this one, because it
// had just logged in and had nothing yet to encrypt a key with, or because its homeserver was
// down. The library would count the key as given out, and the device would read nothing for a
// hundred messages. Not too often: there are devices that nobody uses any more.
func (c *Client) shareAgain(ctx context.Context, room id.RoomID, members []id.UserID, session id.SessionID) error {
	for _, user := range members {
		missed, err := c.missed(ctx, user, session)
		if err != nil {
			return fmt.Errorf("look who has the key of %s: %w", room, err)
		}
		if missed && c.reshared.allow(string(room)) {
			return c.keys.RemoveOutboundGroupSession(ctx, room)
		}
	}
	return nil
}

// missed reports whether a device of someone did not get a key.
func (c *Client) missed(ctx context.Context, user id.UserID, session id.SessionID) (bool, error) {
	devices, err := c.keys.GetDevices(ctx, user)
	if err != nil || devices == nil { // nil: their devices could not be asked for
		return err == nil && user != c.user, err
	}
	for _, device := range devices {
		if user == c.user && device.DeviceID == c.matrix.DeviceID {
			continue
		}
		got, err := c.keys.IsOutboundGroupSessionShared(ctx, user, device.IdentityKey, session)
		if err != nil || !got {
			return true, err
		}
	}
	return false, nil
}

// reshareEvery is how often a room's key is renewed for a device that did not get it.
const reshareEvery = 5 * time.Minute
