package appservice

import (
	"context"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// sentPages bounds how far back the bot looks for its own event, in pages of a room's history.
const sentPages = 10

// clockSlack is by how much the homeserver's clock may differ from ours.
const clockSlack = 10 * time.Minute

// Sent looks in a room, back to a time, for the event that carries a transaction ID or its
// marker. It is how an effect whose answer was lost is told from one that never arrived.
func (c *Client) Sent(ctx context.Context, room id.RoomID, txnID string, since time.Time) (id.EventID, bool, error) {
	ctx = c.quiet(ctx)
	from, oldest := "", since.Add(-clockSlack).UnixMilli()
	for range sentPages {
		page, err := c.page(ctx, room, from, "")
		if err != nil {
			return "", false, err
		}
		for _, e := range c.parseAll(room, page.Chunk) {
			switch {
			case e.Sender != c.user: // whose clock may say anything
			case e.TxnID == txnID || c.markerOf(ctx, e) == txnID:
				return e.ID, true, nil
			case from != "" && e.OriginAt < oldest: // the newest page counts whole: a clock may have gone back
				return "", false, nil
			}
		}
		if page.End == "" || page.End == from || len(page.Chunk) == 0 {
			break
		}
		from = page.End
	}
	return "", false, nil
}

// markerOf returns the transaction ID that one of our own events carries in its content, or "".
func (c *Client) markerOf(ctx context.Context, e incoming) string {
	if e.StateKey != nil || e.empty() {
		return ""
	}
	if e.Type != event.EventEncrypted.Type {
		return text(inside(e.Content, marker))
	}
	var plain *event.Event
	err := guard(func() (err error) {
		plain, err = c.machine.DecryptMegolmEvent(ctx, e.mautrixEvent())
		return err
	})
	if err != nil {
		return ""
	}
	txnID, _ := plain.Content.Raw[marker].(string)
	return txnID
}
