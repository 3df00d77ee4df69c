package client

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// DefaultWait is how long the Wait functions wait when the context has no deadline.
const DefaultWait = 60 * time.Second

// WaitFor waits until ok is true. It is asked again at each thing the client sees; it may use
// the client. what says in an error what was waited for: "the doctor's answer".
func (c *Client) WaitFor(ctx context.Context, what string, ok func(*Client) bool) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultWait)
		defer cancel()
	}
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		if ok(c) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s waited for %s: %w; seen:\n%s", c.UserID, what, ctx.Err(), c.dump())
		case <-c.driver.dead:
			return fmt.Errorf("%s waited for %s: %w", c.UserID, what, c.driver.diedError())
		}
	}
}

// WaitEvent waits for an event of a room for which ok is true, and returns it.
func (c *Client) WaitEvent(ctx context.Context, room, what string, ok func(Event) bool) (found Event, err error) {
	err = c.WaitFor(ctx, what, func(c *Client) (is bool) {
		found, is = c.Room(room).Find(ok)
		return is
	})
	return found, err
}

// WaitText waits for a message whose text, as it is shown now, contains a part.
func (c *Client) WaitText(ctx context.Context, room, part string) (Event, error) {
	return c.WaitEvent(ctx, room, fmt.Sprintf("a message with %q", part), func(e Event) bool {
		return e.IsMessage() && strings.Contains(e.Body(), part)
	})
}

// WaitInvite waits for an invitation of a user that is still open, and returns the room.
func (c *Client) WaitInvite(ctx context.Context, from string) (room string, err error) {
	err = c.WaitFor(ctx, "an invitation of "+from, func(c *Client) bool {
		for _, r := range c.Rooms() {
			if r.Membership == "invite" && r.Inviter == from {
				room = r.ID
				return true
			}
		}
		return false
	})
	return room, err
}

// WaitMember waits until a user has a membership of a room: join, leave, invite, ban.
func (c *Client) WaitMember(ctx context.Context, room, user, membership string) error {
	return c.WaitFor(ctx, fmt.Sprintf("%s of %s in %s", membership, user, room), func(c *Client) bool {
		return c.Room(room).Members[user] == membership
	})
}

// WaitRedacted waits until an event is there and has been redacted.
func (c *Client) WaitRedacted(ctx context.Context, room, event string) error {
	_, err := c.WaitEvent(ctx, room, "the redaction of "+event, func(e Event) bool { return e.ID == event && e.Redacted })
	return err
}

// dump lists what the client has seen, for an error that has to be understood from a log.
func (c *Client) dump() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  (connection: %s)\n", c.SyncState())
	for _, r := range c.Rooms() {
		fmt.Fprintf(&b, "  room %s, membership %q by %s, members %v\n", r.ID, r.Membership, r.Inviter, r.Members)
		for _, e := range r.Timeline {
			fmt.Fprintf(&b, "    %s %s of %s: %q%s\n", e.ID, e.Type, e.Sender, e.Body(), e.remarks())
		}
	}
	return b.String()
}

func (e Event) remarks() string {
	var remarks []string
	for remark, is := range map[string]bool{
		"redacted": e.Redacted, "not decrypted yet": e.Pending, "edited": e.Edit != nil,
		"undecryptable: " + e.DecryptionError:                       e.DecryptionError != "",
		fmt.Sprintf("reactions: %v", e.Reactions):                   len(e.Reactions) > 0,
		fmt.Sprintf("%s %s", e.RelatesTo.Type, e.RelatesTo.EventID): e.RelatesTo.Type != "",
	} {
		if is {
			remarks = append(remarks, remark)
		}
	}
	if len(remarks) == 0 {
		return ""
	}
	return " (" + strings.Join(remarks, ", ") + ")"
}
