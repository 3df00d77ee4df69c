package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A Client is one logged-in device of a user.
type Client struct {
	// Who it is, known once Login has returned.
	UserID      string
	DeviceID    string
	AccessToken string

	driver *Driver
	name   string // among the clients of the driver

	mu      sync.Mutex
	rooms   map[string]*room
	sync    string        // last state of the connection
	changed chan struct{} // closed and replaced at each thing that the client sees
}

// LoginOptions are what can be chosen about a login.
type LoginOptions struct {
	BaseURL  string // of the homeserver
	UserID   string // or the local part
	Password string
	// Identity says what happens to the user's cross-signing identity.
	Identity Identity
	// SignedOnly gives keys to signed devices only and shows nothing that came from others,
	// as clients do that "exclude insecure devices" (MSC4153).
	SignedOnly bool
}

// Identity says what a login does about the user's cross-signing identity.
type Identity string

// The choices.
const (
	// SignDevice makes the identity if the user has none and signs the new device with it. A
	// device is left unsigned when the identity was made by another driver.
	SignDevice Identity = "auto"
	// UnsignedDevice leaves the device unsigned.
	UnsignedDevice Identity = "none"
	// ResetIdentity makes a new identity, as somebody does who has lost all keys.
	ResetIdentity Identity = "reset"
)

// Login logs in, waits for the first sync, and signs the device with the user's cross-signing
// identity, which is made if there is none.
func (d *Driver) Login(ctx context.Context, baseURL, userID, password string) (*Client, error) {
	return d.LoginWith(ctx, LoginOptions{BaseURL: baseURL, UserID: userID, Password: password})
}

// LoginWith is Login with choices.
func (d *Driver) LoginWith(ctx context.Context, o LoginOptions) (*Client, error) {
	if o.Identity == "" {
		o.Identity = SignDevice
	}
	c := &Client{driver: d, rooms: map[string]*room{}, changed: make(chan struct{})}
	d.mu.Lock()
	d.next++
	c.name = fmt.Sprintf("%s#%d", o.UserID, d.next)
	d.clients[c.name] = c
	d.mu.Unlock()
	err := d.call(ctx, c, "login", map[string]any{
		"baseUrl": o.BaseURL, "user": o.UserID, "password": o.Password,
		"bootstrap": o.Identity, "signedOnly": o.SignedOnly,
	}, nil)
	if err != nil {
		d.forget(c)
		return nil, err
	}
	return c, nil
}

func (d *Driver) forget(c *Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.clients, c.name)
}

// Stop ends the client. Its device stays on the homeserver.
func (c *Client) Stop(ctx context.Context) error {
	defer c.driver.forget(c)
	return c.call(ctx, "stop", nil, nil)
}

// Logout ends the client and removes its device from the homeserver.
func (c *Client) Logout(ctx context.Context) error {
	defer c.driver.forget(c)
	return c.call(ctx, "logout", nil, nil)
}

// Whoami asks the homeserver whose token this is.
func (c *Client) Whoami(ctx context.Context) (userID, deviceID string, err error) {
	var who struct {
		UserID   string `json:"user_id"`
		DeviceID string `json:"device_id"`
	}
	err = c.call(ctx, "whoami", nil, &who)
	return who.UserID, who.DeviceID, err
}

// PauseSync makes the client deaf until ResumeSync: nothing that happens reaches it, but it can
// still send.
func (c *Client) PauseSync(ctx context.Context) error { return c.call(ctx, "pauseSync", nil, nil) }

// ResumeSync lets it hear again, beginning with what it missed.
func (c *Client) ResumeSync(ctx context.Context) error { return c.call(ctx, "resumeSync", nil, nil) }

// SyncState is the SDK's word for the state of the connection: PREPARED, SYNCING, ERROR, …
func (c *Client) SyncState() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sync
}

// Request asks the homeserver anything with this client's token. The path is without the
// prefix of the client-server API (/_matrix/client/v3), unless prefix gives another one.
func (c *Client) Request(ctx context.Context, method, prefix, path string, body, result any) error {
	args := map[string]any{"method": method, "path": path}
	if prefix != "" {
		args["prefix"] = prefix
	}
	if body != nil {
		args["body"] = body
	}
	return c.call(ctx, "request", args, result)
}

func (c *Client) call(ctx context.Context, op string, args, result any) error {
	if args == nil {
		args = struct{}{}
	}
	return c.driver.call(ctx, c, op, args, result)
}

// Errcode is the homeserver's code in an error of this package (such as M_FORBIDDEN), or empty.
func Errcode(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Errcode
	}
	return ""
}
