package appservice

import (
	"context"
	"fmt"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// A Member is someone in a room. Names are what people call themselves: for showing, never for
// deciding, and not to be stored.
type Member struct {
	Membership event.Membership
	Name       string
}

// SetState sets one state event.
func (c *Client) SetState(ctx context.Context, room id.RoomID, kind event.Type, key string, content any) error {
	_, err := c.matrix.SendStateEvent(c.quiet(ctx), room, kind, key, content)
	return failed(err, "set %s in %s", kind.Type, room)
}

// Invite invites someone. Who is in the room already, or invited, is no error.
func (c *Client) Invite(ctx context.Context, room id.RoomID, user id.UserID) error {
	ctx = c.quiet(ctx)
	_, err := c.matrix.InviteUser(ctx, room, &mautrix.ReqInviteUser{UserID: user})
	if !isRefused(err) {
		return failed(err, "invite to %s", room)
	}
	members, listErr := c.Members(ctx, room)
	if is := members[user].Membership; listErr == nil && (is == event.MembershipJoin || is == event.MembershipInvite) {
		return nil
	}
	return failed(err, "invite to %s", room)
}

// Kick removes someone from a room, or takes back an invite. Who is not there is no error.
func (c *Client) Kick(ctx context.Context, room id.RoomID, user id.UserID, reason string) error {
	ctx = c.quiet(ctx)
	_, err := c.matrix.KickUser(ctx, room, &mautrix.ReqKickUser{UserID: user, Reason: reason})
	if err == nil {
		return c.renewKey(ctx, room)
	}
	if !isRefused(err) {
		return failed(err, "remove someone from %s", room)
	}
	members, listErr := c.Members(ctx, room)
	if is := members[user].Membership; listErr == nil && is != event.MembershipJoin && is != event.MembershipInvite {
		return nil
	}
	return failed(err, "remove someone from %s", room)
}

// renewKey lets the next message in a room use a new key, without waiting for /sync to tell that
// someone has gone: who was removed has the old one.
func (c *Client) renewKey(ctx context.Context, room id.RoomID) error {
	defer c.sending.WithLock(room)()
	if err := c.keys.RemoveOutboundGroupSession(ctx, room); err != nil {
		return fmt.Errorf("renew the key of %s: %w", room, err)
	}
	return nil
}

// Join accepts an invite. via are the servers that can let us in, for a room of another server.
func (c *Client) Join(ctx context.Context, room id.RoomID, via ...string) error {
	_, err := c.matrix.JoinRoom(c.quiet(ctx), string(room), &mautrix.ReqJoinRoom{Via: via})
	return failed(err, "join %s", room)
}

// Leave leaves a room, or declines an invite, and forgets it. Not being there is no error.
func (c *Client) Leave(ctx context.Context, room id.RoomID) error {
	ctx = c.quiet(ctx)
	if _, err := c.matrix.LeaveRoom(ctx, room); err != nil && (!isRefused(err) || c.joined(ctx, room)) {
		return failed(err, "leave %s", room)
	}
	if _, err := c.matrix.ForgetRoom(ctx, room); err != nil && !isRefused(err) {
		return failed(err, "forget %s", room)
	}
	return nil
}

// Joined returns how many people are in a room that the bot is in.
func (c *Client) Joined(ctx context.Context, room id.RoomID) (int, error) {
	answer, err := c.matrix.JoinedMembers(c.quiet(ctx), room)
	if err != nil {
		return 0, failed(err, "count who is in %s", room)
	}
	return len(answer.Joined), nil
}

// joined reports whether the bot is in a room; when in doubt it is.
func (c *Client) joined(ctx context.Context, room id.RoomID) bool {
	answer, err := c.matrix.JoinedRooms(ctx)
	return err != nil || slices.Contains(answer.JoinedRooms, room)
}

// Members returns who is or was in a room, asked from the homeserver.
func (c *Client) Members(ctx context.Context, room id.RoomID) (map[id.UserID]Member, error) {
	answer, err := c.matrix.Members(c.quiet(ctx), room)
	if err != nil {
		return nil, failed(err, "list the members of %s", room)
	}
	all := map[id.UserID]Member{}
	for _, e := range answer.Chunk {
		if m, ok := e.Content.Parsed.(*event.MemberEventContent); ok && e.StateKey != nil {
			all[id.UserID(*e.StateKey)] = Member{m.Membership, m.Displayname}
		}
	}
	return all, nil
}
