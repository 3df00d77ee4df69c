package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/config"
)

// serverProbe asks the homeserver over HTTP with the registration's token and nothing else:
// it needs no database and no device, so that it works before the first start, next to a
// running Spreekkamer, and without changing anything.
type serverProbe struct {
	base, user, token string // token "" when there is no registration to read
	registration      string // its id
	client            *http.Client
}

func newServerProbe(c config.Config) *serverProbe {
	r, _ := ReadRegistration(c.Registration) // its own check tells what is wrong with it
	return &serverProbe{
		base:         strings.TrimSuffix(c.Homeserver.URL, "/"),
		user:         "@" + c.Bot.Localpart + ":" + c.Homeserver.Domain,
		token:        r.ASToken,
		registration: r.ID,
		client:       &http.Client{Timeout: checkTime},
	}
}

// answerError is an answer that is no success, as the Matrix specification forms it.
type answerError struct {
	status  int
	Code    string `json:"errcode"`
	Message string `json:"error"`
}

func (e *answerError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the homeserver answers %d %s %s", e.status, e.Code, e.Message))
}

// stranger tells whether the homeserver knows our token and the bot's name, but the bot's
// account is not made yet. Neither server has a code of its own for it.
func stranger(err error) bool {
	var answer *answerError
	return errors.As(err, &answer) && answer.Code == "M_FORBIDDEN" &&
		strings.Contains(answer.Message, "has not registered this user")
}

// unknown tells whether the server has no such endpoint at all.
func unknown(err error) bool {
	var answer *answerError
	return errors.As(err, &answer) && (answer.Code == "M_UNRECOGNIZED" ||
		answer.Code == "" && (answer.status == http.StatusNotFound || answer.status == http.StatusMethodNotAllowed))
}

// open asks without a token, closed as the bot.
func (p *serverProbe) open(ctx context.Context, path string, out any) (http.Header, error) {
	return p.do(ctx, http.MethodGet, path, nil, "", out)
}

func (p *serverProbe) closed(ctx context.Context, method, path string, in, out any) error {
	if p.token == "" {
		return fmt.Errorf("%w: there is no registration to take the token from", ErrCannotTell)
	}
	_, err := p.do(ctx, method, path+"?user_id="+url.QueryEscape(p.user), in, p.token, out)
	if stranger(err) {
		return fmt.Errorf("%w: the homeserver knows our token; the bot's account is made at the first start", ErrCannotTell)
	}
	return err
}

func (p *serverProbe) do(ctx context.Context, method, path string, in any, token string, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, body)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		var address *url.Error // its text repeats the whole request
		if errors.As(err, &address) {
			err = address.Err
		}
		return nil, fmt.Errorf("%w: the homeserver does not answer: %w", ErrCannotTell, err)
	}
	defer resp.Body.Close()
	return resp.Header, readAnswer(resp, out)
}

func readAnswer(resp *http.Response, out any) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("the homeserver's answer broke off: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		answer := &answerError{status: resp.StatusCode}
		_ = json.Unmarshal(data, answer) // what is no JSON comes from a proxy; the status says enough
		return answer
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("the homeserver's answer is no JSON: is homeserver.url right? %w", err)
	}
	return nil
}

// Version asks the federation's endpoint, and each server's own where federation is off or has
// another port.
func (p *serverProbe) Version(ctx context.Context) (kind, version string, err error) {
	var federation struct {
		Server struct{ Name, Version string } `json:"server"`
	}
	if _, err = p.open(ctx, "/_matrix/federation/v1/version", &federation); err == nil {
		return federation.Server.Name, federation.Server.Version, nil
	}
	var synapse struct {
		Version string `json:"server_version"`
	}
	if _, err := p.open(ctx, "/_synapse/admin/v1/server_version", &synapse); err == nil {
		return "Synapse", synapse.Version, nil
	}
	if _, err := p.open(ctx, "/_dendrite/monitor/up", nil); err == nil {
		return "Dendrite", "of unknown version", nil
	}
	if _, open := p.open(ctx, "/_matrix/client/versions", new(map[string]any)); open == nil && unknown(err) {
		return "a homeserver", "of unknown kind", nil
	}
	return "", "", err
}

// Clock is in the header of every answer.
func (p *serverProbe) Clock(ctx context.Context) (time.Time, error) {
	header, err := p.open(ctx, "/_matrix/client/versions", new(map[string]any))
	if err != nil {
		return time.Time{}, err
	}
	at, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: the homeserver sends no date", ErrCannotTell)
	}
	return at, nil
}

// UploadLimit is what the homeserver tells its clients; 0 means that it tells nothing.
func (p *serverProbe) UploadLimit(ctx context.Context) (int64, error) {
	var answer struct {
		Size int64 `json:"m.upload.size"`
	}
	err := p.closed(ctx, http.MethodGet, "/_matrix/client/v1/media/config", nil, &answer)
	if unknown(err) || err == nil && answer.Size <= 0 {
		return 0, fmt.Errorf("%w: the homeserver tells no limit", ErrCannotTell)
	}
	return answer.Size, err
}

// RoomVersions are the stable ones.
func (p *serverProbe) RoomVersions(ctx context.Context) (versions []string, err error) {
	var answer struct {
		Capabilities struct {
			RoomVersions struct {
				Available map[string]string `json:"available"`
			} `json:"m.room_versions"`
		} `json:"capabilities"`
	}
	err = p.closed(ctx, http.MethodGet, "/_matrix/client/v3/capabilities", nil, &answer)
	for version, state := range answer.Capabilities.RoomVersions.Available {
		if state == "stable" {
			versions = append(versions, version)
		}
	}
	return versions, err
}
