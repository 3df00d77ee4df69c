package appservice

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/id"
)

func TestRawCache(t *testing.T) {
	r := newRawCache(30)
	r.put("$1", "!a", json.RawMessage("0123456789"))
	r.put("$2", "!a", json.RawMessage("0123456789"))
	r.put("$3", "!a", json.RawMessage("0123456789"))
	r.put("$2", "!a", json.RawMessage("newer"))
	r.put("$4", "!a", json.RawMessage("0123456789")) // pushes out $1, the oldest
	r.put("$5", "!a", json.RawMessage(strings.Repeat("x", 31)))

	got := func(room id.RoomID, event id.EventID) string {
		raw, _ := r.get(room, event)
		return string(raw)
	}
	assert.Equal(t, "", got("!a", "$1"), "the oldest goes first")
	assert.Equal(t, "newer", got("!a", "$2"), "a newer copy replaces an older one")
	assert.Equal(t, "", got("!b", "$3"), "an event of another room is none")
	assert.Equal(t, "0123456789", got("!a", "$4"))
	assert.Equal(t, "", got("!a", "$5"), "what does not fit is not kept")
	r.forget("$4")
	assert.Equal(t, "", got("!a", "$4"), "what was redacted is forgotten")
	assert.Equal(t, 15, r.bytes)
}

func TestRawCacheIsBoundedUnderLoad(t *testing.T) {
	r := newRawCache(1000)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 500 {
				event := id.EventID(fmt.Sprint("$", n, "-", i))
				r.put(event, "!a", make(json.RawMessage, 10+i%50))
				r.get("!a", event)
				r.forget(id.EventID(fmt.Sprint("$", n, "-", i-3)))
			}
		})
	}
	wg.Wait()
	total := 0
	for e := r.order.Front(); e != nil; e = e.Next() {
		total += len(e.Value.(rawEntry).raw)
	}
	assert.LessOrEqual(t, total, 1000)
	assert.Equal(t, total, r.bytes)
	assert.Len(t, r.byID, r.order.Len())
}
