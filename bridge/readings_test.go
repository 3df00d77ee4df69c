package bridge

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

func TestThePatientSeesThatStaffHaveReadAndNotBefore(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.passes(time.Second)
	question := w.writes(anna, consulting, "Nog een vraag")
	w.showsReadings()
	assert.Empty(t, w.matrix.receipts, "nothing that the bot does is reading")
	w.passes(time.Second)
	later := w.writes(anna, consulting, "En nog een")
	mirror, _, err := w.Store.MirrorOf(t.Context(), string(question), string(talk))
	require.NoError(t, err)
	w.reads(fatima, talk, id.EventID(mirror), "main")
	assert.Equal(t, []fakeReceipt{{question, "main"}}, w.matrix.receipts, "not the later one")
	w.reads(fatima, talk, w.last(talk), "main")
	assert.Equal(t, fakeReceipt{later, "main"}, w.matrix.receipts[1])
}

func TestStaffSeeThatThePatientHasRead(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	answer := w.writes(fatima, talk, "Een antwoord")
	w.reads(anna, consulting, w.last(consulting), "")
	assert.Equal(t, []fakeReceipt{{answer, ""}}, w.matrix.receipts)
}

func TestAHundredReceiptsCostOne(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	var last id.EventID
	for range 100 {
		w.clock = w.clock.Add(time.Second)
		last = w.writes(anna, consulting, "bericht")
		w.keepReads(store.Read{Room: string(talk), User: string(fatima), Event: string(w.last(talk))})
	}
	w.showsReadings()
	assert.Equal(t, []fakeReceipt{{last, ""}}, w.matrix.receipts)
}

func TestWhoReadsSomethingElseHasReadWhatCameBefore(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.passes(time.Second)
	question := w.writes(anna, consulting, "Nog een vraag")
	w.passes(time.Second)
	note := w.writes(fatima, talk, "!help") // a word of staff that goes nowhere, and the bot's answer
	w.passes(time.Second)
	w.writes(anna, consulting, "Te laat om gelezen te zijn")
	w.reads(fatima, talk, note, "")
	assert.Equal(t, []fakeReceipt{{question, ""}}, w.matrix.receipts)
}

func TestWhoReadsAChangeOfTheRoomHasReadWhatCameBefore(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.passes(time.Second)
	question := w.writes(anna, consulting, "Nog een vraag")
	w.passes(time.Second)
	w.matrix.mu.Lock()
	renamed := w.matrix.put(talk, botID, event.StateRoomName, map[string]any{"name": "Gesprek 1"}, "").ID
	w.matrix.mu.Unlock()
	w.reads(fatima, talk, renamed, "main")
	assert.Equal(t, []fakeReceipt{{question, "main"}}, w.matrix.receipts)
	w.reads(fatima, talk, "$unknown", "main")
	assert.Len(t, w.matrix.receipts, 1)
}

func TestAReceiptThatComesBeforeTheMirrorIsNotLost(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	question := w.writes(anna, consulting, "Snel gelezen")
	mirrored := w.last(talk)
	_, err := w.Store.DB().RawDB.ExecContext(t.Context(), `DELETE FROM mirror WHERE target_event = $1`, mirrored)
	require.NoError(t, err)
	w.reads(fatima, talk, mirrored, "")
	before := len(w.matrix.receipts)
	require.NoError(t, w.Store.AddMirror(t.Context(), store.Mirror{
		SourceEvent: string(question), SourceRoom: string(consulting), TargetEvent: string(mirrored), TargetRoom: string(talk), At: w.clock,
	}))
	w.showsReadings()
	require.Greater(t, len(w.matrix.receipts), before)
	assert.Equal(t, question, w.matrix.receipts[len(w.matrix.receipts)-1].Event)
}

func TestAReceiptNeverGoesBack(t *testing.T) {
	w := newWorld(t)
	consulting, first := w.talking(anna, "Een vraag")
	old := w.last(first)
	w.writes(fatima, first, "!sluiten")
	w.passes(time.Minute)
	w.writes(anna, consulting, "Een nieuwe vraag")
	w.writes(anna, consulting, "over mijzelf")
	w.passes(time.Second)
	w.reads(fatima, w.talk(anna), w.last(w.talk(anna)), "")
	require.Len(t, w.matrix.receipts, 1)
	w.reads(fatima, first, old, "")
	assert.Len(t, w.matrix.receipts, 1, "the old conversation is before the new one")
}

func TestAThreadedReceiptStaysInItsThread(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.passes(time.Second)
	root := w.writes(anna, consulting, "De wortel")
	rootThere := w.last(talk)
	w.passes(time.Second)
	reply := w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.text", "body": "In de draad", "m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": string(root)},
	})
	w.matrix.threaded[reply] = true
	w.reads(fatima, talk, w.last(talk), string(rootThere))
	assert.Equal(t, []fakeReceipt{{reply, string(root)}}, w.matrix.receipts)

	w.passes(time.Second)
	w.writes(fatima, talk, "!help")
	w.reads(fatima, talk, w.last(talk), "main")
	assert.Equal(t, fakeReceipt{root, "main"}, w.matrix.receipts[1], "the newest outside the thread")
	w.reads(fatima, talk, w.last(talk), "$nowhere")
	assert.Len(t, w.matrix.receipts, 2)
}

func TestAReceiptSurvivesAnOutageAndIsThenGivenUp(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(anna, consulting, "Nog een")
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "receipt" {
			return errors.New("out of order")
		}
		return nil
	}
	w.reads(fatima, talk, w.last(talk), "")
	w.matrix.fails = nil
	w.showsReadings()
	assert.Empty(t, w.matrix.receipts, "not yet due again")
	w.clock = w.clock.Add(time.Minute)
	w.showsReadings()
	assert.Len(t, w.matrix.receipts, 1)

	w.writes(anna, consulting, "En nog een")
	tries := 0
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "receipt" {
			tries++
			return errors.New("out of order")
		}
		return nil
	}
	w.reads(fatima, talk, w.last(talk), "")
	for range 20 {
		w.clock = w.clock.Add(maxBackoff)
		w.showsReadings()
	}
	assert.Equal(t, readingAttempts+1, tries)
}

func TestOnceWithdrawnNoReceiptPasses(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	read := w.last(talk)
	w.writes(anna, consulting, "intrekken")
	w.reads(fatima, talk, read, "")
	w.reads(anna, consulting, w.last(consulting), "")
	assert.Empty(t, w.matrix.receipts)
}
