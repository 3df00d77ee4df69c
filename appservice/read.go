package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// askAgain is how long passes before a key that did not come is asked for once more.
const askAgain = 5 * time.Minute

// Read returns an event with its content, decrypted. It comes from memory when it has just come
// in, otherwise from the homeserver. Mautrix.TrustState in it says how far the sender's device
// is trusted; Content.Parsed is nil when the content has not the form its type promises, and
// Content.Raw is then what there is.
//
// Errors: ErrRedacted, ErrNoKey (the key has been asked for), ErrUndecryptable, ErrNotFound,
// ErrForbidden; anything else is worth trying again.
func (c *Client) Read(ctx context.Context, room id.RoomID, event id.EventID) (*event.Event, error) {
	ctx = c.quiet(ctx)
	e, err := c.fetch(ctx, room, event)
	if err != nil {
		return nil, err
	}
	if e.StateKey == nil && e.empty() || e.Redacted {
		return nil, fmt.Errorf("event %s: %w", event, ErrRedacted)
	}
	return c.open(ctx, e)
}

// fetch returns an event as it came.
func (c *Client) fetch(ctx context.Context, room id.RoomID, event id.EventID) (incoming, error) {
	if raw, ok := c.raw.get(room, event); ok {
		e, _ := parse(raw, room)
		return e, nil
	}
	return c.fetchFresh(ctx, room, event)
}

func (c *Client) fetchFresh(ctx context.Context, room id.RoomID, event id.EventID) (incoming, error) {
	var raw json.RawMessage
	path := c.matrix.BuildClientURL("v3", "rooms", room, "event", event)
	if _, err := c.matrix.MakeRequest(ctx, "GET", path, nil, &raw); err != nil {
		return incoming{}, failed(err, "fetch event %s", event)
	}
	e, ok := parse(raw, room)
	if !ok || e.ID != event {
		return incoming{}, fmt.Errorf("fetch event %s: the answer is another event: %w", event, ErrPermanent)
	}
	return e, nil
}

// open decrypts an event if it is encrypted.
func (c *Client) open(ctx context.Context, e incoming) (*event.Event, error) {
	evt := e.mautrixEvent()
	if evt.Type != event.EventEncrypted {
		return evt, nil
	}
	var plain *event.Event
	err := guard(func() (err error) {
		plain, err = c.machine.DecryptMegolmEvent(ctx, evt)
		return err
	})
	if err == nil {
		return plain, nil
	}
	return nil, c.decryptError(ctx, evt, err)
}

// missing are the errors that a key which arrives later can mend.
var missing = []error{crypto.ErrNoSessionFound, olm.ErrUnknownMessageIndex, crypto.ErrGroupSessionWithheld}

// hopeless are the errors that lie in the event itself.
var hopeless = []error{
	crypto.ErrUnsupportedAlgorithm, crypto.ErrIncorrectEncryptedContentType, crypto.ErrDuplicateMessageIndex,
	crypto.ErrWrongRoom, crypto.ErrCorruptedMegolmPayload, olm.ErrBadMAC, olm.ErrBadSignature, ErrPermanent,
}

// decryptError tells a key that may still come from what never will, and from trouble of our own.
func (c *Client) decryptError(ctx context.Context, evt *event.Event, err error) error {
	for _, kind := range missing {
		if errors.Is(err, kind) {
			c.askForKey(ctx, evt)
			return fmt.Errorf("event %s: %w: %w", evt.ID, ErrNoKey, kind)
		}
	}
	for _, kind := range hopeless {
		if errors.Is(err, kind) {
			return fmt.Errorf("event %s: %w: %w", evt.ID, ErrUndecryptable, kind)
		}
	}
	if isJSON(err) {
		return fmt.Errorf("event %s: %w: what was encrypted is no event", evt.ID, ErrUndecryptable)
	}
	return failed(err, "decrypt event %s", evt.ID)
}

func isJSON(err error) bool {
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &form)
}

// askForKey asks the sender's device for an event's key, not more often than every few minutes.
// Whether it answers shows when the key arrives.
func (c *Client) askForKey(ctx context.Context, evt *event.Event) {
	content := evt.Content.AsEncrypted()
	if !c.asked.allow(string(evt.Sender) + " " + string(content.SessionID)) {
		return
	}
	device, sender := id.DeviceID("*"), content.SenderKey
	//lint:ignore SA1019 clients may leave it out, and then all their devices are asked
	if content.DeviceID != "" {
		//lint:ignore SA1019 as above
		device = content.DeviceID
	}
	to := map[id.UserID][]id.DeviceID{evt.Sender: {device}}
	err := c.machine.SendRoomKeyRequest(ctx, evt.RoomID, sender, content.SessionID, "", to)
	if err != nil {
		c.log.Warn().Str("error", said(err)).Stringer("event_id", evt.ID).Msg("Asking for a message key failed")
	}
}
