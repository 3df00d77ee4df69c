package appservice

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
)

func message(body string) map[string]any { return map[string]any{"msgtype": "m.text", "body": body} }

func TestSendingTwiceLeavesOneEvent(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room, err := b.EnsureRoom(t.Context(), consulting(b, "spreek-1", anna.ID))
		require.NoError(t, err)
		anna.join(room)
		began := time.Now()
		first, err := b.Send(t.Context(), room, event.EventMessage, message("hello"), "sk-1")
		require.NoError(t, err)
		again, err := b.Send(t.Context(), room, event.EventMessage, message("hello"), "sk-1")
		require.NoError(t, err)
		assert.Equal(t, first, again)
		until(t, "the own echo", func() bool { return len(b.ledger(room)) > 0 })
		b.stop()

		b = w.connect() // the bridge was restarted
		again, err = b.Send(t.Context(), room, event.EventMessage, message("hello"), "sk-1")
		require.NoError(t, err)
		assert.Equal(t, first, again, "also after a restart of the bridge")

		require.NoError(t, w.Homeserver.Stop())
		require.NoError(t, w.Homeserver.Start(t.Context()))
		again, err = b.Resend(t.Context(), room, event.EventMessage, message("hello"), "sk-1", began)
		require.NoError(t, err)
		assert.Equal(t, first, again, "also after a restart of the homeserver, when the bot looks first")
		assert.Len(t, anna.timeline(room), 1)
		assert.Equal(t, "m.room.encrypted", anna.timeline(room)[0]["type"])

		plain, err := b.Read(t.Context(), room, first)
		require.NoError(t, err)
		assert.Equal(t, "hello", plain.Content.AsMessage().Body)
		assert.Equal(t, "sk-1", plain.Content.Raw[marker])
	})
}

func TestNothingGoesOutReadably(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		contact := anna.createRoom(b.UserID())
		require.NoError(t, b.Join(t.Context(), contact))

		_, err := b.Send(t.Context(), contact, event.EventMessage, message("secret"), "sk-1")
		assert.ErrorIs(t, err, ErrNotEncrypted, "a room that nobody said is a patient's own chat")
		assert.ErrorIs(t, err, ErrPermanent)
		require.NoError(t, b.store.SaveRoom(t.Context(), store.Room{ID: string(contact), Kind: store.RoomContact}))
		greeting, err := b.Send(t.Context(), contact, event.EventMessage, message("welcome"), "sk-2")
		require.NoError(t, err)
		assert.Equal(t, "welcome", anna.event(contact, greeting)["content"].(map[string]any)["body"])

		// The patient switches encryption on, and our own notes do not know it yet.
		b.stop()
		anna.must("PUT", anna.room(contact, "/state/m.room.encryption"), map[string]any{"algorithm": "m.megolm.v1.aes-sha2"})
		b = w.connect()
		sealed, err := b.Send(t.Context(), contact, event.EventMessage, message("secret"), "sk-3")
		require.NoError(t, err)
		assert.Equal(t, "m.room.encrypted", anna.event(contact, sealed)["type"])

		reaction := map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": greeting, "key": "1️⃣"}}
		key, err := b.Send(t.Context(), contact, event.EventReaction, reaction, "sk-4")
		require.NoError(t, err)
		assert.Equal(t, "m.reaction", anna.event(contact, key)["type"])
	})
}

func TestWhatNeverSucceedsSaysSo(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room, err := b.EnsureRoom(t.Context(), consulting(b, "spreek-1", anna.ID))
		require.NoError(t, err)
		for name, content := range map[string]any{"no object": "text", "nothing": nil, "not JSON": func() {}} {
			_, err := b.Send(t.Context(), room, event.EventMessage, content, "sk-"+name)
			assert.ErrorIs(t, err, ErrPermanent, name)
		}
		big := make([]byte, 70_000)
		for i := range big {
			big[i] = 'x'
		}
		_, err = b.Send(t.Context(), room, event.EventMessage, message(string(big)), "sk-big")
		t.Logf("%s: too large: %v", w.Kind, err)
		assert.ErrorIs(t, err, ErrTooLarge)
		require.NoError(t, b.Leave(t.Context(), room))
		_, err = b.Send(t.Context(), room, event.EventMessage, message("x"), "sk-left")
		t.Logf("%s: not in the room: %v", w.Kind, err)
		assert.ErrorIs(t, err, ErrForbidden)

		require.NoError(t, w.Homeserver.Stop())
		_, err = b.Send(t.Context(), room, event.EventMessage, message("x"), "sk-down")
		require.Error(t, err)
		assert.False(t, errors.Is(err, ErrPermanent), "a homeserver that is down is worth trying again: %v", err)
	})
}

func TestRoomsInParallel(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		done := make(chan error)
		const rooms, each = 3, 8
		for n := range rooms {
			room, err := b.EnsureRoom(t.Context(), consulting(b, fmt.Sprint("spreek-", n), anna.ID))
			require.NoError(t, err)
			anna.join(room)
			for i := range each {
				go func() {
					sent, err := b.Send(t.Context(), room, event.EventMessage, message("x"), fmt.Sprint("sk-", n, "-", i))
					for err == nil { // Dendrite shows an event a moment after it took it
						if _, err = b.Read(t.Context(), room, sent); !errors.Is(err, ErrNotFound) {
							break
						}
						err = nil
					}
					done <- err
				}()
			}
		}
		for range rooms * each {
			assert.NoError(t, <-done)
		}
	})
}
