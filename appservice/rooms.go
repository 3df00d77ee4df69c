package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// EnsureRoom returns the room with the alias, as it has to be: it makes the room if there is
// none, mends what differs and invites who is missing. It can be cut off anywhere and called
// again. An error together with a room ID means that the room is there but not yet as it has
// to be.
func (c *Client) EnsureRoom(ctx context.Context, spec RoomSpec) (id.RoomID, error) {
	ctx = c.quiet(ctx)
	if spec.Alias == "" || spec.PowerLevels == nil {
		return "", fmt.Errorf("a room needs an alias and power levels: %w", ErrPermanent)
	}
	alias := id.NewRoomAlias(spec.Alias, c.opts.Domain)
	room, err := c.resolve(ctx, alias)
	if err == nil && room == "" || isStatus(err, http.StatusInternalServerError) {
		// Dendrite asks us about an alias it does not know, and answers 500 when we do not listen
		// yet. An alias cannot be given twice, so trying is safe.
		room, err = c.create(ctx, spec, alias)
	}
	if err != nil {
		return "", err
	}
	return room, c.mend(ctx, room, spec)
}

// resolve returns the room behind an alias, or "" when there is none.
func (c *Client) resolve(ctx context.Context, alias id.RoomAlias) (id.RoomID, error) {
	answer, err := c.matrix.ResolveAlias(ctx, alias)
	if classOf(err) == ErrNotFound {
		return "", nil
	}
	if err != nil {
		return "", failed(err, "look up room %s", alias)
	}
	return answer.RoomID, nil
}

func (c *Client) create(ctx context.Context, spec RoomSpec, alias id.RoomAlias) (id.RoomID, error) {
	initial, err := spec.initial(c.opts.Domain)
	if err != nil {
		return "", fmt.Errorf("room %s: %w: %w", alias, ErrPermanent, err)
	}
	answer, err := c.matrix.CreateRoom(ctx, &mautrix.ReqCreateRoom{
		Visibility: "private", Preset: "private_chat", RoomAliasName: spec.Alias,
		RoomVersion: spec.version(), CreationContent: spec.creation(),
		InitialState: initial, PowerLevelOverride: spec.PowerLevels, Invite: spec.Invite,
	})
	if errors.Is(err, mautrix.MRoomInUse) { // made since we looked
		return c.resolve(ctx, alias)
	}
	if err != nil && len(spec.Invite) > 0 && classOf(err) != nil {
		// One invitation that is refused must not cost the room; mend invites them one by one.
		spec.Invite = nil
		return c.create(ctx, spec, alias)
	}
	if err != nil {
		return "", failed(err, "create room %s", alias)
	}
	return answer.RoomID, nil
}

// mend compares a room with what it has to be. The power levels come first: they say who may
// undo the rest.
func (c *Client) mend(ctx context.Context, room id.RoomID, spec RoomSpec) error {
	state, err := c.state(ctx, room)
	if err != nil {
		return err
	}
	if made := state[stateKey{event.StateCreate.Type, ""}]; made.Sender != c.user {
		return fmt.Errorf("room %s was not made by the bot: %w", room, ErrPermanent)
	}
	var wrong []error
	for _, want := range spec.state(c.opts.Domain) {
		is := state[stateKey{want.kind.Type, want.key}]
		if is.ID == "" && want.blank() || want.met(is.Content) {
			continue
		}
		wrong = append(wrong, c.SetState(ctx, room, want.kind, want.key, want.content))
	}
	wrong = append(wrong, c.hang(ctx, room, spec.Space))
	for _, user := range spec.Invite {
		if is := membership(state, user); is != "join" && is != "invite" {
			wrong = append(wrong, c.Invite(ctx, room, user))
		}
	}
	return errors.Join(wrong...)
}

// hang makes a room a child of its space.
func (c *Client) hang(ctx context.Context, room, space id.RoomID) error {
	if space == "" {
		return nil
	}
	var is json.RawMessage
	want := map[string]any{"via": []string{c.opts.Domain}}
	path := c.matrix.BuildClientURL("v3", "rooms", space, "state", event.StateSpaceChild.Type, room)
	_, err := c.matrix.MakeRequest(ctx, "GET", path, nil, &is)
	if err != nil && classOf(err) != ErrNotFound {
		return failed(err, "look up %s in its space", room)
	}
	if err == nil && sameJSON(is, want) {
		return nil
	}
	return c.SetState(ctx, space, event.StateSpaceChild, string(room), want)
}

type stateKey struct{ kind, key string }

// state returns a room's whole state and notes it, so that the first message already goes to
// everyone in the room.
func (c *Client) state(ctx context.Context, room id.RoomID) (map[stateKey]incoming, error) {
	var raws []json.RawMessage
	if _, err := c.matrix.MakeRequest(ctx, "GET", c.matrix.BuildClientURL("v3", "rooms", room, "state"), nil, &raws); err != nil {
		return nil, failed(err, "read the state of %s", room)
	}
	all := map[stateKey]incoming{}
	for _, e := range c.parseAll(room, raws) {
		if e.StateKey == nil {
			continue
		}
		all[stateKey{e.Type, *e.StateKey}] = e
		if evt := e.mautrixEvent(); evt.Content.Parsed != nil {
			_ = guard(func() error { mautrix.UpdateStateStore(ctx, c.rooms, evt); return nil })
		}
	}
	return all, nil
}

func membership(state map[stateKey]incoming, user id.UserID) string {
	return text(inside(state[stateKey{event.StateMember.Type, string(user)}].Content, "membership"))
}

// sameJSON compares by meaning, not by spelling.
func sameJSON(is json.RawMessage, want any) bool {
	data, err := json.Marshal(want)
	if err != nil {
		return false
	}
	var a, b any
	return json.Unmarshal(is, &a) == nil && json.Unmarshal(data, &b) == nil && reflect.DeepEqual(a, b)
}
