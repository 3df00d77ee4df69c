package appservice

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func raws(events ...string) (all []json.RawMessage) {
	for _, e := range events {
		all = append(all, json.RawMessage(e))
	}
	return all
}

func TestOnlyPublicReceiptsAreTaken(t *testing.T) {
	got := readsIn("!r", raws(
		`{"type":"m.receipt","content":{
			"$a":{"m.read":{"@anna:x":{"ts":1,"thread_id":"main"},"@bert:x":{"ts":2}},"m.read.private":{"@cor:x":{"ts":3}}},
			"$b":{"m.read.private":{"@anna:x":{"ts":4}},"m.fully_read":{"@anna:x":{}}}}}`,
		`{"type":"m.typing","content":{"user_ids":["@anna:x"]}}`,
		`{"type":"m.receipt","content":{"$c":{"m.read":{"@anna:x":7}}}}`,
	))
	slices.SortFunc(got, func(a, b store.Read) int { return strings.Compare(a.Event+a.User, b.Event+b.User) })
	assert.Equal(t, []store.Read{
		{Room: "!r", User: "@anna:x", Event: "$a", Thread: "main"}, {Room: "!r", User: "@bert:x", Event: "$a"},
		{Room: "!r", User: "@anna:x", Event: "$c"},
	}, got)
}

func TestHostileReceiptsAndTypingAreLeftOut(t *testing.T) {
	many := `{"$0":{"m.read":{"@a:b":{}}}`
	for n := range mostReaders {
		many += fmt.Sprintf(`,"$%d":{"m.read":{"@a:b":{}}}`, n+1)
	}
	users := `"@a:b"`
	for n := range 5000 {
		users += fmt.Sprintf(`,"@a%d:b"`, n)
	}
	hostile := raws(
		`7`, `null`, `[]`, `{"type":7}`, `{"type":"m.receipt"}`, `{"type":"m.receipt","content":7}`, `{"type":"m.receipt","content":{"$a":7}}`,
		`{"type":"m.receipt","content":{"$a":{"m.read":[]}}}`, `{"type":"m.receipt","content":{"a":{"m.read":{"@a:b":{}}}}}`,
		`{"type":"m.receipt","content":{"$a":{"m.read":{"a":{}}}}}`, `{"type":"m.receipt","content":{"$`+strings.Repeat("a", 300)+`":{"m.read":{"@a:b":{}}}}}`,
		`{"type":"m.receipt","content":{"$a":{"m.read":{"@a:b":{"thread_id":"`+strings.Repeat("a", 300)+`"}}}}}`,
		`{"type":"m.receipt","content":`+many+`}}`, `{"type":"m.typing"}`, `{"type":"m.typing","content":{"user_ids":7}}`,
	)
	assert.Empty(t, readsIn("!r", hostile))
	assert.Empty(t, typingIn(hostile))
	assert.LessOrEqual(t, len(typingIn(raws(`{"type":"m.typing","content":{"user_ids":[`+users+`]}}`))), mostReaders)
	assert.Len(t, readsIn("!r", raws(`{"type":"m.receipt","content":{"$a":{"m.read":{`+strings.ReplaceAll(users, `",`, `":{},`)+`:{}}}}}`)), mostReaders)
}

func TestTypingIsToldAlsoWhenItEnds(t *testing.T) {
	assert.Nil(t, typingIn(raws(`{"type":"m.receipt","content":{}}`)))
	assert.Equal(t, []id.UserID{}, typingIn(raws(`{"type":"m.typing","content":{"user_ids":[]}}`)))
	assert.Equal(t, []id.UserID{"@b:x"}, typingIn(raws(`{"type":"m.typing","content":{"user_ids":["@a:x"]}}`, `{"type":"m.typing","content":{"user_ids":["@b:x"]}}`)))
}

func TestHistoryIsAskedForWithoutReceipts(t *testing.T) {
	assert.Contains(t, syncFilter(50, nil), `"ephemeral":{"types":["m.receipt","m.typing"]}`)
	assert.Contains(t, syncFilter(50, []id.RoomID{"!r"}), `"ephemeral":{"types":["none"]}`)
}

// A watcher sees the receipts of a room as a client does: it goes on where it was, because
// Synapse gives the same first answer for two minutes.
type watcher struct {
	*person
	since    string
	receipts []string
}

