package appservice

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

// members are so many joined members of a room, as the state of a /sync answer.
func members(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"event_id":"$m%d","sender":"@u%d:crowd.example","type":"m.room.member","state_key":"@u%d:crowd.example",`+
			`"origin_server_ts":1700000000000,"content":{"membership":"join","displayname":"U %d"}}`, i, i, i, i))
	}
	return strings.Join(all, ",")
}

func TestARoomOfThousandsIsNotNotedAndHoldsUpNobody(t *testing.T) {
	answer := fmt.Sprintf(`{"next_batch":"n2","rooms":{"join":{
		"!crowd:crowd.example":{"state":{"events":[%s]},"timeline":{"events":[]}},
		"!r:gp.example":{"state":{"events":[%s]},"timeline":{"events":[%s]}}}}}`, members(5_000), members(3), messageJSON("$1"))
	b, s := scriptedBot(t, map[string][]reply{"/sync": {ok(answer)}, "/keys/upload": {ok(keysUploaded)}, "/keys/query": {ok(`{}`)}})
	require.NoError(t, b.keep(t.Context(), "n1", nil))

	require.NoError(t, b.syncOnce(t.Context(), 0))
	assert.Len(t, b.inbox("m.room.message"), 1, "others notice nothing")
	for room, want := range map[id.RoomID]int{"!crowd:crowd.example": 0, "!r:gp.example": 3} {
		known, err := b.rooms.GetRoomJoinedOrInvitedMembers(t.Context(), room)
		require.NoError(t, err)
		assert.Len(t, known, want)
	}
	assert.Zero(t, s.count("/keys/query"), "their devices are nobody's business")
	assert.LessOrEqual(t, b.raw.bytes, cacheBytes)
}

func TestHowManyAreInARoom(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"/joined_members": {ok(`{"joined":{"@a:b":{},"@c:d":{"display_name":"C"}}}`)}})
	n, err := b.Joined(t.Context(), "!r:gp.example")
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}
