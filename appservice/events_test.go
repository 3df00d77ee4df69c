package appservice

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
	"pgregory.net/rapid"
)

const botID = id.UserID("@bot:gp.example")

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func sample(fields string) json.RawMessage {
	return json.RawMessage(`{"event_id":"$1","room_id":"!r:gp.example","sender":"@anna:gp.example",` +
		`"origin_server_ts":1700000000000,` + fields + `}`)
}

func TestWhatIsKeptOfAnEvent(t *testing.T) {
	for _, tt := range []struct {
		name, fields         string
		hasContent, forInbox bool
		target, sender       string
	}{
		{"a message", `"type":"m.room.message","content":{"body":"x"}`, true, true, "", ""},
		{"an encrypted message", `"type":"m.room.encrypted","content":{"algorithm":"a","ciphertext":"x"}`, true, true, "", ""},
		{"a type nobody knows", `"type":"org.example.new","content":{"a":1}`, true, true, "", ""},
		{"a sticker", `"type":"m.sticker","content":{"body":"x"}`, true, true, "", ""},
		{"removed before it came", `"type":"m.room.encrypted","content":{}`, false, true, "", ""},
		{"encrypted without algorithm", `"type":"m.room.encrypted","content":{"m.relates_to":{}}`, false, true, "", ""},
		{"marked as removed", `"type":"m.room.message","content":{"body":"x"},"unsigned":{"redacted_because":{"type":"m.room.redaction"}}`, false, true, "", ""},
		{"a reaction", `"type":"m.reaction","content":{"m.relates_to":{"rel_type":"m.annotation","event_id":"$2","key":"1"}}`, true, true, "$2", ""},
		{"an edit", `"type":"m.room.encrypted","content":{"algorithm":"a","m.relates_to":{"rel_type":"m.replace","event_id":"$2"}}`, true, true, "$2", ""},
		{"a thread is no target", `"type":"m.room.message","content":{"body":"x","m.relates_to":{"rel_type":"m.thread","event_id":"$2"}}`, true, true, "", ""},
		{"a redaction", `"type":"m.room.redaction","redacts":"$2","content":{}`, false, true, "$2", ""},
		{"a redaction as in version 11", `"type":"m.room.redaction","content":{"redacts":"$2"}`, false, true, "$2", ""},
		{"a redaction with words", `"type":"m.room.redaction","redacts":"$2","content":{"reason":"secret"}`, true, true, "$2", ""},
		{"someone joins", `"type":"m.room.member","state_key":"@anna:gp.example","content":{"membership":"join"}`, false, true, "", ""},
		{"someone joins with a name", `"type":"m.room.member","state_key":"@anna:gp.example","content":{"membership":"join","displayname":"Anna"}`, true, true, "", ""},
		{"someone leaves with a reason", `"type":"m.room.member","state_key":"@anna:gp.example","content":{"membership":"leave","reason":"x"}`, true, true, "", ""},
		{"an invite to the bot", `"type":"m.room.member","state_key":"@bot:gp.example","content":{"membership":"invite"}`, false, false, "", ""},
		{"a room name", `"type":"m.room.name","state_key":"","content":{"name":"x"}`, false, false, "", ""},
		{"the bot's own message", `"type":"m.room.message","content":{"body":"x"}`, true, false, "", string(botID)},
		{"a state key of a wrong type is still state", `"type":"m.room.topic","state_key":5,"content":{"topic":"x"}`, false, false, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, ok := parse(sample(tt.fields), "")
			require.True(t, ok)
			if tt.sender != "" {
				e.Sender = id.UserID(tt.sender)
			}
			row := e.row(botID, now)
			assert.Equal(t, tt.hasContent, row.HasContent, "has content")
			assert.Equal(t, tt.forInbox, row.ForInbox, "for the inbox")
			assert.Equal(t, tt.target, row.Target, "target")
		})
	}
}

