package appservice

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

func TestEachInviteBecomesOneRow(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().serve(w.port).run()
		anna := w.person("anna")
		room := anna.createRoom(b.UserID())
		until(t, "the invite", func() bool { return len(b.inbox("m.room.member")) > 0 })
		require.NoError(t, b.Leave(t.Context(), room), "decline")
		anna.must("POST", "/_matrix/client/v3/rooms/"+string(room)+"/invite", map[string]any{"user_id": b.UserID()})
		until(t, "the second invite", func() bool { return len(b.inbox("m.room.member")) > 1 })
		rows := b.inbox("m.room.member")
		require.Len(t, rows, 2)
		for _, row := range rows {
			assert.Equal(t, string(room), row.Room)
			assert.Equal(t, queueOf(anna.ID), row.Queue)
		}
		b.stop()
		assert.Len(t, w.connect().run().inbox("m.room.member"), 2, "a restart adds nothing")
	})
}

func TestWhatWasWrittenBeforeTheBotCameIsKept(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room := anna.createRoom(b.UserID())
		anna.say(room, "before 1")
		anna.say(room, "before 2")
		until(t, "the invite", func() bool { return len(b.inbox("m.room.member")) > 0 })
		require.NoError(t, b.Join(t.Context(), room))
		anna.say(room, "after")
		until(t, "three messages", func() bool { return len(b.inbox("m.room.message")) >= 3 })
		assert.Len(t, b.inbox("m.room.message"), 3)
		evt, err := b.Read(t.Context(), room, id.EventID(b.inbox("m.room.message")[0].Event))
		require.NoError(t, err)
		assert.Equal(t, "before 1", evt.Content.AsMessage().Body)
		assert.GreaterOrEqual(t, len(b.ledger(room)), 3, "the messages, and memberships with names")
		assert.Len(t, b.inbox("m.room.member"), 2, "the invite, once, and anna coming into her own room")
	})
}

func TestAGapIsFilledInOrderAndNoFurther(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room := anna.createRoom(b.UserID())
		require.NoError(t, b.Join(t.Context(), room))
		old := anna.say(room, "first")
		until(t, "the first message", func() bool { return len(b.inbox("m.room.message")) == 1 })
		_, err := b.store.DB().RawDB.ExecContext(t.Context(), `DELETE FROM inbox`) // done long ago, and forgotten
		require.NoError(t, err)
		b.stop()

		var want []id.EventID
		for i := range 120 {
			want = append(want, anna.say(room, fmt.Sprint("while away ", i)))
		}
		again := w.connect().run()
		want = append(want, anna.say(room, "afterwards"))
		until(t, "the last message", func() bool { return len(again.inbox("m.room.message")) >= len(want) })
		var got []id.EventID
		for _, row := range again.inbox("m.room.message") {
			got = append(got, id.EventID(row.Event))
		}
		assert.Equal(t, want, got, "all of them, once, in order")
		assert.NotContains(t, got, old)
	})
}

func TestAGapIsFilledAlsoWhenTheServerKnowsItsPlaceNoMore(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room := anna.createRoom(b.UserID())
		require.NoError(t, b.Join(t.Context(), room))
		want := []id.EventID{anna.say(room, "first")}
		until(t, "the first message", func() bool { return b.placed() == 1 })
		b.stop()
		for i := range 120 {
			want = append(want, anna.say(room, fmt.Sprint("while away ", i)))
		}
		again := w.connect()
		now, err := again.requestSync(t.Context(), "", 0, 1)
		require.NoError(t, err)
		gap := store.Gap{RoomID: string(room), Since: "nowhere", Place: "nowhere"}
		require.NoError(t, again.keepBatch(t.Context(), store.Batch{NextBatch: now.NextBatch, Gaps: []store.Gap{gap}}, nil))
		clock := again.opts.Now()
		again.opts.Now = func() time.Time { return clock }
		for range refusalsOfPlace - 1 {
			found, err := again.fillNext(t.Context())
			require.True(t, found)
			require.True(t, isStatus(err, http.StatusBadRequest), "%v", err)
			clock = clock.Add(2 * lastBackoff)
		}
		require.True(t, again.tries())
		var got []id.EventID
		for _, row := range again.inbox("m.room.message") {
			got = append(got, id.EventID(row.Event))
		}
		assert.Equal(t, want, got, "all of them, once, in order")
	})
}

func TestTransactionsAndSyncFeedOneInbox(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().serve(w.port).run()
		anna := w.person("anna")
		room := anna.createRoom(b.UserID())
		require.NoError(t, b.Join(t.Context(), room))
		for i := range 20 {
			anna.say(room, fmt.Sprint("message ", i))
		}
		until(t, "twenty messages with a place", func() bool { return b.placed() >= 20 })
		assert.Len(t, b.inbox("m.room.message"), 20)
	})
}

func TestTheBotIsKickedOut(t *testing.T) {
	eachServer(t, func(t *testing.T, w *world) {
		b := w.connect().run()
		anna := w.person("anna")
		room := anna.createRoom(b.UserID())
		require.NoError(t, b.Join(t.Context(), room))
		anna.must("POST", "/_matrix/client/v3/rooms/"+string(room)+"/kick", map[string]any{"user_id": b.UserID()})
		until(t, "the kick", func() bool {
			rows := b.inbox("m.room.member")
			return len(rows) >= 2 && rows[len(rows)-1].Room == string(room)
		})
		require.NoError(t, b.Leave(t.Context(), room), "leaving where one is not is no error")
	})
}
