package appservice

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// patient is someone with a client of another make, end-to-end encrypted and cross-signed.
func (w *world) patient(driver *client.Driver, localpart string) *client.Client {
	w.t.Helper()
	_, err := w.CreateUser(w.t.Context(), localpart, "secret-"+localpart, false)
	require.NoError(w.t, err)
	p, err := driver.Login(w.t.Context(), w.URL, localpart, "secret-"+localpart)
	require.NoError(w.t, err)
	return p
}

func startDriver(t *testing.T) *client.Driver {
	t.Helper()
	driver, err := client.StartDriver(t.Context(), filepath.Join(t.TempDir(), "driver.log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = driver.Stop() })
	return driver
}

// meet makes a consulting room with a patient in it.
func meet(t *testing.T, b *bot, p *client.Client) id.RoomID {
	t.Helper()
	room, err := b.EnsureRoom(t.Context(), consulting(b, "spreek-1", id.UserID(p.UserID)))
	require.NoError(t, err)
	require.NoError(t, p.Join(t.Context(), string(room)))
	return room
}

// read reads an event whose key may be on its way: on Dendrite it can come one answer of /sync
// after the message.
func (b *bot) read(room id.RoomID, sent id.EventID) *event.Event {
	b.t.Helper()
	var got *event.Event
	until(b.t, "the key", func() bool {
		var err error
		if got, err = b.Read(b.t.Context(), room, sent); err != nil {
			require.ErrorIs(b.t, err, ErrNoKey)
		}
		return err == nil
	})
	return got
}

func TestEncryptedBothWays(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.patient(startDriver(t), "anna")
		room := meet(t, b, anna)
		sent, err := anna.SendText(t.Context(), string(room), "hallo dokter")
		require.NoError(t, err)
		until(t, "her message", func() bool { return len(b.inbox("m.room.encrypted")) == 1 })
		got := b.read(room, id.EventID(sent))
		assert.Equal(t, "hallo dokter", got.Content.AsMessage().Body)
		assert.Equal(t, id.TrustStateCrossSignedTOFU, got.Mautrix.TrustState)

		answer, err := b.Send(t.Context(), room, event.EventMessage, message("dag Anna"), "sk-1")
		require.NoError(t, err)
		_, err = anna.WaitText(t.Context(), string(room), "dag Anna")
		require.NoError(t, err)
		shield, err := anna.EncryptionInfo(t.Context(), string(room), string(answer))
		require.NoError(t, err)
		t.Logf("%s: what her client shows of the bot's message: %+v", w.Kind, shield)
		assert.True(t, shield.Encrypted)
		assert.Equal(t, "NONE", shield.Colour, "no warning")

		b.raw.forget(id.EventID(sent)) // from the homeserver, and with a key from the database
		b.stop()
		b = w.connect()
		got, err = b.Read(t.Context(), room, id.EventID(sent))
		require.NoError(t, err)
		assert.Equal(t, "hallo dokter", got.Content.AsMessage().Body)
	})
}

func TestEncryptedMessagesAfterAnOutage(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.patient(startDriver(t), "anna")
		room := meet(t, b, anna)
		b.stop()
		const count = 80
		for i := range count {
			_, err := anna.SendText(t.Context(), string(room), fmt.Sprint("bericht ", i))
			require.NoError(t, err)
		}
		b = w.connect().run()
		rows := b.inbox("m.room.encrypted")
		require.Len(t, rows, count)
		for i, row := range rows {
			got := b.read(room, id.EventID(row.Event))
			assert.Equal(t, fmt.Sprint("bericht ", i), got.Content.AsMessage().Body)
		}
	})
}

func TestAKeyThatComesLater(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.patient(startDriver(t), "anna")
		room := meet(t, b, anna)
		sent, err := anna.SendText(t.Context(), string(room), "hallo")
		require.NoError(t, err)
		until(t, "her message", func() bool { return len(b.inbox("m.room.encrypted")) == 1 })
		b.read(room, id.EventID(sent))

		// As after a crash between using a to-device message and storing the key it brought.
		_, err = b.store.DB().RawDB.ExecContext(t.Context(), `DELETE FROM crypto_megolm_inbound_session`)
		require.NoError(t, err)
		arrived := make(chan id.RoomID, 10)
		b.OnRoomKey(func(room id.RoomID) { arrived <- room })
		_, err = b.Read(t.Context(), room, id.EventID(sent))
		require.ErrorIs(t, err, ErrNoKey)
		require.False(t, errors.Is(err, ErrPermanent))
		until(t, "the key that was asked for", func() bool {
			select {
			case got := <-arrived: // her first key may be told of only now
				_, err := b.Read(t.Context(), room, id.EventID(sent))
				return got == room && err == nil
			default:
				return false
			}
		})
		got, err := b.Read(t.Context(), room, id.EventID(sent))
		require.NoError(t, err)
		assert.Equal(t, "hallo", got.Content.AsMessage().Body)
		t.Logf("%s: trust of a message whose key was asked for: %v", w.Kind, got.Mautrix.TrustState)
	})
}

func TestANewDeviceGetsKeys(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		driver := startDriver(t)
		anna := w.patient(driver, "anna")
		room := meet(t, b, anna)
		_, err := b.Send(t.Context(), room, event.EventMessage, message("een"), "sk-1")
		require.NoError(t, err)
		_, err = anna.WaitText(t.Context(), string(room), "een")
		require.NoError(t, err)

		phone, err := driver.Login(t.Context(), w.URL, "anna", "secret-anna")
		require.NoError(t, err)
		n := 1
		until(t, "a message the new phone can read", func() bool {
			n++
			_, err := b.Send(t.Context(), room, event.EventMessage, message(fmt.Sprint("twee ", n)), fmt.Sprint("sk-", n))
			require.NoError(t, err)
			_, ok := phone.Room(string(room)).Text("twee")
			return ok
		})
	})
}

func TestAnotherIdentityShowsInTheTrust(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.patient(startDriver(t), "anna")
		room := meet(t, b, anna)
		first, err := anna.SendText(t.Context(), string(room), "ik ben het")
		require.NoError(t, err)
		until(t, "her message", func() bool { return len(b.inbox("m.room.encrypted")) == 1 })
		got := b.read(room, id.EventID(first))
		assert.Equal(t, id.TrustStateCrossSignedTOFU, got.Mautrix.TrustState)

		again, err := startDriver(t).LoginWith(t.Context(), client.LoginOptions{
			BaseURL: w.URL, UserID: "anna", Password: "secret-anna", Identity: client.ResetIdentity,
		})
		require.NoError(t, err)
		second, err := again.SendText(t.Context(), string(room), "echt waar")
		require.NoError(t, err)
		until(t, "the second message", func() bool { return len(b.inbox("m.room.encrypted")) == 2 })
		got = b.read(room, id.EventID(second))
		assert.Less(t, got.Mautrix.TrustState, id.TrustStateCrossSignedTOFU, "staff will be told")
		t.Logf("%s: trust after an identity reset: %v", w.Kind, got.Mautrix.TrustState)
	})
}

func TestRemovedBeforeItCame(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.patient(startDriver(t), "anna")
		room := meet(t, b, anna)
		b.stop()
		sent, err := anna.SendText(t.Context(), string(room), "oeps")
		require.NoError(t, err)
		_, err = anna.Redact(t.Context(), string(room), sent, "")
		require.NoError(t, err)
		b = w.connect().run()
		_, err = b.Read(t.Context(), room, id.EventID(sent))
		assert.ErrorIs(t, err, ErrRedacted)
		assert.NotContains(t, b.ledger(room), sent, "there is nothing left to redact")
	})
}
