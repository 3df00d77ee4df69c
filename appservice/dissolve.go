package appservice

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Unhang takes a room out of its space. One that does not hang there is no error.
func (c *Client) Unhang(ctx context.Context, room, space id.RoomID) error {
	return c.SetState(ctx, space, event.StateSpaceChild, string(room), map[string]any{})
}

// DropAlias gives up the name by which a room is found. One that does not exist is no error.
func (c *Client) DropAlias(ctx context.Context, localpart string) error {
	alias := id.NewRoomAlias(localpart, c.opts.Domain)
	_, err := c.matrix.DeleteAlias(c.quiet(ctx), alias)
	if isRefused(err) {
		return nil
	}
	return failed(err, "give up alias %s", alias)
}

// DeleteRoom deletes a room from the homeserver with everything in it, and returns nil when it is
// gone. ErrCannotErase says that the homeserver, or the bot, cannot do that.
func (c *Client) DeleteRoom(ctx context.Context, room id.RoomID) error {
	ctx = c.quiet(ctx)
	kind, err := c.eraser(ctx)
	if err != nil {
		return err
	}
	return kind.room(ctx, c, room)
}

// ForgetRoomKeys deletes every message key of a room.
func (c *Client) ForgetRoomKeys(ctx context.Context, room id.RoomID) error {
	if err := c.renewKey(ctx, room); err != nil {
		return err
	}
	if _, err := c.keys.RedactGroupSessions(ctx, room, "", "room dissolved"); err != nil {
		return fmt.Errorf("delete the keys of %s: %w", room, err)
	}
	return nil
}
