package appservice

import (
	"context"

	"maunium.net/go/mautrix/id"
)

// OnKeyless sets what is told of members of a room who had no device with keys when the room's key
// was given out: they will read nothing. The same people may be told any number of times. Set it
// before Run.
func (c *Client) OnKeyless(listen func(ctx context.Context, users []id.UserID) error) {
	c.keyless = listen
}

// tellKeyless hands on who of the people whom a room's key did not reach has no device at all. It
// holds up no message: what cannot be told now is told when the next key is given out.
func (c *Client) tellKeyless(ctx context.Context, unreached []id.UserID) {
	if c.keyless == nil {
		return
	}
	var without []id.UserID
	for _, user := range unreached {
		devices, err := c.keys.GetDevices(ctx, user)
		if err == nil && len(devices) == 0 {
			without = append(without, user)
		}
	}
	if len(without) == 0 {
		return
	}
	if err := c.keyless(ctx, without); err != nil {
		c.log.Warn().Str("error", said(err)).Int("users", len(without)).Msg("Telling who has no keys failed")
	}
}
