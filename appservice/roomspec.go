package appservice

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// A RoomSpec says how a room of ours has to be. EnsureRoom makes the room so, or mends it.
type RoomSpec struct {
	Alias             string // localpart of the alias by which the room is found again; never about a person
	Name, Topic       string
	RoomVersion       string // "" is 10, in which redactions work everywhere
	Federate          bool
	Encrypted         bool
	PowerLevels       *event.PowerLevelsEventContent
	Invite            []id.UserID
	Servers           []string                // whose users may send anything (server ACL), names with their port; nil for no ACL
	HistoryVisibility event.HistoryVisibility // "" is joined
	Space             id.RoomID               // whose child the room is
	Restricted        bool                    // members of Space may join without an invite
	Retention         time.Duration           // after which the homeserver may drop messages by itself; 0 = it is not told
	RoomType          event.RoomType          // event.RoomTypeSpace for a space
}

// defaultRoomVersion is given explicitly with every room: in 11 Dendrite never applies
// redactions that come from Synapse, in 12 nobody can mute the creator.
const defaultRoomVersion = "10"

// stateRetention is how long messages may stay (MSC1763). It is a net, not the mechanism: Synapse
// heeds it when its own retention is on, for messages only; Dendrite does not know it.
var stateRetention = event.Type{Type: "m.room.retention", Class: event.StateEventType}

// A wanted is one state event as it has to be.
type wanted struct {
	kind    event.Type
	key     string
	content any
}

// state is everything about the room that can be changed later.
func (s RoomSpec) state(domain string) []wanted {
	all := []wanted{
		{event.StatePowerLevels, "", levels(s.PowerLevels)},
		{event.StateJoinRules, "", s.joinRules()},
		{event.StateHistoryVisibility, "", map[string]any{"history_visibility": s.visibility()}},
		{event.StateGuestAccess, "", map[string]any{"guest_access": "forbidden"}},
		{event.StateRoomName, "", map[string]any{"name": s.Name}},
		{event.StateTopic, "", map[string]any{"topic": s.Topic}},
	}
	if s.Encrypted {
		all = append(all, wanted{event.StateEncryption, "", map[string]any{"algorithm": id.AlgorithmMegolmV1}})
	}
	if s.Servers != nil {
		acl := map[string]any{"allow": admitted(s.Servers), "deny": []string{}, "allow_ip_literals": true}
		all = append(all, wanted{event.StateServerACL, "", acl})
	}
	if s.Retention > 0 {
		all = append(all, wanted{stateRetention, "", map[string]any{"max_lifetime": s.Retention.Milliseconds()}})
	}
	if s.Space != "" {
		parent := map[string]any{"via": []string{domain}, "canonical": true}
		all = append(all, wanted{event.StateSpaceParent, string(s.Space), parent})
	}
	return all
}

// levels spells power levels out: homeservers and the library leave out what is the default, and
// what is not written down cannot be compared.
func levels(pl *event.PowerLevelsEventContent) map[string]any {
	users, events := map[id.UserID]int{}, map[string]int{} // empty, where the value may have none
	maps.Copy(users, pl.Users)
	maps.Copy(events, pl.Events)
	return map[string]any{
		"users": users, "users_default": pl.UsersDefault,
		"events": events, "events_default": pl.EventsDefault, "state_default": pl.StateDefault(),
		"invite": pl.Invite(), "kick": pl.Kick(), "ban": pl.Ban(), "redact": pl.Redact(),
	}
}

// met reports whether a state event says what is wanted. Homeservers add levels of their own to
// a new room, which give nobody anything.
func (w wanted) met(is json.RawMessage) bool {
	if w.kind != event.StatePowerLevels {
		return sameJSON(is, w.content)
	}
	var pl event.PowerLevelsEventContent
	return json.Unmarshal(is, &pl) == nil && sameJSON(marshal(levels(&pl)), w.content)
}

func marshal(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

var port = regexp.MustCompile(`:[0-9]+$`)

// admitted lists servers as homeservers compare them: each other's names without the port, and
// Synapse its own, before it takes the list at all, with it.
func admitted(servers []string) (names []string) {
	for _, name := range servers {
		for _, spelling := range []string{name, port.ReplaceAllString(name, "")} {
			if !slices.Contains(names, spelling) {
				names = append(names, spelling)
			}
		}
	}
	return names
}

func (s RoomSpec) visibility() event.HistoryVisibility {
	if s.HistoryVisibility == "" {
		return event.HistoryVisibilityJoined
	}
	return s.HistoryVisibility
}

func (s RoomSpec) joinRules() map[string]any {
	if !s.Restricted {
		return map[string]any{"join_rule": event.JoinRuleInvite}
	}
	members := map[string]any{"type": event.JoinRuleAllowRoomMembership, "room_id": s.Space}
	return map[string]any{"join_rule": event.JoinRuleRestricted, "allow": []any{members}}
}

func (s RoomSpec) version() id.RoomVersion {
	if s.RoomVersion == "" {
		return defaultRoomVersion
	}
	return id.RoomVersion(s.RoomVersion)
}

// creation is what can never be changed.
func (s RoomSpec) creation() map[string]any {
	content := map[string]any{"m.federate": s.Federate}
	if s.RoomType != "" {
		content["type"] = s.RoomType
	}
	return content
}

// initial is the state a room is made with. It is parsed, because only parsed events make the
// library note that the room is encrypted: raw ones had the first message go out readably.
func (s RoomSpec) initial(domain string) ([]*event.Event, error) {
	var all []*event.Event
	for _, w := range s.state(domain) {
		if w.kind == event.StatePowerLevels || w.blank() {
			continue // given with the request itself; and nobody needs an empty name
		}
		evt, err := w.event("")
		if err != nil {
			return nil, err
		}
		all = append(all, evt)
	}
	return all, nil
}

// event is the state event in the library's form.
func (w wanted) event(room id.RoomID) (*event.Event, error) {
	raw, err := json.Marshal(w.content)
	if err != nil {
		return nil, err
	}
	evt := &event.Event{Type: w.kind, StateKey: &w.key, RoomID: room}
	if err := evt.Content.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	if err := evt.Content.ParseRaw(w.kind); !errors.Is(err, event.ErrUnsupportedContentType) {
		return evt, err
	}
	return evt, nil // a kind that the library does not know, and need not
}

// blank reports an empty name or topic, which a room need not have.
func (w wanted) blank() bool {
	content, _ := w.content.(map[string]any)
	for _, field := range []string{"name", "topic"} {
		if value, ok := content[field]; ok && value == "" {
			return true
		}
	}
	return false
}
