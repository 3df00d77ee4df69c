package appservice

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func TestRedactAndSeeThatItIsGone(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room, err := b.EnsureRoom(t.Context(), consulting(b, "spreek-1", anna.ID))
		require.NoError(t, err)
		anna.join(room)
		theirs := anna.say(room, "something private")
		until(t, "her message", func() bool { return len(b.inbox("m.room.message")) == 1 })
		own, err := b.Send(t.Context(), room, event.EventMessage, message("hello"), "sk-1")
		require.NoError(t, err)
		until(t, "the own echo", func() bool { return len(b.ledger(room)) >= 2 })

		for _, e := range []id.EventID{theirs, own} {
			gone, err := b.Gone(t.Context(), room, e)
			require.NoError(t, err)
			assert.False(t, gone)
			require.NoError(t, b.Redact(t.Context(), room, e, "sk-redact-"+string(e[1:8])))
			require.NoError(t, b.Redact(t.Context(), room, e, "sk-again-"+string(e[1:8])), "twice is no error")
			until(t, "it to be gone", func() bool {
				gone, err := b.Gone(t.Context(), room, e)
				return err == nil && gone
			})
			_, err = b.Read(t.Context(), room, e)
			assert.ErrorIs(t, err, ErrRedacted)
			assert.Empty(t, anna.event(room, e)["content"])
		}
		_, err = b.Read(t.Context(), room, "$nosuchevent")
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

// member returns the event by which someone is in a room.
func (b *bot) member(room id.RoomID, user id.UserID) incoming {
	b.t.Helper()
	state, err := b.state(b.t.Context(), room)
	require.NoError(b.t, err)
	return state[stateKey{"m.room.member", string(user)}]
}

func TestNamesInMembershipsCanBeRedacted(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		anna.must("PUT", "/_matrix/client/v3/profile/"+string(anna.ID)+"/displayname", map[string]any{"displayname": "Anna de Vries"})
		room, err := b.EnsureRoom(t.Context(), consulting(b, "spreek-1", anna.ID))
		require.NoError(t, err)
		anna.join(room)
		e := b.member(room, anna.ID)
		until(t, "her name in the ledger", func() bool { return slices.Contains(b.ledger(room), string(e.ID)) })
		require.NoError(t, b.Redact(t.Context(), room, e.ID, "sk-1"))
		until(t, "the name to be gone", func() bool {
			gone, err := b.Gone(t.Context(), room, e.ID)
			return err == nil && gone
		})
		assert.Equal(t, "join", b.member(room, anna.ID).membershipOf(anna.ID), "she is still in the room")
	})
}

func TestMedia(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect()
		photo := bytes.Repeat([]byte("what the photo shows. "), 1000)
		var recorded []id.ContentURIString
		file, err := b.Upload(t.Context(), photo, func(uri id.ContentURIString) error {
			recorded = append(recorded, uri)
			t.Logf("%s: address %s known while %d files are in the repository", w.Kind, uri, len(w.files()))
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, []id.ContentURIString{file.URL}, recorded)
		got, err := b.Download(t.Context(), file.URL, file, 1<<20)
		require.NoError(t, err)
		assert.Equal(t, photo, got)
		for _, path := range w.files() {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.NotContains(t, string(data), "what the photo shows")
		}

		_, err = b.Download(t.Context(), file.URL, file, 100)
		assert.ErrorIs(t, err, ErrTooLarge)
		other := *file
		other.Hashes.SHA256 = "AAAA" + other.Hashes.SHA256[4:]
		_, err = b.Download(t.Context(), file.URL, &other, 1<<20)
		assert.ErrorIs(t, err, ErrUndecryptable, "the file is not what the message says")
		_, err = b.Download(t.Context(), "https://example.org/x", nil, 100)
		assert.ErrorIs(t, err, ErrPermanent)
		_, err = b.Upload(t.Context(), make([]byte, 51<<20), nil)
		assert.ErrorIs(t, err, ErrTooLarge)
		_, err = b.Upload(t.Context(), photo, func(id.ContentURIString) error { return errors.New("disk full") })
		assert.ErrorContains(t, err, "disk full")
		assert.ErrorIs(t, b.EraseMedia(t.Context(), "mxc://elsewhere.example/abc"), ErrCannotErase)

		if w.Kind == harness.Dendrite {
			assert.ErrorIs(t, b.EraseMedia(t.Context(), file.URL), ErrCannotErase)
			return
		}
		assert.ErrorIs(t, b.EraseMedia(t.Context(), file.URL), ErrForbidden, "not before the bot is admin")
		require.NoError(t, w.MakeAdmin(t.Context(), string(b.UserID())))
		admin, err := b.IsAdmin(t.Context())
		require.NoError(t, err)
		assert.True(t, admin)
		require.NoError(t, b.EraseMedia(t.Context(), file.URL))
		require.NoError(t, b.EraseMedia(t.Context(), file.URL), "gone already is no error")
		_, err = b.Download(t.Context(), file.URL, file, 1<<20)
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

// files are the files in the homeserver's media repository.
func (w *world) files() (paths []string) {
	_ = filepath.WalkDir(w.DataDirs.Media, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}