// sees takes in what is new and says whether a user's receipt is, or was, on an event.
func (w *watcher) sees(room id.RoomID, user id.UserID, read id.EventID) bool {
	w.t.Helper()
	path := "/_matrix/client/v3/sync?timeout=0"
	if w.since != "" {
		path += "&since=" + url.QueryEscape(w.since)
	}
	answer := w.must("GET", path, nil)
	data, err := json.Marshal(answer)
	require.NoError(w.t, err)
	var sync syncAnswer
	require.NoError(w.t, json.Unmarshal(data, &sync))
	w.since = sync.NextBatch
	for _, r := range readsIn(room, sync.Rooms.Join[room].Ephemeral.Events) {
		w.receipts = append(w.receipts, r.User+" "+r.Event)
	}
	return slices.Contains(w.receipts, string(user)+" "+string(read))
}

// whose is a room in which anna's reading counts.
func (b *bot) whose(room id.RoomID, anna *person) {
	b.t.Helper()
	require.NoError(b.t, b.store.SavePerson(b.t.Context(), care.Person{ID: "p", UserID: string(anna.ID), State: care.Active}))
	require.NoError(b.t, b.store.SaveRoom(b.t.Context(), store.Room{ID: string(room), Kind: store.RoomConsulting, Person: "p"}))
}

func TestReceiptsAndTypingGoBothWays(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect()
		var mu sync.Mutex
		var typed [][]id.UserID
		b.OnTyping(func(_ id.RoomID, users []id.UserID) { mu.Lock(); defer mu.Unlock(); typed = append(typed, users) })
		b.run()
		anna := w.person("anna")
		room := anna.createRoom(b.UserID())
		require.NoError(t, b.Join(t.Context(), room))
		require.NoError(t, b.store.SaveRoom(t.Context(), store.Room{ID: string(room), Kind: store.RoomContact}))
		asked := anna.say(room, "question")
		until(t, "the question", func() bool { return len(b.inbox("m.room.message")) == 1 })
		said, err := b.Send(t.Context(), room, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "answer"}, "t1")
		require.NoError(t, err)
		last := anna.say(room, "another question")
		until(t, "the second", func() bool { return len(b.inbox("m.room.message")) == 2 })
		watch := &watcher{person: anna}
		for _, event := range []id.EventID{asked, said, last} {
			assert.False(t, watch.sees(room, b.UserID(), event), "neither taking in nor sending is reading")
		}

		b.whose(room, anna)
		due := func() []store.Reading {
			all, err := b.store.DueReadings(t.Context(), time.Now(), 10)
			require.NoError(t, err)
			return all
		}
		anna.must("POST", anna.room(room, "/receipt/m.read.private/"+string(asked)), map[string]any{})
		anna.must("POST", anna.room(room, "/receipt/m.read/"+string(said)), map[string]any{"thread_id": "main"})
		until(t, "anna's receipt", func() bool { return len(due()) > 0 })
		assert.Equal(t, string(said), due()[0].Event)
		sent, err := b.SentAt(t.Context(), room, said)
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), sent, time.Minute)

		require.NoError(t, b.MarkRead(t.Context(), room, asked, "main"))
		until(t, "the bot's receipt", func() bool { return watch.sees(room, b.UserID(), asked) })
		require.NoError(t, b.MarkRead(t.Context(), room, last, ""))
		until(t, "the bot's second receipt", func() bool { return watch.sees(room, b.UserID(), last) })
		assert.NoError(t, b.MarkRead(t.Context(), room, last, ""), "again")

		path := anna.room(room, "/typing/"+string(anna.ID))
		anna.must("PUT", path, map[string]any{"typing": true, "timeout": 30000})
		until(t, "anna types", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(typed) > 0 && slices.Contains(typed[len(typed)-1], anna.ID)
		})
		require.NoError(t, b.Typing(t.Context(), room, true, time.Minute))
		anna.must("PUT", path, map[string]any{"typing": false})
		until(t, "anna has stopped and the bot types", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Equal(typed[len(typed)-1], []id.UserID{b.UserID()})
		})
		require.NoError(t, b.Typing(t.Context(), room, false, 0))
	})
}
