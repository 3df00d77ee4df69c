package appservice

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// longestID bounds every identifier in bytes, as the Matrix specification does.
const longestID = 255

// An incoming is one event as a homeserver sent it, read field by field: one field of a wrong
// type must not hide the others, because an event that is not kept is lost for good.
type incoming struct {
	ID       id.EventID
	Room     id.RoomID
	Type     string
	Sender   id.UserID
	StateKey *string
	OriginAt int64 // Unix milliseconds as claimed by the sender's homeserver; -1 when unusable
	TxnID    string
	Redacts  id.EventID
	Redacted bool // the homeserver says that its content was removed
	Content  json.RawMessage
	Raw      json.RawMessage
}

// parse reads an event that came in a room ("" when the event itself names it). It reports
// false for what cannot be kept: no event, or no usable identifiers.
func parse(raw json.RawMessage, room id.RoomID) (incoming, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return incoming{}, false
	}
	e := incoming{Raw: raw, Room: room, Content: fields["content"], OriginAt: millis(fields["origin_server_ts"])}
	if room == "" {
		e.Room = id.RoomID(text(fields["room_id"]))
	}
	e.ID, e.Sender = id.EventID(text(fields["event_id"])), id.UserID(text(fields["sender"]))
	e.Type, e.StateKey = text(fields["type"]), key(fields["state_key"])
	e.Redacts = id.EventID(text(fields["redacts"]))
	if e.Redacts == "" { // where room version 11 has it
		e.Redacts = id.EventID(text(inside(e.Content, "redacts")))
	}
	e.TxnID = text(inside(fields["unsigned"], "transaction_id"))
	because := inside(fields["unsigned"], "redacted_because")
	e.Redacted = because != nil && string(because) != "null"
	return e, usable(string(e.ID), '$') && usable(string(e.Room), '!') && usable(string(e.Sender), '@') && usable(e.Type, 0)
}

func usable(s string, sigil byte) bool {
	return s != "" && len(s) <= longestID && (sigil == 0 || s[0] == sigil && len(s) > 1)
}

// text returns a JSON string, or "" for everything else.
func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// key returns a state key: nil when there is none. One of a wrong type counts as empty, so that
// the event stays a state event.
func key(raw json.RawMessage) *string {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	s := text(raw)
	return &s
}

// millis returns a time in Unix milliseconds, or -1 when it is no time at all.
func millis(raw json.RawMessage) int64 {
	var n float64
	if json.Unmarshal(raw, &n) != nil || math.IsNaN(n) || n <= 0 || n > 1<<53 {
		return -1
	}
	return int64(n)
}

// inside returns a member of a JSON object, or nil.
func inside(object json.RawMessage, path ...string) json.RawMessage {
	for _, name := range path {
		var fields map[string]json.RawMessage
		if json.Unmarshal(object, &fields) != nil {
			return nil
		}
		object = fields[name]
	}
	return object
}

// pointing are the relations that make an event say something about another one.
var pointing = map[string]bool{"m.annotation": true, "m.replace": true, "m.reference": true}

// target is the event that a redaction, reaction, edit or poll vote is about.
func (e incoming) target() id.EventID {
	if e.Type == event.EventRedaction.Type {
		return e.Redacts
	}
	if !pointing[text(inside(e.Content, "m.relates_to", "rel_type"))] {
		return ""
	}
	about := text(inside(e.Content, "m.relates_to", "event_id"))
	if !usable(about, '$') {
		return ""
	}
	return id.EventID(about)
}

// personal are the fields with someone's words in events that are not all content: a redaction
// has to keep what it points at, a membership who is in the room.
var personal = map[string][]string{
	event.EventRedaction.Type: {"reason"},
	event.StateMember.Type:    {"displayname", "avatar_url", "reason"},
}

// hasContent reports whether there is something to redact in time: any content of a message,
// and the names and reasons that people leave in memberships and redactions.
func (e incoming) hasContent() bool {
	fields, partly := personal[e.Type]
	if !partly {
		return e.StateKey == nil && !e.empty()
	}
	return !e.Redacted && slices.ContainsFunc(fields, func(name string) bool {
		value := string(inside(e.Content, name))
		return value != "" && value != "null" && value != `""`
	})
}

