package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"maunium.net/go/mautrix/crypto/signatures"
	"maunium.net/go/mautrix/id"
)

// Bot fails when the homeserver does not know the token, or not that the bot's name is ours.
// Before the first start the bot's account does not exist, which some homeservers refuse too.
func (p *serverProbe) Bot(ctx context.Context) (string, error) {
	var answer struct {
		User string `json:"user_id"`
	}
	err := p.closed(ctx, http.MethodGet, "/_matrix/client/v3/account/whoami", nil, &answer)
	return answer.User, err
}

// Ping is tolerated to be missing: Dendrite has none.
func (p *serverProbe) Ping(ctx context.Context) error {
	path := "/_matrix/client/v1/appservice/" + url.PathEscape(p.registration) + "/ping"
	err := p.closed(ctx, http.MethodPost, path, struct{}{}, new(map[string]any))
	if unknown(err) {
		return fmt.Errorf("%w: this homeserver has no ping", ErrCannotTell)
	}
	return err
}

// signedKeys are the keys of the bot as everyone sees them. They stay raw, because a signature
// is over the whole of what was signed.
type signedKeys struct {
	Devices map[string]map[string]json.RawMessage `json:"device_keys"`
	Masters map[string]json.RawMessage            `json:"master_keys"`
	Signers map[string]json.RawMessage            `json:"self_signing_keys"`
}

// Signed follows the signatures from the bot's identity (master key) over its self-signing
// key to each of its devices.
func (p *serverProbe) Signed(ctx context.Context) (bool, error) {
	var keys signedKeys
	ask := map[string]any{"device_keys": map[string]any{p.user: []string{}}}
	if err := p.closed(ctx, http.MethodPost, "/_matrix/client/v3/keys/query", ask, &keys); err != nil {
		return false, err
	}
	devices := keys.Devices[p.user]
	if len(devices) == 0 {
		return false, fmt.Errorf("%w: the bot has no device before the first start", ErrCannotTell)
	}
	master, signer := onlyKey(keys.Masters[p.user]), onlyKey(keys.Signers[p.user])
	if !p.signedBy(keys.Signers[p.user], master) {
		return false, nil
	}
	for _, device := range devices {
		if !p.signedBy(device, signer) {
			return false, nil
		}
	}
	return true, nil
}

func (p *serverProbe) signedBy(object json.RawMessage, key id.Ed25519) bool {
	if len(object) == 0 || key == "" {
		return false
	}
	ok, err := signatures.VerifySignatureJSON(object, id.UserID(p.user), string(key), key)
	return ok && err == nil
}

// onlyKey is the public key of a cross-signing key: it holds exactly one.
func onlyKey(object json.RawMessage) id.Ed25519 {
	var key struct {
		Keys map[string]id.Ed25519 `json:"keys"`
	}
	if err := json.Unmarshal(object, &key); err != nil || len(key.Keys) != 1 {
		return ""
	}
	for _, public := range key.Keys {
		return public
	}
	return ""
}

// OwnRooms leaves out first-contact rooms: patients made those, and the bot has no say there.
func (p *serverProbe) OwnRooms(ctx context.Context) (own []RoomPower, err error) {
	var answer struct {
		Rooms []string `json:"joined_rooms"`
	}
	if err := p.closed(ctx, http.MethodGet, "/_matrix/client/v3/joined_rooms", nil, &answer); err != nil {
		return nil, err
	}
	for _, room := range answer.Rooms {
		power, mine, err := p.power(ctx, room)
		if err != nil {
			return nil, fmt.Errorf("room %s: %w", room, err)
		}
		if mine {
			own = append(own, power)
		}
	}
	return own, nil
}

// power reads the levels with the specification's defaults for what is not listed.
func (p *serverProbe) power(ctx context.Context, room string) (power RoomPower, mine bool, err error) {
	var state []struct {
		Type    string          `json:"type"`
		Key     string          `json:"state_key"`
		Sender  string          `json:"sender"`
		Content json.RawMessage `json:"content"`
	}
	err = p.closed(ctx, http.MethodGet, "/_matrix/client/v3/rooms/"+url.PathEscape(room)+"/state", nil, &state)
	power = RoomPower{Room: room, Redact: 50}
	for _, e := range state {
		switch {
		case e.Type == "m.room.create":
			mine = e.Sender == p.user
		case e.Type == "m.room.power_levels" && e.Key == "":
			levels := struct {
				Users   map[string]int64 `json:"users"`
				Default int64            `json:"users_default"`
				Redact  int64            `json:"redact"`
			}{Redact: 50}
			if err := json.Unmarshal(e.Content, &levels); err != nil {
				return power, mine, fmt.Errorf("its power levels: %w", err)
			}
			power.Redact, power.Have = levels.Redact, levels.Default
			if level, listed := levels.Users[p.user]; listed {
				power.Have = level
			}
		}
	}
	return power, mine, err
}

// Admin asks Synapse about the bot; only an administrator gets an answer.
func (p *serverProbe) Admin(ctx context.Context) (bool, error) {
	var answer struct {
		Admin bool `json:"admin"`
	}
	err := p.closed(ctx, http.MethodGet, "/_synapse/admin/v1/users/"+url.PathEscape(p.user)+"/admin", nil, &answer)
	var refused *answerError
	switch {
	case unknown(err):
		return false, fmt.Errorf("%w: only Synapse can erase media; elsewhere they become unreadable, because their keys go", ErrCannotTell)
	case errors.As(err, &refused) && refused.status == http.StatusForbidden:
		return false, nil
	}
	return answer.Admin, err
}

// Search looks for a word that nobody writes: an answer means that there is an index.
func (p *serverProbe) Search(ctx context.Context) (bool, error) {
	ask := map[string]any{"search_categories": map[string]any{"room_events": map[string]any{
		"search_term": "spreekkamerdoctor", "filter": map[string]any{"limit": 1},
	}}}
	err := p.closed(ctx, http.MethodPost, "/_matrix/client/v3/search", ask, new(map[string]any))
	var refused *answerError
	switch {
	case unknown(err):
		return false, nil
	case errors.As(err, &refused) && strings.Contains(strings.ToLower(refused.Message), "disabled"):
		return false, nil
	}
	return err == nil, err
}
