package appservice

import (
	"container/list"
	"encoding/json"
	"sync"

	"maunium.net/go/mautrix/id"
)

// cacheBytes bounds the memory for events that have come in but may not be read yet. What does
// not fit is fetched from the homeserver when it is needed.
const cacheBytes = 32 << 20

// rawCache holds events as they came, encrypted ones still encrypted, so that a turn seldom has
// to ask the homeserver for what it just sent. The oldest go first.
type rawCache struct {
	mu    sync.Mutex
	limit int
	bytes int
	order *list.List // of rawEntry, oldest first
	byID  map[id.EventID]*list.Element
}

type rawEntry struct {
	id   id.EventID
	room id.RoomID
	raw  json.RawMessage
}

func newRawCache(limit int) *rawCache {
	return &rawCache{limit: limit, order: list.New(), byID: map[id.EventID]*list.Element{}}
}

// put remembers an event; a newer copy replaces an older one.
func (r *rawCache) put(event id.EventID, room id.RoomID, raw json.RawMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(event)
	if len(raw) > r.limit {
		return
	}
	r.byID[event] = r.order.PushBack(rawEntry{event, room, raw})
	r.bytes += len(raw)
	for r.bytes > r.limit {
		r.remove(r.order.Front().Value.(rawEntry).id)
	}
}

// get returns an event of a room. An event of another room is none: who may read one room
// learns nothing about another.
func (r *rawCache) get(room id.RoomID, event id.EventID) (json.RawMessage, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	element, ok := r.byID[event]
	if !ok || element.Value.(rawEntry).room != room {
		return nil, false
	}
	return element.Value.(rawEntry).raw, true
}

// forget drops an event, because it was redacted.
func (r *rawCache) forget(event id.EventID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(event)
}

func (r *rawCache) remove(event id.EventID) {
	if element, ok := r.byID[event]; ok {
		r.bytes -= len(r.order.Remove(element).(rawEntry).raw)
		delete(r.byID, event)
	}
}
