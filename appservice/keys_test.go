package appservice

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

func TestKeysAreNotAskedForTooOften(t *testing.T) {
	b, s := scriptedBot(t, map[string][]reply{"": {ok(`{}`)}})
	raw := `{"event_id":"$1","sender":"@anna:gp.example","type":"m.room.encrypted","content":{"algorithm":"m.megolm.v1.aes-sha2","session_id":"` +
		strings.Repeat("s", 43) + `","ciphertext":"` + strings.Repeat("A", 200) + `","device_id":"ANNA"}}`
	b.raw.put("$1", "!r:gp.example", json.RawMessage(raw))
	for range 5 {
		_, err := b.Read(t.Context(), "!r:gp.example", "$1")
		require.ErrorIs(t, err, ErrNoKey)
	}
	sent := 0
	for _, path := range s.asked {
		if strings.Contains(path, "/sendToDevice/m.room_key_request/") {
			sent++
		}
	}
	assert.Equal(t, 1, sent)
}

func TestWhatCanNeverBeRead(t *testing.T) {
	session := strings.Repeat("s", 43)
	for name, content := range map[string]string{
		"another algorithm":          `{"algorithm":"m.olm.v1","ciphertext":"x"}`,
		"ciphertext too short":       `{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"x","session_id":"` + session + `"}`,
		"no session":                 `{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"` + strings.Repeat("A", 200) + `"}`,
		"ciphertext of a wrong type": `{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := scriptedBot(t, map[string][]reply{"": {ok(`{}`)}})
			b.raw.put("$1", "!r:gp.example", json.RawMessage(`{"event_id":"$1","sender":"@anna:gp.example","type":"m.room.encrypted","content":`+content+`}`))
			_, err := b.Read(t.Context(), "!r:gp.example", "$1")
			assert.ErrorIs(t, err, ErrUndecryptable)
		})
	}
}

func TestKeyRequestsAreAnsweredAfterTheBatch(t *testing.T) {
	request := `{"type":"m.room_key_request","sender":"@anna:gp.example","content":{"action":"request","request_id":"1","requesting_device_id":"A",
		"body":{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!r:gp.example","session_id":"s"}}}`
	b, s := scriptedBot(t, map[string][]reply{
		"/sync": {ok(`{"next_batch":"n2","to_device":{"events":[` + request + `]}}`)}, "/keys/upload": {ok(keysUploaded)}, "/keys/query": {ok(`{}`)},
	})
	require.NoError(t, b.keep(t.Context(), "n1", nil))
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, b.syncOnce(ctx, 0))
	cancel()
	until(t, "the look-up of who asks", func() bool { return s.count("/keys/query") == 1 })
}

func TestOneTimeKeysAreReplenished(t *testing.T) {
	for _, tt := range []struct {
		name, count string
		onServer    int
		uploads     int // requests that ask or upload
	}{
		{"enough", `,"device_one_time_keys_count":{"signed_curve25519":50}`, 50, 0},
		{"few", `,"device_one_time_keys_count":{"signed_curve25519":3}`, 3, 1},
		{"none, as Dendrite says it", ``, 0, 2},
		{"not said, but there", ``, 50, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			uploaded := fmt.Sprintf(`{"one_time_key_counts":{"signed_curve25519":%d}}`, tt.onServer)
			b, s := scriptedBot(t, map[string][]reply{"/sync": {ok(`{"next_batch":"n2"` + tt.count + `}`)}, "/keys/upload": {ok(uploaded)}})
			b.machine.GetAccount().Shared = true
			require.NoError(t, b.syncOnce(t.Context(), 0))
			assert.Equal(t, tt.uploads, s.count("/keys/upload"))
		})
	}
}

func TestAFailedLookUpOfDevicesIsMadeUpFor(t *testing.T) {
	changed := `{"next_batch":"n2","device_lists":{"changed":["@anna:gp.example","@stranger:gp.example"]},"device_one_time_keys_count":{"signed_curve25519":50}}`
	b, s := scriptedBot(t, map[string][]reply{"/sync": {ok(changed)}, "/keys/query": {{502, ""}, {502, ""}, ok(`{"device_keys":{"@anna:gp.example":{}}}`)}})
	require.NoError(t, b.keys.PutDevices(t.Context(), "@anna:gp.example", nil)) // someone whose devices matter to us
	require.NoError(t, b.syncOnce(t.Context(), 0), "the batch does not wait for it")
	assert.Equal(t, 1, s.count("/keys/query"))

	members := []id.UserID{"@anna:gp.example", "@ben:gp.example"}
	assert.Error(t, b.freshDevices(t.Context(), members), "no key is given out on an old list")
	require.NoError(t, b.freshDevices(t.Context(), members))
	require.NoError(t, b.freshDevices(t.Context(), members))
	assert.Equal(t, 3, s.count("/keys/query"), "and then it is known again")
}

// The library looks up a device list without a lock on what it knows of itself (found by the race
// detector on Dendrite, which tells the bot that its own list changed).
func TestWhatChangesAboutTheBotItselfIsNotLookedUpWhileItRuns(t *testing.T) {
	request := `{"type":"m.room_key_request","sender":"@bot:gp.example","content":{"action":"request","requesting_device_id":"OTHER","request_id":"1",
		"body":{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!a:gp.example","session_id":"s","sender_key":"k"}}}`
	changed := `{"next_batch":"n2","to_device":{"events":[` + request + `]},"device_lists":{"changed":["@bot:gp.example"]},"device_one_time_keys_count":{"signed_curve25519":50}}`
	b, s := scriptedBot(t, map[string][]reply{"/sync": {ok(changed)}, "/keys/query": {ok(`{"device_keys":{"@bot:gp.example":{}}}`)}})
	require.NoError(t, b.keys.PutDevices(t.Context(), b.user, nil))
	require.NoError(t, b.syncOnce(t.Context(), 0))
	require.NoError(t, b.keys.MarkTrackedUsersOutdated(t.Context(), []id.UserID{b.user})) // by an earlier version
	require.NoError(t, b.freshDevices(t.Context(), []id.UserID{b.user, "@anna:gp.example"}))
	assert.Zero(t, s.count("/keys/query"))
}

func TestArrivedKeysAreAnnouncedOncePerRoom(t *testing.T) {
	b, _ := scriptedBot(t, nil)
	b.announceArrivals(t.Context())
	b.sessionReceived(t.Context(), "!a", "s1", 0)
	b.announceArrivals(t.Context()) // nobody listens yet
	var got []id.RoomID
	b.OnRoomKey(func(room id.RoomID) { got = append(got, room) })
	for _, session := range []id.SessionID{"s1", "s2"} {
		b.sessionReceived(t.Context(), "!a", session, 0)
	}
	b.announceArrivals(t.Context())
	b.announceArrivals(t.Context())
	assert.Equal(t, []id.RoomID{"!a"}, got)
}

// master is an answer about the devices of Anna, with her master key.
func master(key string) reply {
	return ok(`{"device_keys":{"@anna:gp.example":{}},"master_keys":{"@anna:gp.example":
		{"user_id":"@anna:gp.example","usage":["master"],"keys":{"ed25519:` + key + `":"` + key + `"}}}}`)
}

func TestAnotherMasterKeyIsHandedOnBeforeItsBatchIsKept(t *testing.T) {
	changed := ok(`{"next_batch":"n2","device_lists":{"changed":["@anna:gp.example","@stranger:gp.example"]},"device_one_time_keys_count":{"signed_curve25519":50}}`)
	b, _ := scriptedBot(t, map[string][]reply{"/sync": {changed}, "/keys/query": {master("one"), master("one"), master("two")}})
	require.NoError(t, b.keys.PutDevices(t.Context(), "@anna:gp.example", nil)) // someone whose devices matter to us
	var heard []string
	answer := error(nil)
	b.OnIdentity(func(_ context.Context, user id.UserID, key string) error {
		heard = append(heard, string(user)+" "+key)
		return answer
	})
	for range 2 {
		require.NoError(t, b.syncOnce(t.Context(), 0))
	}
	assert.Empty(t, heard, "the first one is trusted")
	answer = assert.AnError
	require.Error(t, b.syncOnce(t.Context(), 0), "the batch has to come again")
	answer = nil
	require.NoError(t, b.syncOnce(t.Context(), 0))
	assert.Equal(t, []string{"@anna:gp.example two", "@anna:gp.example two"}, heard)
	key, first, err := b.MasterKey(t.Context(), "@anna:gp.example")
	require.NoError(t, err)
	assert.Equal(t, []id.Ed25519{"two", "one"}, []id.Ed25519{key, first})
	key, first, err = b.MasterKey(t.Context(), "@nobody:gp.example")
	require.NoError(t, err)
	assert.Empty(t, key+first)
}

func TestNoKeyGoesToAnIdentityThatHasChangedSinceItWasDecided(t *testing.T) {
	members := []id.UserID{"@anna:gp.example"}
	b, s := scriptedBot(t, map[string][]reply{"/keys/query": {master("one"), master("two"), master("two")}})
	require.NoError(t, b.keys.PutDevices(t.Context(), members[0], nil))
	outdated := func() { require.NoError(t, b.keys.MarkTrackedUsersOutdated(t.Context(), members)) }
	outdated()
	require.NoError(t, b.freshDevices(t.Context(), members), "the first one is no change")
	outdated()
	assert.ErrorIs(t, b.freshDevices(t.Context(), members), errNewIdentity)
	require.NoError(t, b.freshDevices(t.Context(), members), "who decides anew knows of it")
	outdated()
	require.NoError(t, b.freshDevices(t.Context(), members))
	assert.Equal(t, 3, s.count("/keys/query"))
}
