package appservice

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// People write while the bot and the homeserver come and go: everything is kept, once, and each
// person's messages in their order.
func TestNothingIsLostOrDoubledOverRestarts(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().serve(w.port).run()
		const people, rounds, each = 3, 4, 12
		rooms := map[id.RoomID]*person{}
		for n := range people {
			p := w.person(fmt.Sprint("patient", n))
			room := p.createRoom(b.UserID())
			require.NoError(t, b.Join(t.Context(), room))
			rooms[room] = p
		}
		want := map[string][]string{}
		for round := range rounds {
			var wg sync.WaitGroup
			var mu sync.Mutex
			for room, p := range rooms {
				wg.Go(func() {
					for i := range each {
						sent := p.say(room, fmt.Sprint(round, " ", i))
						mu.Lock()
						want[string(room)] = append(want[string(room)], string(sent))
						mu.Unlock()
					}
				})
			}
			b.stop() // in the middle of it
			wg.Wait()
			if round == 1 {
				require.NoError(t, w.Homeserver.Kill())
				require.NoError(t, w.Homeserver.Start(t.Context()))
			}
			b = w.connect().serve(w.port).run()
		}
		until(t, "all of it", func() bool { return b.placed() >= people*rounds*each })
		all, inOrder, late := map[string][]string{}, map[string][]string{}, b.overtaken()
		for _, row := range b.inbox("m.room.message") {
			all[row.Room] = append(all[row.Room], row.Event)
			if !late[row.Event] {
				inOrder[row.Room] = append(inOrder[row.Room], row.Event)
			}
		}
		if w.Kind == harness.Synapse {
			assert.Empty(t, late)
		}
		for room, sent := range want {
			assert.ElementsMatch(t, sent, all[room])
			wasLate := func(event string) bool { return late[event] }
			assert.Equal(t, slices.DeleteFunc(slices.Clone(sent), wasLate), inOrder[room])
			lastBeforeTheKill := sent[:2*each][2*each-5:]
			assert.Subset(t, lastBeforeTheKill, slices.DeleteFunc(slices.Clone(sent), func(event string) bool { return !late[event] }),
				"what it was telling when it was killed, Dendrite tells half a minute later; nothing else comes late")
		}
	})
}

func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	pg, err := harness.StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = pg.Stop() })
	uri, err := pg.NewDatabase(t.Context(), "bridge")
	require.NoError(t, err)
	w := newWorld(t, harness.Dendrite)
	w.db = store.Options{Kind: store.Postgres, URI: uri}

	b := w.connect().run()
	device := b.matrix.DeviceID
	anna := w.patient(startDriver(t), "anna")
	room := meet(t, b, anna)
	for n := range 2 { // before and after a restart
		sent, err := anna.SendText(t.Context(), string(room), fmt.Sprint("vraag ", n))
		require.NoError(t, err)
		until(t, "her message", func() bool { return len(b.inbox("m.room.encrypted")) == n+1 })
		got := b.read(room, id.EventID(sent))
		assert.Equal(t, fmt.Sprint("vraag ", n), got.Content.AsMessage().Body)
		_, err = b.Send(t.Context(), room, event.EventMessage, message(fmt.Sprint("antwoord ", n)), fmt.Sprint("sk-", n))
		require.NoError(t, err)
		_, err = anna.WaitText(t.Context(), string(room), fmt.Sprint("antwoord ", n))
		require.NoError(t, err)
		b.stop()
		b = w.connect().run()
		assert.Equal(t, device, b.matrix.DeviceID)
	}
}

