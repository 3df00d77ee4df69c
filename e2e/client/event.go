package client

import (
	"encoding/json"
	"time"
)

// An Event is an event of a room's timeline as the client sees it now.
type Event struct {
	ID       string
	RoomID   string
	Type     string // after decryption; "m.room.encrypted" if that failed
	Sender   string
	StateKey *string // nil unless it is a state event
	Sent     time.Time
	Content  json.RawMessage // as it was sent, decrypted; {} once redacted

	Encrypted       bool   // it was sent encrypted
	Pending         bool   // encrypted, and the client has not tried yet
	DecryptionError string // the SDK's code, if the client cannot read it
	Shield          *Shield

	Redacted  bool
	Was       json.RawMessage // what it said before that, if the client saw it; nobody else sees it any more
	Redacts   string          // of a redaction: the event that it removes
	RelatesTo Relation

	Edit      json.RawMessage // content of the latest edit that is not redacted, or nil
	Reactions []Reaction      // those that are not redacted
}

// A Relation ties an event to another one.
type Relation struct {
	Type    string `json:"rel_type"`
	EventID string `json:"event_id"`
	Key     string `json:"key"`
	ReplyTo struct {
		EventID string `json:"event_id"`
	} `json:"m.in_reply_to"`
}

// A Reaction is somebody's reaction to an event.
type Reaction struct {
	ID, Sender, Key string
}

// A Shield is the warning that a client shows beside an event.
type Shield struct {
	Colour string `json:"colour"` // NONE, GREY, RED
	Reason string `json:"reason"` // empty, UNSIGNED_DEVICE, SENT_IN_CLEAR, …
}

// Relations that the model knows.
const (
	relationEdit     = "m.replace"
	relationReaction = "m.annotation"
)

// wireEvent is an event as the driver tells it.
type wireEvent struct {
	RoomID          string          `json:"room_id"`
	EventID         string          `json:"event_id"`
	Type            string          `json:"type"`
	Sender          string          `json:"sender"`
	StateKey        *string         `json:"state_key"`
	OriginServerTS  int64           `json:"origin_server_ts"`
	Content         json.RawMessage `json:"content"`
	Encrypted       bool            `json:"encrypted"`
	Pending         bool            `json:"pending"`
	DecryptionError string          `json:"decryption_error"`
	Redacted        bool            `json:"redacted"`
	Redacts         string          `json:"redacts"`
	RelatesTo       Relation        `json:"relates_to"`
	Shield          *Shield         `json:"shield"`
}

func (w wireEvent) event() *Event {
	return &Event{
		ID: w.EventID, RoomID: w.RoomID, Type: w.Type, Sender: w.Sender, StateKey: w.StateKey,
		Sent: time.UnixMilli(w.OriginServerTS), Content: w.Content, Encrypted: w.Encrypted, Pending: w.Pending,
		DecryptionError: w.DecryptionError, Shield: w.Shield, Redacted: w.Redacted, Redacts: w.Redacts,
		RelatesTo: w.RelatesTo,
	}
}

// Latest is the content as a client shows it: that of the last edit, if there is one.
func (e Event) Latest() json.RawMessage {
	if e.Edit != nil {
		return e.Edit
	}
	return e.Content
}

// Map is the content as it was sent, decoded. It is never nil.
func (e Event) Map() map[string]any {
	m := map[string]any{}
	_ = json.Unmarshal(e.Content, &m) // what is no object has no fields
	return m
}

// Body is the text that a client shows.
func (e Event) Body() string { return e.text().Body }

// HTML is the formatted text that a client shows, if there is one.
func (e Event) HTML() string { return e.text().FormattedBody }

// MsgType is the kind of message, such as "m.text".
func (e Event) MsgType() string { return e.text().MsgType }

// IsMessage says whether a client shows it as a message of its own: it is not an edit of
// another one, and it is still there.
func (e Event) IsMessage() bool {
	return e.Type == "m.room.message" && !e.Redacted && e.RelatesTo.Type != relationEdit
}

type text struct {
	Body          string `json:"body"`
	FormattedBody string `json:"formatted_body"`
	MsgType       string `json:"msgtype"`
}

func (e Event) text() (t text) {
	_ = json.Unmarshal(e.Latest(), &t) // of other shapes there is no text
	return t
}

// newContent is what an edit puts in place of the original.
func (e Event) newContent() json.RawMessage {
	var content struct {
		New json.RawMessage `json:"m.new_content"`
	}
	_ = json.Unmarshal(e.Content, &content)
	return content.New
}
