package appservice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// updateState notes who is in a room and how it is set up. Someone coming or going makes the
// next message use a new key. Events of a gap are older and must not come here.
func (c *Client) updateState(ctx context.Context, events []incoming) {
	ctx = context.WithoutCancel(ctx) // it is quick, and half of it would be logged as errors
	for _, e := range events {
		if e.StateKey == nil {
			continue
		}
		evt := c.stateEvent(e)
		if evt.Content.Parsed == nil {
			continue
		}
		_ = guard(func() error {
			mautrix.UpdateStateStore(ctx, c.rooms, evt)
			if evt.Type == event.StateMember {
				c.machine.HandleMemberEvent(ctx, evt)
			}
			c.machine.HandleHistoryVisibility(ctx, evt)
			return nil
		})
	}
}

// crowd is how many memberships make a room one of strangers. Ours have the staff of a practice at
// most; and to note thousands, one by one, would hold up everybody's messages.
const crowd = 500

// withoutCrowd leaves out the members of a room that cannot be ours. Nothing is ever encrypted for
// such a room: the bot leaves it.
func withoutCrowd(state []incoming) []incoming {
	isMember := func(e incoming) bool { return e.Type == event.StateMember.Type }
	members := 0
	for _, e := range state {
		if isMember(e) {
			members++
		}
	}
	if members <= crowd {
		return state
	}
	return slices.DeleteFunc(state, isMember)
}

// stateEvent is a state event in the library's form, with what it replaced.
func (c *Client) stateEvent(e incoming) *event.Event {
	evt := e.mautrixEvent()
	var unsigned struct {
		PrevContent json.RawMessage `json:"prev_content"`
	}
	if json.Unmarshal(inside(e.Raw, "unsigned"), &unsigned) == nil && unsigned.PrevContent != nil {
		var previous event.Content
		if previous.UnmarshalJSON(unsigned.PrevContent) == nil {
			evt.Unsigned.PrevContent = &previous
		}
	}
	return evt
}

// invitation is the inbox row for an invite to the bot. Dendrite shows the event itself, Synapse
// an extract without event ID: then the row gets an ID that is the same when this answer comes
// again, and another one when the bot is invited again later.
func (c *Client) invitation(room id.RoomID, state []json.RawMessage, since string) (row, bool) {
	for _, raw := range state {
		e, _ := parse(raw, room)
		if !e.invites(c.user) || !usable(string(e.Sender), '@') || !usable(string(room), '!') {
			continue
		}
		if !usable(string(e.ID), '$') {
			hash := sha256.Sum256([]byte(string(room) + "\x00" + string(e.Sender) + "\x00" + since))
			e.ID = id.EventID("invite:" + hex.EncodeToString(hash[:16]))
		}
		kept := e.row(c.user, c.opts.Now())
		kept.ForInbox, kept.Queue = true, queueOf(e.Sender)
		kept.HasContent = false // nothing of ours to redact in a room we are not in
		return row{event: e, kept: kept}, true
	}
	c.log.Warn().Stringer("room_id", room).Msg("Skipped an invite that does not say who invites")
	return row{}, false
}

// members are the users whose devices get a room's keys. The homeserver is asked: right after
// joining or making a room our own notes are behind, and who is missing there reads nothing.
func (c *Client) members(ctx context.Context, room id.RoomID) ([]id.UserID, error) {
	all, err := c.Members(ctx, room)
	if err != nil {
		return nil, err
	}
	var users []id.UserID
	for user, m := range all {
		if m.Membership == event.MembershipJoin || m.Membership == event.MembershipInvite {
			users = append(users, user)
		}
	}
	return users, nil
}
