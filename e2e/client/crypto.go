package client

import (
	"context"
	"encoding/json"
)

// EncryptionInfo is what a client shows about the encryption of an event.
type EncryptionInfo struct {
	Shield
	Encrypted       bool   `json:"encrypted"`
	DecryptionError string `json:"decryption_error"`
}

// EncryptionInfo asks the crypto library about an event.
func (c *Client) EncryptionInfo(ctx context.Context, room, event string) (info EncryptionInfo, err error) {
	err = c.call(ctx, "encryptionInfo", map[string]any{"room": room, "event": event}, &info)
	return info, err
}

// CryptoStatus is the state of a client's own encryption.
type CryptoStatus struct {
	Curve25519        string `json:"curve25519"`
	Ed25519           string `json:"ed25519"`
	CrossSigningReady bool   `json:"crossSigningReady"`
	DeviceSigned      bool   `json:"deviceSigned"` // by the user's own identity
	Version           string `json:"version"`      // of the crypto library
}

// CryptoStatus asks the crypto library about itself.
func (c *Client) CryptoStatus(ctx context.Context) (status CryptoStatus, err error) {
	err = c.call(ctx, "cryptoStatus", nil, &status)
	return status, err
}

// A Device is a device of some user.
type Device struct {
	ID     string `json:"device_id"`
	Name   string `json:"name"`
	Signed bool   `json:"signed"` // by its owner's identity
}

// Devices are the devices of a user that can be encrypted to.
func (c *Client) Devices(ctx context.Context, user string) (devices []Device, err error) {
	err = c.call(ctx, "devices", map[string]any{"user": user}, &devices)
	return devices, err
}

// DiscardSession makes the next message of this client in a room start a new session.
func (c *Client) DiscardSession(ctx context.Context, room string) error {
	return c.call(ctx, "discardSession", map[string]any{"room": room}, nil)
}

// WithholdKeys makes the client keep the message keys that it would give a user to itself, like
// a phone that goes out of reach before they are sent, until ReleaseKeys. It starts a new session
// in a room, so that there are some.
func (c *Client) WithholdKeys(ctx context.Context, user, room string) error {
	if err := c.DiscardSession(ctx, room); err != nil {
		return err
	}
	return c.call(ctx, "withholdKeys", map[string]any{"user": user}, nil)
}

// ReleaseKeys sends what was withheld.
func (c *Client) ReleaseKeys(ctx context.Context) error { return c.call(ctx, "releaseKeys", nil, nil) }

// Encrypt encrypts an event for a room without sending it: for who wants to send faster than a
// client can encrypt. The content is that of an m.room.encrypted.
func (c *Client) Encrypt(ctx context.Context, room, eventType string, content any) (sealed json.RawMessage, err error) {
	var made struct{ Content json.RawMessage }
	err = c.call(ctx, "encrypt", map[string]any{"room": room, "type": eventType, "content": content}, &made)
	return made.Content, err
}