func TestAPatientOnAnotherHomeserver(t *testing.T) {
	t.Parallel()
	for _, kinds := range [][2]harness.Kind{{harness.Synapse, harness.Dendrite}, {harness.Dendrite, harness.Synapse}} {
		t.Run(fmt.Sprintf("practice on %s, patient on %s", kinds[0], kinds[1]), func(t *testing.T) {
			w := newWorldWith(t, harness.Options{Kind: kinds[0], Federation: true})
			other := newWorldWith(t, harness.Options{Kind: kinds[1], Federation: true})
			b := w.connect().run()
			anna := other.patient(startDriver(t), "anna")

			contact, err := anna.DirectChat(t.Context(), string(b.UserID()))
			require.NoError(t, err)
			until(t, "the invite from elsewhere", func() bool { return len(b.inbox("m.room.member")) > 0 })
			row := b.inbox("m.room.member")[0]
			assert.Equal(t, turnRow{row.Event, contact, "m.room.member", "user:" + anna.UserID}, row)
			require.NoError(t, b.Join(t.Context(), id.RoomID(contact), serverOf(anna.UserID)))

			spec := consulting(b, "spreek-1", id.UserID(anna.UserID))
			spec.Federate, spec.Servers = true, []string{w.ServerName, other.ServerName}
			room, err := b.EnsureRoom(t.Context(), spec)
			require.NoError(t, err)
			invited, err := anna.WaitInvite(t.Context(), string(b.UserID()))
			require.NoError(t, err)
			assert.Equal(t, string(room), invited)
			require.NoError(t, anna.Join(t.Context(), invited))

			sent, err := anna.SendText(t.Context(), string(room), "hallo")
			require.NoError(t, err)
			until(t, "her message, readable", func() bool {
				got, err := b.Read(t.Context(), room, id.EventID(sent))
				return err == nil && got.Content.AsMessage().Body == "hallo"
			})
			until(t, "it in the inbox", func() bool {
				return slices.ContainsFunc(b.inbox("m.room.encrypted"), func(r turnRow) bool { return r.Event == sent })
			})
			_, err = b.Send(t.Context(), room, event.EventMessage, message("dag Anna"), "sk-1")
			require.NoError(t, err)
			_, err = anna.WaitText(t.Context(), string(room), "dag Anna")
			require.NoError(t, err)
			assert.ErrorIs(t, b.EraseMedia(t.Context(), id.ContentURIString("mxc://"+other.ServerName+"/x")), ErrCannotErase)
		})
	}
}

func TestTheDatabaseHoldsNoWordsNamesOrTokens(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().serve(w.port).run()
		anna := w.person("anna")
		anna.must("PUT", "/_matrix/client/v3/profile/"+string(anna.ID)+"/displayname", map[string]any{"displayname": "Annechien"})
		patient := w.patient(startDriver(t), "bea")
		room := meet(t, b, patient)
		require.NoError(t, b.Invite(t.Context(), room, anna.ID))
		anna.join(room)
		_, err := patient.SendText(t.Context(), string(room), "hoofdpijnklachten")
		require.NoError(t, err)
		anna.say(room, "keelpijnklachten")
		_, err = b.Send(t.Context(), room, event.EventMessage, message("paracetamoladvies"), "sk-1")
		require.NoError(t, err)
		until(t, "the messages", func() bool { return b.placed() == 1 && len(b.inbox("m.room.encrypted")) == 1 })
		for _, row := range b.inbox("m.room.encrypted") {
			b.read(room, id.EventID(row.Event))
		}
		recovery, found, err := readRecoveryKey(w.options.RecoveryKeyFile)
		require.NoError(t, err)
		require.True(t, found)
		secrets := []string{"hoofdpijn", "keelpijn", "paracetamol", "Annechien", *b.token.Load(), recovery, w.options.HSToken}
		b.stop()
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(w.db.URI + suffix)
			if os.IsNotExist(err) {
				continue
			}
			require.NoError(t, err)
			for _, secret := range secrets {
				assert.False(t, strings.Contains(string(data), secret), "%s is in the database", secret)
			}
		}
	})
}

func TestAReasonForRemovingIsRemovedToo(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room, err := b.EnsureRoom(t.Context(), consulting(b, "spreek-1", anna.ID))
		require.NoError(t, err)
		anna.join(room)
		sent := anna.say(room, "te veel gezegd")
		answer := anna.must("PUT", anna.room(room, "/redact/"+string(sent)+"/r1"), map[string]any{"reason": "ging over mijn zoon"})
		redaction := id.EventID(answer["event_id"].(string))
		until(t, "the reason in the ledger", func() bool { return slices.Contains(b.ledger(room), string(redaction)) })
		row := b.inbox("m.room.redaction")
		require.Len(t, row, 1)
		require.NoError(t, b.Redact(t.Context(), room, redaction, "sk-1"))
		until(t, "the reason to be gone", func() bool {
			gone, err := b.Gone(t.Context(), room, redaction)
			return err == nil && gone
		})
		gone, err := b.Gone(t.Context(), room, sent)
		require.NoError(t, err)
		assert.True(t, gone, "what it removed stays removed")
	})
}
