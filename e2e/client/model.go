package client

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A Room is what a client knows about a room at one moment.
type Room struct {
	ID         string
	Membership string            // our own: join, invite, leave, ban, or empty
	Inviter    string            // who brought our membership about
	Members    map[string]string // membership by user id, as far as the client was told
	Timeline   []Event           // oldest first
	Receipts   map[string]string // by user id: the event up to which the user has read
	Typing     map[string]bool
}

// Event is the event of the timeline with this id.
func (r Room) Event(id string) (Event, bool) {
	return r.Find(func(e Event) bool { return e.ID == id })
}

// Find is the first event of the timeline for which ok is true.
func (r Room) Find(ok func(Event) bool) (Event, bool) {
	i := slices.IndexFunc(r.Timeline, ok)
	if i < 0 {
		return Event{}, false
	}
	return r.Timeline[i], true
}

// Messages are the messages that a client shows, oldest first.
func (r Room) Messages() []Event {
	return slices.DeleteFunc(slices.Clone(r.Timeline), func(e Event) bool { return !e.IsMessage() })
}

// Bodies are the texts of Messages.
func (r Room) Bodies() []string {
	var bodies []string
	for _, e := range r.Messages() {
		bodies = append(bodies, e.Body())
	}
	return bodies
}

// Text is the first message whose text, as it is shown now, contains a part.
func (r Room) Text(part string) (Event, bool) {
	return r.Find(func(e Event) bool { return e.IsMessage() && strings.Contains(e.Body(), part) })
}

// room is a room under the client's lock.
type room struct {
	Room
	events map[string]*Event
	order  []*Event
}

// Room is what the client knows about a room now. It is a copy, and empty for unknown rooms.
func (c *Client) Room(id string) Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[id]
	if r == nil {
		return Room{ID: id}
	}
	return r.copy()
}

// Rooms are all rooms that the client knows, in no particular order, also those it has left.
func (c *Client) Rooms() []Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rooms []Room
	for _, r := range c.rooms {
		rooms = append(rooms, r.copy())
	}
	return rooms
}

func (r *room) copy() Room {
	snapshot := r.Room
	snapshot.Members, snapshot.Receipts = maps.Clone(r.Members), maps.Clone(r.Receipts)
	snapshot.Typing = maps.Clone(r.Typing)
	snapshot.Timeline = make([]Event, len(r.order))
	for i, e := range r.order {
		snapshot.Timeline[i] = *e
		snapshot.Timeline[i].Reactions = slices.Clone(e.Reactions)
	}
	return snapshot
}

// see takes in what the driver tells about this client, and wakes who waits.
func (c *Client) see(push string, raw json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apply(push, raw)
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Client) apply(push string, raw json.RawMessage) {
	var p struct {
		wireEvent
		UserID      string `json:"user_id"`
		DeviceID    string `json:"device_id"`
		AccessToken string `json:"access_token"`
		Membership  string `json:"membership"`
		Typing      bool   `json:"typing"`
		State       string `json:"state"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return
	}
	switch push {
	case "login":
		c.UserID, c.DeviceID, c.AccessToken = p.UserID, p.DeviceID, p.AccessToken
	case "event":
		c.room(p.RoomID).put(p.event())
	case "membership":
		r := c.room(p.RoomID)
		r.Members[p.UserID] = p.Membership
		if p.UserID == c.UserID {
			r.Membership, r.Inviter = p.Membership, p.Sender
		}
	case "receipt":
		c.room(p.RoomID).Receipts[p.UserID] = p.EventID
	case "typing":
		c.room(p.RoomID).Typing[p.UserID] = p.Typing
	case "sync":
		c.sync = p.State
	}
}

func (c *Client) room(id string) *room {
	r := c.rooms[id]
	if r == nil {
		r = &room{Room: Room{ID: id, Members: map[string]string{}, Receipts: map[string]string{}, Typing: map[string]bool{}},
			events: map[string]*Event{}}
		c.rooms[id] = r
	}
	return r
}

// put takes in an event that is new, or known and changed.
func (r *room) put(e *Event) {
	old := r.events[e.ID]
	if old == nil {
		r.events[e.ID] = e
		r.order = append(r.order, e)
	} else {
		redacted, about := old.Redacted, old.RelatesTo
		if e.Redacted {
			old.redact()
			e.Was = old.Was
		}
		*old = *e
		e = old
		if e.RelatesTo.EventID == "" { // a removal takes it away, and what it was about must know
			e.RelatesTo = about
		}
		if redacted {
			e.redact()
		}
	}
	if target := r.events[e.Redacts]; target != nil && e.Type == "m.room.redaction" {
		target.redact()
		r.relate(target)
	}
	r.relate(e)
}

// redact leaves what the server keeps of a redacted event, and remembers what it said.
func (e *Event) redact() {
	if !e.Redacted {
		e.Was = e.Content
	}
	e.Redacted, e.Content, e.Pending, e.DecryptionError, e.Shield = true, json.RawMessage("{}"), false, "", nil
}

// relate works out again what edits and reactions make of an event, and of the one it is about.
func (r *room) relate(e *Event) {
	for _, target := range []*Event{e, r.events[e.RelatesTo.EventID]} {
		if target == nil {
			continue
		}
		target.Edit, target.Reactions = nil, nil
		for _, other := range r.order {
			target.relate(other)
		}
	}
}

func (e *Event) relate(other *Event) {
	if other.RelatesTo.EventID != e.ID || other.Redacted || e.Redacted {
		return
	}
	switch other.RelatesTo.Type {
	case relationEdit:
		if other.Sender == e.Sender && !other.Pending {
			e.Edit = other.newContent()
		}
	case relationReaction:
		e.Reactions = append(e.Reactions, Reaction{ID: other.ID, Sender: other.Sender, Key: other.RelatesTo.Key})
	}
}

// reorder puts the events in the order of the whole history; what came in later stays behind.
func (r *room) reorder(history []*Event) {
	place := map[string]int{}
	for i, e := range history {
		r.put(e)
		place[e.ID] = i
	}
	slices.SortStableFunc(r.order, func(a, b *Event) int {
		i, known := place[a.ID]
		j, alsoKnown := place[b.ID]
		switch {
		case known && alsoKnown:
			return i - j
		case known:
			return -1
		case alsoKnown:
			return 1
		}
		return 0
	})
}
