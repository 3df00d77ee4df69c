package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// marker is the field inside the content, encrypted with it, that tells which of our effects an
// event is. Homeservers forget transaction IDs; the marker stays with the event.
const marker = "nl.spreekkamer.marker"

// openKinds are the kinds of room into which the bot may write readably: a patient's own chat
// may be unencrypted, and the bot only greets there.
var openKinds = map[store.RoomKind]bool{store.RoomContact: true}

// Send writes an event into a room, encrypted when the room is. Sending the same txnID again
// leaves one event for as long as the homeserver remembers it: Synapse a day at least, over
// restarts; Dendrite until it is restarted. Use Resend for anything that may have been sent.
//
// Errors that wrap ErrPermanent never succeed.
func (c *Client) Send(ctx context.Context, room id.RoomID, kind event.Type, content any, txnID string) (id.EventID, error) {
	ctx = c.quiet(ctx)
	marked, err := withMarker(content, txnID)
	if err != nil {
		return "", fmt.Errorf("send %s: %w", txnID, err)
	}
	defer c.sending.WithLock(room)()
	kind, body, err := c.sealed(ctx, room, kind, marked)
	if err != nil {
		return "", failed(err, "send %s", txnID)
	}
	req := mautrix.ReqSendEvent{TransactionID: txnID, DontEncrypt: true}
	answer, err := c.matrix.SendMessageEvent(ctx, room, kind, body, req)
	if err != nil {
		return "", failed(err, "send %s", txnID)
	}
	return answer.EventID, nil
}

// Resend is Send for an attempt after the first: it looks whether the event is in the room
// already, among what was sent since the first attempt.
func (c *Client) Resend(ctx context.Context, room id.RoomID, kind event.Type, content any, txnID string, since time.Time) (id.EventID, error) {
	sent, found, err := c.Sent(ctx, room, txnID, since)
	if err != nil || found {
		return sent, err
	}
	return c.Send(ctx, room, kind, content, txnID)
}

// withMarker returns the content as a JSON object with the marker in it.
func withMarker(content any, txnID string) (json.RawMessage, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("content: %w: %w", ErrPermanent, err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("content is no JSON object: %w", ErrPermanent)
	}
	if fields[marker], err = json.Marshal(txnID); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

// sealed returns what goes over the wire: the event encrypted, or itself where that is right.
// Reactions are never encrypted, because clients do not look for encrypted ones.
func (c *Client) sealed(ctx context.Context, room id.RoomID, kind event.Type, content json.RawMessage) (event.Type, any, error) {
	if kind.Type == event.EventReaction.Type {
		return event.EventReaction, content, nil
	}
	encrypted, err := c.encrypted(ctx, room)
	if err != nil {
		return kind, nil, err
	}
	if encrypted {
		body, err := c.encrypt(ctx, room, kind, content)
		return event.EventEncrypted, body, err
	}
	known, found, err := c.store.Room(ctx, string(room))
	if err != nil {
		return kind, nil, fmt.Errorf("load room %s: %w", room, err)
	}
	if !found || !openKinds[known.Kind] {
		return kind, nil, fmt.Errorf("room %s: %w", room, ErrNotEncrypted)
	}
	return kind, content, nil
}

// encrypted reports whether a room is. "No" is only believed from the homeserver itself: our
// own notes may be behind.
func (c *Client) encrypted(ctx context.Context, room id.RoomID) (bool, error) {
	if yes, err := c.rooms.IsEncrypted(ctx, room); err != nil || yes {
		return yes, failed(err, "look whether %s is encrypted", room)
	}
	var content event.EncryptionEventContent
	err := c.matrix.StateEvent(ctx, room, event.StateEncryption, "", &content)
	if classOf(err) == ErrNotFound {
		return false, nil
	}
	return content.Algorithm != "", failed(err, "ask whether %s is encrypted", room)
}

// encryptError hides the homeserver's answer to sharing a key: that one is refused says nothing
// about whether the message would be, so it must not count as permanent.
func encryptError(err error, room id.RoomID) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return failed(err, "encrypt for %s", room)
	}
	return fmt.Errorf("encrypt for %s: %s", room, said(err))
}
