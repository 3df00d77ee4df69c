package appservice

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func number(n int) *int { return &n }

// consulting is a room like those where patients and the bot talk.
func consulting(b *bot, alias string, patient id.UserID) RoomSpec {
	return RoomSpec{
		Alias: alias, Name: "Spreekkamer", Encrypted: true, Invite: []id.UserID{patient}, Retention: time.Hour,
		Servers: []string{b.opts.Domain},
		PowerLevels: &event.PowerLevelsEventContent{
			Users:     map[id.UserID]int{b.UserID(): 100},
			Events:    map[string]int{"m.room.message": 0, "m.room.encrypted": 0, "m.reaction": 0, "m.room.redaction": 0},
			InvitePtr: number(100), StateDefaultPtr: number(100), RedactPtr: number(50), KickPtr: number(100), BanPtr: number(100),
		},
	}
}

func TestEnsureRoomMakesOneRoomAndMendsIt(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna, ben := w.person("anna"), w.person("ben")
		spec := consulting(b, "spreek-1", anna.ID)
		room, err := b.EnsureRoom(t.Context(), spec)
		require.NoError(t, err)
		anna.join(room)

		until(t, "her coming in to be seen everywhere", func() bool {
			return slices.ContainsFunc(everything(t, b, room), func(e incoming) bool { return e.membershipOf(anna.ID) == "join" })
		})
		before := len(everything(t, b, room))
		again, err := b.EnsureRoom(t.Context(), spec)
		require.NoError(t, err)
		assert.Equal(t, room, again)
		assert.Len(t, everything(t, b, room), before, "nothing to mend, nothing sent")

		spec.PowerLevels = spec.PowerLevels.Clone()
		spec.PowerLevels.Events["m.room.encrypted"] = 50
		spec.PowerLevels.Events["m.room.message"] = 50
		spec.Name, spec.Invite = "Spreekkamer 2", []id.UserID{anna.ID, ben.ID}
		_, err = b.EnsureRoom(t.Context(), spec)
		require.NoError(t, err)

		state, err := b.state(t.Context(), room)
		require.NoError(t, err)
		for _, want := range spec.state(b.opts.Domain) {
			is := state[stateKey{want.kind.Type, want.key}]
			assert.True(t, want.met(is.Content) || want.blank(), "%s is %s", want.kind.Type, is.Content)
		}
		create := state[stateKey{"m.room.create", ""}]
		assert.Equal(t, "10", text(inside(create.Content, "room_version")))
		assert.Equal(t, "false", string(inside(create.Content, "m.federate")))
		assert.Equal(t, "join", membership(state, anna.ID))
		assert.Equal(t, "invite", membership(state, ben.ID))

		status, _ := anna.ask("PUT", anna.room(room, "/send/m.room.message/muted"), map[string]any{"msgtype": "m.text", "body": "x"})
		assert.Equal(t, http.StatusForbidden, status, "the gate is closed")
	})
}

// everything returns all events of a room.
func everything(t *testing.T, b *bot, room id.RoomID) []incoming {
	t.Helper()
	page, err := b.page(t.Context(), room, "", "")
	require.NoError(t, err)
	return b.parseAll(room, page.Chunk)
}

func TestASpaceWithRestrictedRooms(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		fatima := w.person("fatima")
		levels := consulting(b, "", "").PowerLevels
		space, err := b.EnsureRoom(t.Context(), RoomSpec{
			Alias: "spreek-space", Name: "Praktijk", RoomType: event.RoomTypeSpace, PowerLevels: levels, Invite: []id.UserID{fatima.ID},
		})
		require.NoError(t, err)
		balie := RoomSpec{Alias: "spreek-balie", Name: "Balie", Encrypted: true, PowerLevels: levels, Space: space, Restricted: true}
		room, err := b.EnsureRoom(t.Context(), balie)
		require.NoError(t, err)
		fatima.join(space)
		fatima.join(room) // as a member of the space, without an invite

		state, err := b.state(t.Context(), space)
		require.NoError(t, err)
		assert.Equal(t, "m.space", text(inside(state[stateKey{"m.room.create", ""}].Content, "type")))
		assert.NotEmpty(t, state[stateKey{"m.space.child", string(room)}].ID)
		before := len(everything(t, b, space)) + len(everything(t, b, room))
		_, err = b.EnsureRoom(t.Context(), balie)
		require.NoError(t, err)
		assert.Equal(t, before, len(everything(t, b, space))+len(everything(t, b, room)), "a second time changes nothing")

		members, err := b.Members(t.Context(), room)
		require.NoError(t, err)
		assert.Equal(t, Member{event.MembershipJoin, "fatima"}, members[fatima.ID])
		require.NoError(t, b.Kick(t.Context(), room, fatima.ID, ""))
		require.NoError(t, b.Kick(t.Context(), room, fatima.ID, ""), "who is not there is no error")
		require.NoError(t, b.Invite(t.Context(), room, fatima.ID))
		require.NoError(t, b.Invite(t.Context(), room, fatima.ID), "who is invited is no error")
	})
}

