package appservice

import (
	"context"
	"errors"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// Redact removes an event's content. No reason is given: clients show it.
func (c *Client) Redact(ctx context.Context, room id.RoomID, event id.EventID, txnID string) error {
	_, err := c.matrix.RedactEvent(c.quiet(ctx), room, event, mautrix.ReqRedact{TxnID: txnID})
	if err == nil {
		c.raw.forget(event)
	}
	return failed(err, "redact event %s", event)
}

// Gone reports whether clients can no longer see an event's content, by asking the homeserver.
// It proves nothing about what the homeserver still keeps out of sight.
func (c *Client) Gone(ctx context.Context, room id.RoomID, event id.EventID) (bool, error) {
	e, err := c.fetchFresh(c.quiet(ctx), room, event)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return !e.hasContent(), nil
}