func TestHostileEvents(t *testing.T) {
	deep := strings.Repeat(`{"m.relates_to":`, 5_000) + "1" + strings.Repeat("}", 5_000)
	for _, tt := range []struct {
		name, raw string
		kept      bool
	}{
		{"nothing", ``, false},
		{"null", `null`, false},
		{"a list", `[1]`, false},
		{"no event ID", `{"type":"m.room.message","room_id":"!r","sender":"@a:b"}`, false},
		{"an event ID of a wrong type", `{"event_id":7,"type":"m.room.message","room_id":"!r","sender":"@a:b"}`, false},
		{"an endless event ID", `{"event_id":"$` + strings.Repeat("x", 300) + `","type":"t","room_id":"!r","sender":"@a:b"}`, false},
		{"a sender that is no user", `{"event_id":"$1","type":"t","room_id":"!r","sender":"anna"}`, false},
		{"a room that is none", `{"event_id":"$1","type":"t","room_id":"#r:b","sender":"@a:b"}`, false},
		{"no type", `{"event_id":"$1","room_id":"!r","sender":"@a:b"}`, false},
		{"content that is text", string(sample(`"type":"m.room.message","content":"x"`)), true},
		{"no content", string(sample(`"type":"m.room.message"`)), true},
		{"content null", string(sample(`"type":"m.room.encrypted","content":null`)), true},
		{"unsigned is a list", string(sample(`"type":"m.room.message","content":{"body":1},"unsigned":[]`)), true},
		{"relation is a number", string(sample(`"type":"m.reaction","content":{"m.relates_to":7}`)), true},
		{"relation points at an object", string(sample(`"type":"m.reaction","content":{"m.relates_to":{"rel_type":"m.annotation","event_id":{}}}`)), true},
		{"nested without end", string(sample(`"type":"m.room.message","content":` + deep)), true},
		{"member content of wrong types", string(sample(`"type":"m.room.member","state_key":"x","content":{"membership":7,"displayname":{}}`)), true},
		{"redacts is a list", string(sample(`"type":"m.room.redaction","redacts":["$2"]`)), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, ok := parse(json.RawMessage(tt.raw), "")
			assert.Equal(t, tt.kept, ok)
			e.row(botID, now)
			e.mautrixEvent()
		})
	}
}

func TestClaimedTimes(t *testing.T) {
	for _, tt := range []struct {
		claimed string
		want    time.Time
	}{
		{"1700000000000", time.UnixMilli(1700000000000).UTC()},
		{"99999999999999", now},
		{"1e300", now},
		{"-5", now},
		{"0", now},
		{`"soon"`, now},
		{"null", now},
		{"1700000000000.9", time.UnixMilli(1700000000000).UTC()},
	} {
		t.Run(tt.claimed, func(t *testing.T) {
			raw := `{"event_id":"$1","room_id":"!r","sender":"@a:b","type":"t","origin_server_ts":` + tt.claimed + `}`
			e, ok := parse(json.RawMessage(raw), "")
			require.True(t, ok)
			assert.Equal(t, tt.want, e.at(now))
		})
	}
}

func TestParseNeverPanics(t *testing.T) {
	names := []string{"event_id", "room_id", "sender", "type", "state_key", "content", "unsigned", "redacts", "origin_server_ts", "m.relates_to", "rel_type"}
	values := rapid.SampledFrom([]string{`null`, `7`, `-1e400`, `"$x"`, `"!r:s"`, `"@u:s"`, `"m.room.member"`, `"m.room.encrypted"`, `{}`, `[]`, `{"membership":"invite","algorithm":3}`, `{"a":{"b":[{}]}}`})
	rapid.Check(t, func(t *rapid.T) {
		fields := make([]string, 0, len(names))
		for _, name := range names {
			fields = append(fields, `"`+name+`":`+values.Draw(t, name))
		}
		e, _ := parse(json.RawMessage("{"+strings.Join(fields, ",")+"}"), "")
		e.row(botID, now)
		e.mautrixEvent()
	})
}

func TestEventsOfSeveralRoomsAreMergedByTime(t *testing.T) {
	at := func(room, event string, ms int64) incoming {
		return incoming{Room: id.RoomID(room), ID: id.EventID(event), OriginAt: ms}
	}
	got := merged([][]incoming{
		{at("!b", "$b1", 20), at("!b", "$b2", 10)}, // the room's own order holds, whatever the clocks say
		{at("!a", "$a1", 15), at("!a", "$a2", 30)},
		nil,
	})
	var ids []string
	for _, e := range got {
		ids = append(ids, string(e.ID))
	}
	assert.Equal(t, []string{"$a1", "$b1", "$b2", "$a2"}, ids)
}

func TestServerNamesMayHoldAPort(t *testing.T) {
	assert.Equal(t, "localhost:8448", serverOf("@anna:localhost:8448"))
	assert.Equal(t, "", serverOf("@anna"))
}