func TestARoomOfSomeoneElseIsNotTaken(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect()
		_, err := b.EnsureRoom(t.Context(), RoomSpec{Alias: "spreek-x"})
		assert.ErrorIs(t, err, ErrPermanent, "power levels are needed")
		mallory := w.person("mallory")
		status, _ := mallory.ask("POST", "/_matrix/client/v3/createRoom", map[string]any{"room_alias_name": "spreek-2", "preset": "public_chat"})
		t.Logf("%s: someone else takes an alias of ours: status %d", w.Kind, status)
		spec := consulting(b, "spreek-2", mallory.ID)
		spec.Invite = nil
		room, err := b.EnsureRoom(t.Context(), spec)
		if status == http.StatusOK {
			assert.Error(t, err, "not made by the bot")
		} else {
			require.NoError(t, err)
			assert.NotEmpty(t, room)
		}
	})
}

func TestOneRefusedInviteDoesNotCostTheRoom(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect()
		spec := consulting(b, "spreek-3", id.NewUserID("nobody", "no.such.server.example"))
		room, err := b.EnsureRoom(t.Context(), spec)
		t.Logf("%s: %v", w.Kind, err)
		assert.NotEmpty(t, room)
	})
}

func TestPowerLevelsAreComparedByMeaning(t *testing.T) {
	want := wanted{event.StatePowerLevels, "", levels(&event.PowerLevelsEventContent{
		Users: map[id.UserID]int{"@bot:x": 100}, Events: map[string]int{"m.room.encrypted": 50}, InvitePtr: number(100),
	})}
	for _, tt := range []struct {
		name, is string
		met      bool
	}{
		{"spelled out", `{"users":{"@bot:x":100},"users_default":0,"events":{"m.room.encrypted":50},"events_default":0,"state_default":50,"ban":50,"kick":50,"redact":50,"invite":100}`, true},
		{"defaults left out", `{"users":{"@bot:x":100},"events":{"m.room.encrypted":50},"invite":100}`, true},
		{"a level of the homeserver's own", `{"users":{"@bot:x":100},"events":{"m.room.encrypted":50},"invite":100,"historical":100}`, true},
		{"someone else has power", `{"users":{"@bot:x":100,"@anna:x":50},"events":{"m.room.encrypted":50},"invite":100}`, false},
		{"an event nobody wanted listed", `{"users":{"@bot:x":100},"events":{"m.room.encrypted":50,"m.room.name":0},"invite":100}`, false},
		{"everyone may invite", `{"users":{"@bot:x":100},"events":{"m.room.encrypted":50}}`, false},
		{"everyone may remove people", `{"users":{"@bot:x":100},"events":{"m.room.encrypted":50},"invite":100,"kick":0}`, false},
		{"not there", ``, false},
		{"nonsense", `{"users":"all"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.met, want.met(json.RawMessage(tt.is))) })
	}
}

func TestRoomSpecAsState(t *testing.T) {
	spec := RoomSpec{
		Name: "Balie", PowerLevels: &event.PowerLevelsEventContent{}, Encrypted: true, Servers: []string{"gp.example:8448"},
		Space: "!space:gp.example", Restricted: true, HistoryVisibility: event.HistoryVisibilityShared,
	}
	got := map[string]string{}
	for _, w := range spec.state("gp.example:8448") {
		got[w.kind.Type+"|"+w.key] = string(marshal(w.content))
	}
	for key, want := range map[string]string{
		"m.room.join_rules|":               `{"join_rule":"restricted","allow":[{"type":"m.room_membership","room_id":"!space:gp.example"}]}`,
		"m.room.history_visibility|":       `{"history_visibility":"shared"}`,
		"m.room.guest_access|":             `{"guest_access":"forbidden"}`,
		"m.room.name|":                     `{"name":"Balie"}`,
		"m.room.encryption|":               `{"algorithm":"m.megolm.v1.aes-sha2"}`,
		"m.room.server_acl|":               `{"allow":["gp.example:8448","gp.example"],"deny":[],"allow_ip_literals":true}`,
		"m.space.parent|!space:gp.example": `{"via":["gp.example:8448"],"canonical":true}`,
	} {
		assert.JSONEq(t, want, got[key], key)
	}
	assert.Equal(t, []string{"a.example", "[::1]:8448", "[::1]"}, admitted([]string{"a.example", "[::1]:8448", "a.example"}))
	plain := RoomSpec{PowerLevels: &event.PowerLevelsEventContent{}}
	initial, err := plain.initial("gp.example")
	require.NoError(t, err)
	for _, evt := range initial {
		assert.NotNil(t, evt.Content.Parsed, "%s: only parsed events are noted", evt.Type.Type)
		assert.NotContains(t, []string{"m.room.name", "m.room.topic", "m.room.encryption", "m.room.server_acl"}, evt.Type.Type)
	}
	assert.Equal(t, id.RoomVersion("10"), plain.version(), "given explicitly")
	assert.Equal(t, map[string]any{"m.federate": false}, plain.creation())
	assert.Equal(t, id.RoomVersion("11"), RoomSpec{RoomVersion: "11"}.version())
}
