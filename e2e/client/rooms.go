package client

import (
	"context"
	"encoding/json"
)

// CreateRoom makes a room and joins it. options are those of the createRoom request; the room
// version is 10 if they do not say. With encrypted, the room is encrypted from the start.
func (c *Client) CreateRoom(ctx context.Context, options map[string]any, encrypted bool) (room string, err error) {
	if options == nil {
		options = map[string]any{}
	}
	var made struct {
		RoomID string `json:"room_id"`
	}
	err = c.call(ctx, "createRoom", map[string]any{"options": options, "encrypted": encrypted}, &made)
	return made.RoomID, err
}

// DirectChat makes an encrypted private chat with a user and invites the user.
func (c *Client) DirectChat(ctx context.Context, user string) (room string, err error) {
	return c.CreateRoom(ctx, map[string]any{
		"preset": "trusted_private_chat", "is_direct": true, "invite": []string{user},
	}, true)
}

// Invite invites a user into a room.
func (c *Client) Invite(ctx context.Context, room, user string) error {
	return c.call(ctx, "invite", map[string]any{"room": room, "user": user}, nil)
}

// Join joins a room and waits until the client knows that it is in it.
func (c *Client) Join(ctx context.Context, room string) error {
	return c.call(ctx, "join", map[string]any{"room": room}, nil)
}

// Leave leaves a room, or declines its invitation.
func (c *Client) Leave(ctx context.Context, room string) error {
	return c.call(ctx, "leave", map[string]any{"room": room}, nil)
}

// Kick removes a user from a room.
func (c *Client) Kick(ctx context.Context, room, user, reason string) error {
	return c.call(ctx, "kick", map[string]any{"room": room, "user": user, "reason": reason}, nil)
}

// State asks the homeserver for a piece of a room's state.
func (c *Client) State(ctx context.Context, room, eventType, key string, content any) error {
	return c.call(ctx, "state", map[string]any{"room": room, "type": eventType, "key": key}, content)
}

// SetState sets a piece of a room's state.
func (c *Client) SetState(ctx context.Context, room, eventType, key string, content any) (event string, err error) {
	return c.send(ctx, "setState", map[string]any{"room": room, "type": eventType, "key": key, "content": content})
}

// Members asks the homeserver for the membership of everybody who ever had one in a room.
func (c *Client) Members(ctx context.Context, room string) (map[string]string, error) {
	var list []struct {
		UserID     string `json:"user_id"`
		Membership string `json:"membership"`
	}
	if err := c.call(ctx, "members", map[string]any{"room": room}, &list); err != nil {
		return nil, err
	}
	members := map[string]string{}
	for _, m := range list {
		members[m.UserID] = m.Membership
	}
	return members, nil
}

// A RoomInfo is a room as it stands in the SDK's list.
type RoomInfo struct {
	ID         string `json:"room_id"`
	Name       string `json:"name"` // as a client shows it
	Membership string `json:"membership"`
	Encrypted  bool   `json:"encrypted"`
	Type       string `json:"type"` // m.space, or empty
	Inviter    string `json:"inviter"`
}

// RoomList are the rooms that the SDK lists.
func (c *Client) RoomList(ctx context.Context) (rooms []RoomInfo, err error) {
	err = c.call(ctx, "rooms", nil, &rooms)
	return rooms, err
}

// Invites are the open invitations. Of a RoomInfo they fill ID, Name and Inviter.
func (c *Client) Invites(ctx context.Context) (rooms []RoomInfo, err error) {
	err = c.call(ctx, "invites", nil, &rooms)
	return rooms, err
}

// Backfill reads all history of a room that the user may see into the model.
func (c *Client) Backfill(ctx context.Context, room string) error {
	var history []wireEvent
	if err := c.call(ctx, "backfill", map[string]any{"room": room}, &history); err != nil {
		return err
	}
	events := make([]*Event, len(history))
	for i, w := range history {
		events[i] = w.event()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room(room).reorder(events)
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// RawEvent asks the homeserver for an event, as it is there: encrypted, or empty once redacted.
func (c *Client) RawEvent(ctx context.Context, room, event string) (raw json.RawMessage, err error) {
	err = c.call(ctx, "getEvent", map[string]any{"room": room, "event": event}, &raw)
	return raw, err
}