// empty reports whether a message's content has been removed. An encrypted event that was
// redacted before it reached us has no algorithm any more: that is "removed", not "undecryptable".
func (e incoming) empty() bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(e.Content, &fields) == nil && len(fields) == 0 {
		return true
	}
	return e.Redacted || e.Type == event.EventEncrypted.Type && fields["algorithm"] == nil && fields["ciphertext"] == nil
}

// forInbox reports whether a use case may have to react: to everything that is no state, known
// to us or not, and to what happens with people in rooms. What the bot did itself is no news,
// and invites to the bot come by the invites of /sync only (see invitation): Synapse shows them
// there without their event ID, so that one from elsewhere would be taken for another.
func (e incoming) forInbox(bot id.UserID) bool {
	if e.Sender == bot || e.invites(bot) {
		return false
	}
	return e.StateKey == nil || e.Type == event.StateMember.Type
}

// membershipOf is what the event makes of someone's place in the room; "" when it is about
// something or someone else.
func (e incoming) membershipOf(user id.UserID) string {
	if e.Type != event.StateMember.Type || e.StateKey == nil || *e.StateKey != string(user) {
		return ""
	}
	return text(inside(e.Content, "membership"))
}

// invites reports whether the event invites someone.
func (e incoming) invites(user id.UserID) bool {
	return e.membershipOf(user) == string(event.MembershipInvite)
}

// row is the event as the store keeps it, without what people wrote.
func (e incoming) row(bot id.UserID, now time.Time) store.Event {
	session, index := e.key()
	return store.Event{
		Session: session, Index: index,
		ID: string(e.ID), RoomID: string(e.Room), Type: e.Type, Sender: string(e.Sender),
		StateKey: e.StateKey, OriginAt: e.at(now), TxnID: e.TxnID, Target: string(e.target()),
		HasContent: e.hasContent(), ForInbox: e.forInbox(bot),
	}
}

// key is what an encrypted event says of its own message key: the session and its number in it,
// -1 when that cannot be read.
func (e incoming) key() (session string, index int64) {
	session = text(inside(e.Content, "session_id"))
	if e.Type != event.EventEncrypted.Type || !usable(session, 0) {
		return "", -1
	}
	n, err := crypto.ParseMegolmMessageIndex([]byte(text(inside(e.Content, "ciphertext"))))
	if err != nil || n > math.MaxUint32 {
		return session, -1
	}
	return session, int64(n)
}

// at is when the event was sent: never later than now, so that a wrong clock elsewhere cannot
// put off what is due.
func (e incoming) at(now time.Time) time.Time {
	sent := time.UnixMilli(e.OriginAt)
	if e.OriginAt < 0 || sent.After(now) {
		return now
	}
	return sent.In(now.Location())
}

// queueOf is the queue of everything of one person.
func queueOf(user id.UserID) string { return "user:" + string(user) }

// serverOf returns the server name in an ID; it may hold a port, so the first colon counts.
func serverOf(anyID string) string {
	_, server, _ := strings.Cut(anyID, ":")
	return server
}

// mautrixEvent is the event in the library's form. What does not parse stays raw.
func (e incoming) mautrixEvent() *event.Event {
	class := event.MessageEventType
	if e.StateKey != nil {
		class = event.StateEventType
	}
	evt := &event.Event{
		ID: e.ID, RoomID: e.Room, Sender: e.Sender, StateKey: e.StateKey, Redacts: e.Redacts,
		Type: event.Type{Type: e.Type, Class: class}, Timestamp: max(e.OriginAt, 0),
	}
	if evt.Content.UnmarshalJSON(e.Content) == nil {
		_ = guard(func() error { return evt.Content.ParseRaw(evt.Type) })
	}
	evt.Unsigned.TransactionID = e.TxnID
	return evt
}
