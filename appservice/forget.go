package appservice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// longestUse is for how long at most a sender uses one message key: a week by the Matrix
// specification (m.room.encryption, rotation_period_ms), and a day for clocks and outages.
const longestUse = 8 * 24 * time.Hour

// ForgetKey makes the messages that a key opened unreadable for good, also for who has the
// database and its key: the session is moved on to the first message that may still be read (its
// ratchet has no way back), or goes when nobody uses it any more. What others claim about a
// session of the bot does not count, nor the other way round. One that is gone is no error.
func (c *Client) ForgetKey(ctx context.Context, k store.SpentKey) error {
	ctx = c.quiet(ctx)
	session, err := c.keys.GetGroupSession(ctx, id.RoomID(k.RoomID), id.SessionID(k.Session))
	if withheld := new(event.RoomKeyWithheldEventContent); errors.As(err, &withheld) {
		return nil
	}
	if err != nil {
		return failed(err, "load a key of room %s", k.RoomID)
	}
	if session == nil || k.Own != (session.SenderKey == c.machine.OwnIdentity().IdentityKey) {
		return nil
	}
	if !k.InUse && c.opts.Now().Sub(session.ReceivedAt) > longestUse {
		err := c.keys.RedactGroupSession(ctx, session.RoomID, session.ID(), "retention period")
		return failed(err, "delete a key of room %s", k.RoomID)
	}
	if k.Below <= int64(session.Internal.FirstKnownIndex()) {
		return nil
	}
	if err := guard(func() error { return session.RatchetTo(uint32(k.Below)) }); err != nil {
		return fmt.Errorf("move a key of room %s on: %w", k.RoomID, err)
	}
	return failed(c.keys.PutGroupSession(ctx, session), "store a key of room %s", k.RoomID)
}
