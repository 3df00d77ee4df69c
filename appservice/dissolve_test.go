package appservice

import (
	"net/http"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func TestARoomIsTakenOutOfItsSpaceAndDeletedWhereThatCanBe(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		space := consulting(b, "spreek-space", anna.ID)
		space.Encrypted, space.RoomType = false, event.RoomTypeSpace
		hall, err := b.EnsureRoom(t.Context(), space)
		require.NoError(t, err)
		spec := consulting(b, "spreek-1", anna.ID)
		spec.Space = hall
		room, err := b.EnsureRoom(t.Context(), spec)
		require.NoError(t, err)
		anna.join(room)
		_, err = b.Send(t.Context(), room, event.EventMessage, message("hello"), "sk-1")
		require.NoError(t, err)

		for range 2 { // each step may be repeated
			require.NoError(t, b.Unhang(t.Context(), room, hall))
			require.NoError(t, b.DropAlias(t.Context(), spec.Alias))
		}
		state, err := b.state(t.Context(), hall)
		require.NoError(t, err)
		assert.JSONEq(t, `{}`, string(state[stateKey{event.StateSpaceChild.Type, string(room)}].Content))
		// Dendrite answers 500 about an alias that it does not know, when we do not listen
		found, _ := b.resolve(t.Context(), id.NewRoomAlias(spec.Alias, b.opts.Domain))
		assert.Empty(t, found)

		require.ErrorIs(t, b.DeleteRoom(t.Context(), room), ErrCannotErase, "the bot is no administrator, or there is no way")
		if w.Kind != harness.Synapse {
			return
		}
		require.NoError(t, w.MakeAdmin(t.Context(), string(b.UserID())))
		until(t, "the room to be deleted", func() bool { return b.DeleteRoom(t.Context(), room) == nil })
		require.NoError(t, b.DeleteRoom(t.Context(), room), "again is no error")
		require.NoError(t, b.ForgetRoomKeys(t.Context(), room))
		_, err = b.Members(t.Context(), room)
		assert.ErrorIs(t, err, ErrForbidden)
		other, err := b.EnsureRoom(t.Context(), spec)
		require.NoError(t, err)
		assert.NotEqual(t, room, other, "the alias can be given again")
	})
}

func TestDeletingARoomIsAskedForUntilItIsDone(t *testing.T) {
	version := reply{http.StatusOK, `{"server":{"name":"Synapse","version":"1"},"server_version":"1"}`}
	b, s := scriptedBot(t, map[string][]reply{
		"/version":                  {version},
		"/v1/rooms/!r:gp.example":   {{http.StatusOK, `{}`}, {http.StatusOK, `{}`}, {http.StatusOK, `{}`}, {http.StatusNotFound, `{"errcode":"M_NOT_FOUND"}`}},
		"/v2/rooms/!r:gp.example":   {{http.StatusOK, `{"delete_id":"1"}`}, {http.StatusBadRequest, `{"errcode":"M_UNKNOWN"}`}},
		"/server_version":           {version},
		"/federation/v1/version":    {version},
		"/client/versions":          {{http.StatusOK, `{}`}},
		"/v1/media/gp.example/file": {{http.StatusOK, `{}`}},
	})
	assert.ErrorIs(t, b.DeleteRoom(t.Context(), "!r:gp.example"), errDeleting)
	assert.NoError(t, b.DeleteRoom(t.Context(), "!r:gp.example"))
	assert.NoError(t, b.DeleteRoom(t.Context(), "!r:gp.example"))
	assert.Equal(t, 2, s.count("/v2/rooms/!r:gp.example"))
}
