package appservice

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

const keyRoom = "!r:gp.example"

// A talker encrypts with one message key, which the bot got at noon.
type talker struct {
	*bot
	session olm.OutboundGroupSession
	n       int
}

// talks gives someone a message key; senderKey is that of their device.
func talks(t *testing.T, b *bot, senderKey id.SenderKey, got time.Time) *talker {
	t.Helper()
	session, err := olm.NewOutboundGroupSession()
	require.NoError(t, err)
	inbound, err := crypto.NewInboundGroupSession(senderKey, "signing", keyRoom, session.Key(), 0, 0, nil, false)
	require.NoError(t, err)
	inbound.ReceivedAt = got
	require.NoError(t, b.keys.PutGroupSession(t.Context(), inbound))
	return &talker{bot: b, session: session}
}

// say sends something, and returns the event as a homeserver, or whoever, keeps it.
func (a *talker) say(sender, text string) incoming {
	a.t.Helper()
	a.n++
	plain := fmt.Sprintf(`{"type":"m.room.message","room_id":%q,"content":{"msgtype":"m.text","body":%q}}`, keyRoom, text)
	ciphertext, err := a.session.Encrypt([]byte(plain))
	require.NoError(a.t, err)
	raw := fmt.Sprintf(`{"event_id":"$%s-%d","sender":%q,"type":"m.room.encrypted","origin_server_ts":%d,"content":{
		"algorithm":"m.megolm.v1.aes-sha2","ciphertext":%q,"session_id":%q,"device_id":"A","sender_key":"sender"}}`,
		text, a.n, sender, now.UnixMilli(), ciphertext, a.session.ID())
	e, fine := parse(json.RawMessage(raw), keyRoom)
	require.True(a.t, fine)
	require.NoError(a.t, a.keep(a.t.Context(), "next", []row{a.rowOf(a.t.Context(), e, false)}))
	return e
}

// gone: an event was redacted, read back, and its key is forgotten.
func (a *talker) gone(events ...incoming) {
	a.t.Helper()
	for _, e := range events {
		require.NoError(a.t, a.store.MarkVerified(a.t.Context(), string(e.ID), now))
	}
	keys, err := a.store.SpentKeys(a.t.Context(), now, 100)
	require.NoError(a.t, err)
	for _, k := range keys {
		require.NoError(a.t, a.ForgetKey(a.t.Context(), k))
		require.NoError(a.t, a.store.MarkForgotten(a.t.Context(), k))
	}
}

// opens tells whether who has the database and its key can read an event.
func (a *talker) opens(e incoming) bool {
	a.t.Helper()
	_, err := a.open(a.t.Context(), e)
	return err == nil
}

func TestAKeptMessageCannotBeReadOnceItsPeriodIsOver(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"": {ok(`{}`)}})
	a := talks(t, b, "anna's", now)
	first, second, third := a.say("@anna:gp.example", "een"), a.say("@anna:gp.example", "twee"), a.say("@anna:gp.example", "drie")
	for _, e := range []incoming{first, second, third} {
		require.True(t, a.opens(e))
	}
	a.gone(first)
	assert.False(t, a.opens(first))
	assert.True(t, a.opens(second), "what may still be read can be")
	a.gone(third) // taken back by its sender, before its time
	assert.True(t, a.opens(second))
	a.gone(second)
	for _, e := range []incoming{first, second, third} {
		assert.False(t, a.opens(e))
	}
	assert.True(t, a.opens(a.say("@anna:gp.example", "vier")), "and the key that is in use goes on")
	var left int
	require.NoError(t, b.store.DB().RawDB.QueryRow(`SELECT COUNT(*) FROM crypto_message_index WHERE "index" < 3`).Scan(&left))
	assert.Zero(t, left, "nor is it kept which messages were read")
}

func TestAKeyThatNobodyUsesAnyMoreGoes(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"": {ok(`{}`)}})
	a := talks(t, b, "anna's", now.Add(-longestUse-time.Hour))
	first, second := a.say("@anna:gp.example", "een"), a.say("@anna:gp.example", "twee")
	a.gone(first)
	require.True(t, a.opens(second), "as long as something is to be read it stays")
	a.gone(second)
	var keys int
	require.NoError(t, b.store.DB().RawDB.QueryRow(`SELECT COUNT(*) FROM crypto_megolm_inbound_session WHERE session IS NOT NULL`).Scan(&keys))
	assert.Zero(t, keys)
	a.gone(first, second) // again is no error
	require.NoError(t, b.ForgetKey(t.Context(), store.SpentKey{RoomID: keyRoom, Session: "unknown", Below: 7}))
}

func TestTheBotsOwnKeysGoToo(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"": {ok(`{}`)}})
	a := talks(t, b, b.machine.OwnIdentity().IdentityKey, now)
	said := a.say(string(b.user), "antwoord")
	require.True(t, a.opens(said))
	a.gone(said)
	assert.False(t, a.opens(said))
}

func TestNobodyCanUseUpSomeoneElsesKey(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"": {ok(`{}`)}})
	own := talks(t, b, b.machine.OwnIdentity().IdentityKey, now)
	said := own.say(string(b.user), "antwoord")
	for range 5 {
		_, err := own.session.Encrypt([]byte("later"))
		require.NoError(t, err)
	}
	claims := own.say("@anna:gp.example", "een bewering") // with the bot's session, and a high index
	own.gone(claims)
	assert.True(t, own.opens(said))
}

func TestWhatAnEventSaysOfItsKey(t *testing.T) {
	for content, want := range map[string]store.Event{
		`{"session_id":"s","ciphertext":"AwgqEgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ"}`: {Session: "s", Index: 42},
		`{"session_id":"s","ciphertext":"nonsense"}`:                                 {Session: "s", Index: -1},
		`{"session_id":7}`: {Index: -1},
	} {
		e, _ := parse(json.RawMessage(`{"event_id":"$1","sender":"@a:b","type":"m.room.encrypted","content":`+content+`}`), keyRoom)
		session, index := e.key()
		assert.Equal(t, want, store.Event{Session: session, Index: index}, content)
	}
}

func TestAKeyThatComesAfterThePeriodOpensNothing(t *testing.T) {
	b, _ := scriptedBot(t, map[string][]reply{"": {ok(`{}`)}})
	a := talks(t, b, "anna's", now)
	inbound, err := b.keys.GetGroupSession(t.Context(), keyRoom, a.session.ID())
	require.NoError(t, err)
	said := a.say("@anna:gp.example", "een")
	a.gone(said)
	require.False(t, a.opens(said))
	require.NoError(t, b.keys.PutGroupSession(t.Context(), inbound)) // given once more
	b.sessionReceived(t.Context(), keyRoom, a.session.ID(), 0)
	b.announceArrivals(t.Context())
	a.gone()
	assert.False(t, a.opens(said))
}
