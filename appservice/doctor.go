package appservice

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.mau.fi/util/random"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// Facts about the homeserver and about the bot there, for the doctor command and for what
// depends on the kind of homeserver.

// A Server is what a homeserver says about itself.
type Server struct{ Name, Version string }

type serverFacts struct {
	mu    sync.Mutex
	known Server
}

// serverQuestions are the requests that tell what a homeserver is, in the order of asking: the
// first is often not let through to where clients connect, or not there without federation.
var serverQuestions = []struct {
	path mautrix.BaseURLPath
	name string // of who alone has this request
}{
	{mautrix.BaseURLPath{"_matrix", "federation", "v1", "version"}, ""},
	{mautrix.BaseURLPath{"_synapse", "admin", "v1", "server_version"}, "Synapse"},
	{mautrix.BaseURLPath{"_dendrite", "monitor", "up"}, "Dendrite"},
}

// Server returns what the homeserver is; the name is "" when it does not tell.
func (c *Client) Server(ctx context.Context) (Server, error) {
	ctx = c.quiet(ctx)
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.known.Name != "" {
		return c.server.known, nil
	}
	var err error
	for _, question := range serverQuestions {
		if c.server.known, err = c.askServer(ctx, question.path, question.name); err == nil && c.server.known.Name != "" {
			return c.server.known, nil
		}
		if err != nil && classOf(err) == nil {
			return Server{}, failed(err, "ask the homeserver what it is")
		}
	}
	return Server{}, nil
}

func (c *Client) askServer(ctx context.Context, path mautrix.BaseURLPath, name string) (Server, error) {
	data, err := c.service.MakeRequest(ctx, http.MethodGet, c.service.BuildURL(path), nil, nil)
	if err != nil {
		return Server{}, err
	}
	var answer struct {
		Server  Server `json:"server"`
		Version string `json:"server_version"`
	}
	if json.Unmarshal(data, &answer) == nil && answer.Server.Name != "" {
		return answer.Server, nil
	}
	return Server{name, answer.Version}, nil
}

// Ping has the homeserver call us back. It shows that the registration is loaded and the way
// here is open, and makes Synapse send at once what it could not deliver. Dendrite does not
// know it: ErrUnsupported.
func (c *Client) Ping(ctx context.Context) error {
	if c.opts.RegistrationID == "" {
		return fmt.Errorf("ping without the registration's id: %w", ErrUnsupported)
	}
	_, err := c.service.AppservicePing(c.quiet(ctx), c.opts.RegistrationID, random.String(12))
	return failed(err, "have the homeserver call back")
}

// RoomVersions returns the room versions that the homeserver offers, each with its status.
func (c *Client) RoomVersions(ctx context.Context) (map[string]string, error) {
	answer, err := c.matrix.Capabilities(c.quiet(ctx))
	if err != nil {
		return nil, failed(err, "ask for room versions")
	}
	all := map[string]string{}
	if answer.RoomVersions != nil {
		for version, status := range answer.RoomVersions.Available {
			all[string(version)] = string(status)
		}
	}
	return all, nil
}

// Searchable reports whether the homeserver lets messages be searched. Synapse then keeps the
// words of unencrypted messages and room names even after they were redacted.
func (c *Client) Searchable(ctx context.Context) (bool, error) {
	body := map[string]any{"search_categories": map[string]any{"room_events": map[string]any{"search_term": random.String(12)}}}
	_, err := c.matrix.MakeRequest(c.quiet(ctx), http.MethodPost, c.matrix.BuildClientURL("v3", "search"), body, nil)
	if err == nil {
		return true, nil
	}
	if classOf(err) != nil || isStatus(err, http.StatusBadRequest) {
		return false, nil
	}
	return false, failed(err, "ask whether messages are searchable")
}

// Devices returns the IDs of the bot's devices; there should be one.
func (c *Client) Devices(ctx context.Context) ([]id.DeviceID, error) {
	answer, err := c.matrix.GetDevicesInfo(c.quiet(ctx))
	if err != nil {
		return nil, failed(err, "list the bot's devices")
	}
	var all []id.DeviceID
	for _, device := range answer.Devices {
		all = append(all, device.DeviceID)
	}
	return all, nil
}

// RecoveryKeyFile returns nil when the recovery key is where the configuration says and opens
// the bot's secret storage.
func (c *Client) RecoveryKeyFile(ctx context.Context) error {
	recovery, found, err := readRecoveryKey(c.opts.RecoveryKeyFile)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("recovery key file %s is missing: put it back from the backup", c.opts.RecoveryKeyFile)
	}
	keyID, data, err := c.machine.SSSS.GetDefaultKeyData(c.quiet(ctx))
	if err != nil {
		return failed(err, "look at the bot's secret storage")
	}
	if _, err := data.VerifyRecoveryKey(keyID, recovery); err != nil {
		return fmt.Errorf("recovery key file %s does not open the bot's secret storage: %w", c.opts.RecoveryKeyFile, err)
	}
	return nil
}

// Clock returns how far the homeserver's clock is ahead of ours, to the second, as far as its
// answers tell.
func (c *Client) Clock(ctx context.Context) (time.Duration, error) {
	before := c.opts.Now()
	url := c.service.BuildURL(mautrix.ClientURLPath{"versions"})
	_, answer, err := c.service.MakeFullRequestWithResp(c.quiet(ctx), mautrix.FullRequest{Method: http.MethodGet, URL: url})
	if err != nil {
		return 0, failed(err, "ask the homeserver for its time")
	}
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return 0, fmt.Errorf("the homeserver does not tell its time: %w", ErrUnsupported)
	}
	return theirs.Sub(before).Truncate(time.Second), nil
}
