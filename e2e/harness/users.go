package harness

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// adminLocalpart is the harness's own admin user, made when it is needed.
const adminLocalpart = "harness-admin"

const registerPath = "/_synapse/admin/v1/register" // Dendrite has it too

// CreateUser makes a user on the running homeserver.
func (h *Homeserver) CreateUser(ctx context.Context, localpart, password string, admin bool) (userID string, err error) {
	account, err := h.register(ctx, localpart, password, admin)
	return account.UserID, err
}

// MakeAdmin gives an existing user the rights of a server admin. On Dendrite these hold for
// logins from then on, not for tokens that exist already.
func (h *Homeserver) MakeAdmin(ctx context.Context, userID string) error {
	if err := h.kind.makeAdmin(ctx, h, userID); err != nil {
		return fmt.Errorf("make %s admin of %s: %w", userID, h.Kind, err)
	}
	return nil
}

// AdminToken is the access token of an admin user of the harness's own, for the admin API.
func (h *Homeserver) AdminToken(ctx context.Context) (string, error) { return h.adminToken(ctx) }

func (h *Homeserver) adminToken(ctx context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.admin != "" {
		return h.admin, nil
	}
	password := h.secret + "-password"
	admin, err := h.login(ctx, adminLocalpart, password) // from an earlier run in this directory
	if err != nil {
		admin, err = h.register(ctx, adminLocalpart, password, true)
	}
	if err != nil {
		return "", err
	}
	h.admin = admin.AccessToken
	return h.admin, nil
}

func (h *Homeserver) login(ctx context.Context, localpart, password string) (a account, err error) {
	err = h.request(ctx, http.MethodPost, "/_matrix/client/v3/login", "", map[string]any{
		"type": "m.login.password", "password": password,
		"identifier": map[string]any{"type": "m.id.user", "user": localpart},
	}, &a)
	return a, err
}

type account struct {
	UserID      string `json:"user_id"`
	AccessToken string `json:"access_token"`
}

// register makes a user by the registration secret: a nonce of the server, and a proof over it.
func (h *Homeserver) register(ctx context.Context, localpart, password string, admin bool) (account, error) {
	var nonce struct{ Nonce string }
	if err := h.request(ctx, http.MethodGet, registerPath, "", nil, &nonce); err != nil {
		return account{}, fmt.Errorf("create user %s: %w", localpart, err)
	}
	role := "notadmin"
	if admin {
		role = "admin"
	}
	mac := hmac.New(sha1.New, []byte(h.secret))
	mac.Write([]byte(strings.Join([]string{nonce.Nonce, localpart, password, role}, "\x00")))
	var made account
	err := h.request(ctx, http.MethodPost, registerPath, "", map[string]any{
		"nonce": nonce.Nonce, "username": localpart, "password": password, "admin": admin,
		"mac": hex.EncodeToString(mac.Sum(nil)),
	}, &made)
	if err != nil {
		return account{}, fmt.Errorf("create user %s: %w", localpart, err)
	}
	return made, nil
}

// request asks the homeserver something. in and out are JSON values or nil.
func (h *Homeserver) request(ctx context.Context, method, path, token string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, h.URL+path, body)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: status %d: %s", method, path, resp.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// splitUserID splits at the first colon: a server name may hold a port.
func splitUserID(userID string) (localpart, server string, err error) {
	localpart, server, ok := strings.Cut(strings.TrimPrefix(userID, "@"), ":")
	if !ok || !strings.HasPrefix(userID, "@") {
		return "", "", fmt.Errorf("%q is not a user id", userID)
	}
	return localpart, server, nil
}
