package bridge

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// edits lets someone change what they wrote.
func (w *world) edits(sender id.UserID, room id.RoomID, target id.EventID, text string) id.EventID {
	w.Helper()
	return w.happens(sender, room, event.EventMessage, map[string]any{
		"msgtype": "m.text", "body": "* " + text, "m.new_content": map[string]any{"msgtype": "m.text", "body": text},
		"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": string(target)},
	})
}

// left are the events of a room that still say something which holds a word.
func (w *world) left(room id.RoomID, word string) (all []id.EventID) {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	for _, e := range w.matrix.room(room).events {
		if m, ok := e.Content.Parsed.(*event.MessageEventContent); ok && !e.gone && (strings.Contains(m.Body, word) || m.NewContent != nil && strings.Contains(m.NewContent.Body, word)) {
			all = append(all, e.ID)
		}
	}
	return all
}

func TestARemovedMessageTakesEveryWordingOfItWithItOnBothSides(t *testing.T) {
	for name, from := range map[string]id.UserID{"patient": anna, "staff": fatima} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			consulting, talk := w.talking(anna, "Een vraag")
			here, there := consulting, talk
			if from == fatima {
				here, there = talk, consulting
			}
			said := w.writes(from, here, "kanarie een")
			w.edits(from, here, said, "kanarie twee")
			w.edits(from, here, said, "kanarie drie")
			require.Len(t, w.left(there, "kanarie"), 3)
			w.removes(from, here, said)
			w.sweeps()
			assert.Empty(t, w.left(here, "kanarie"))
			assert.Empty(t, w.left(there, "kanarie"))
			late := w.edits(from, here, said, "kanarie vier")
			w.sweeps()
			assert.NotContains(t, w.left(here, "kanarie"), late, "an edit that comes after the removal")
			assert.Empty(t, w.left(there, "kanarie"))
			assert.Contains(t, w.heard(talk), "Een vraag", "the rest stays")
		})
	}
}

func TestABSNGoesWithItsEdits(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	said := w.arrives(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "mijn nummer is 123456782"})
	w.edits(anna, consulting, said, "mijn nummer is 111222333, en 123456782")
	w.sweeps()
	assert.Empty(t, w.left(consulting, "123456782"))
}

func TestNobodyRemovesWhatTheBotSaid(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	answer := w.writes(fatima, talk, "Het antwoord")
	mirror, known, err := w.Store.MirrorsOf(t.Context(), string(answer))
	require.NoError(t, err)
	require.True(t, known)
	// a homeserver that lies passes on a removal which ours has not carried out
	w.keep(store.Event{
		ID: "$lie", RoomID: string(consulting), Type: event.EventRedaction.Type, Sender: string(anna), OriginAt: w.clock,
		Target: mirror.TargetEvent, ForInbox: true,
	})
	w.matrix.put(consulting, anna, event.EventRedaction, map[string]any{}, "").ID = "$lie"
	w.settles()
	w.sweeps()
	assert.Contains(t, w.left(talk, "Het antwoord"), answer)
}

func TestWhatTheHISRefusedOrDidNotTakeIsSealedBeforeItsChatGoes(t *testing.T) {
	for name, answer := range map[string]error{"refused": his.ErrRefused, "away": assert.AnError} {
		t.Run(name, func(t *testing.T) {
			broken := &brokenHIS{err: answer}
			w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = broken })
			w.talking(anna, "Een vraag")
			w.passes(31 * 24 * time.Hour)
			w.sweeps()
			broken.err = nil
			w.filesAgain()
			require.NotEmpty(t, broken.filed)
			assert.Equal(t, "Een vraag", broken.filed[0].Text)
		})
	}
}

// A brokenHIS answers what it is told to, and remembers what it took.
type brokenHIS struct {
	mu    sync.Mutex // conversations are filed side by side
	err   error
	filed []his.Item
}

func (h *brokenHIS) File(_ context.Context, item his.Item) (his.Receipt, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return his.Receipt{}, h.err
	}
	h.filed = append(h.filed, item)
	return his.Receipt{Reference: fmt.Sprintf("Communication/%d/_history/1", len(h.filed))}, nil
}

func (h *brokenHIS) Check(context.Context) error { return h.err }

// filesAgain lets what was refused be tried once more, as staff can, and what waits be due.
func (w *world) filesAgain() {
	w.Helper()
	failed, err := w.Store.FailedEffects(w.Context(), 100)
	require.NoError(w, err)
	for _, e := range failed {
		require.NoError(w, w.Store.RequeueEffect(w.Context(), e.ID, w.clock))
	}
	w.passes(maxBackoff)
}

func (w *world) members(room id.RoomID) []id.UserID {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	return w.matrix.room(room).Invite
}

func TestWhoIsNoLongerStaffLeavesEveryRoomAlsoThoseOfClosedConversations(t *testing.T) {
	mark := id.UserID("@mark:praktijk.example")
	for name, goes := range map[string]func(w *world){
		"command": func(w *world) { w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!medewerker- "+string(mark)) },
		"configuration": func(w *world) {
			require.NoError(w, w.TakeStaff(w.Context(), []care.Member{
				{UserID: string(fatima), Name: "Fatima", Role: care.Doktersassist, Practice: linde, Source: FromConfig},
				{UserID: string(chef), Name: "Chef", Role: care.Beheer, Practice: linde, Source: FromConfig},
			}))
			w.settles()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.staff(mark, "Mark", care.Doktersassist)
			require.NoError(t, w.MendStaff(t.Context()))
			w.settles()
			consulting, closed := w.talking(anna, "Een vraag")
			w.writes(fatima, closed, "!sluiten")
			w.writes(anna, consulting, "Nog een vraag")
			w.writes(anna, consulting, "1")
			w.passes(time.Second)
			rooms := []id.RoomID{
				closed, w.talk(anna), w.roomFor(store.RoomSpace, linde), w.roomFor(store.RoomBalie, linde), w.roomFor(store.RoomBeheer, linde),
			}
			for _, room := range rooms {
				require.Contains(t, w.members(room), mark)
			}
			goes(w)
			for _, room := range rooms {
				assert.NotContains(t, w.members(room), mark)
				assert.Contains(t, w.members(room), fatima)
			}
		})
	}
}

func TestNobodyNewIsAskedIntoTheRoomOfAClosedConversation(t *testing.T) {
	w := newWorld(t)
	_, closed := w.talking(anna, "Een vraag")
	w.writes(fatima, closed, "!sluiten")
	w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!medewerker+ @mark:praktijk.example huisarts Mark")
	assert.Contains(t, w.members(w.roomFor(store.RoomBalie, linde)), id.UserID("@mark:praktijk.example"))
	assert.NotContains(t, w.members(closed), id.UserID("@mark:praktijk.example"))
}

func TestAFileWhoseHomeserverIsGoneHoldsUpNeitherItsConversationNorItsRemoval(t *testing.T) {
	broken := &brokenHIS{err: assert.AnError}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = broken })
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "download" {
			return assert.AnError
		}
		return nil
	}
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.image", "body": "kanarie", "filename": "foto.jpg", "url": "mxc://gone.example/1",
	})
	w.writes(anna, consulting, "Hierna")
	for range leastTry {
		w.passes(maxBackoff)
	}
	assert.Contains(t, w.heard(talk), "Hierna", "the conversation goes on")
	assert.Contains(t, w.heard(talk), "Hier ontbreekt", "staff see the gap")
	assert.Contains(t, w.heard(consulting), "niet aangekomen", "and who sent it knows")

	w.passes(30 * day) // over the limit: what the HIS has not taken is sealed
	for range leastTry + 1 {
		w.sweepsOnce()
		w.passes(time.Minute)
	}
	w.sweeps()
	assert.Empty(t, w.left(consulting, "kanarie"))
	broken.err = nil
	w.filesAgain()
	require.GreaterOrEqual(t, len(broken.filed), 3)
	assert.Contains(t, broken.filed[1].Text, "kanarie")
	assert.Empty(t, broken.filed[1].Attachments)
}

// While a message is being carried it is first queued and then has its like at the other side. At
// no moment in between may it look as if it went nowhere: a removal would be lost then.
func TestAMessageIsOnItsWayUntilItHasArrived(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Een vraag")
	there, conversation := place{room: store.Room{Kind: store.RoomConsulting}}, w.person(anna).Current
	for n := range 40 {
		e := w.arrives(anna, room, event.EventMessage, map[string]any{"msgtype": "m.text", "body": fmt.Sprint("nummer ", n)})
		turns := &pool{slots: make(chan struct{}, turnWorkers), busy: map[string]bool{}, freed: w.turns.ring}
		_, err := w.startTurns(t.Context(), turns)
		turns.wait()
		require.NoError(t, err)
		carried := make(chan struct{})
		go func() { defer close(carried); w.settles() }()
		for under := true; under; {
			select {
			case <-carried:
				under = false
			default:
			}
			relayed, err := w.isRelayed(t.Context(), there, string(e))
			assert.NoError(t, err)
			assert.True(t, relayed, "message %d", n)
			where, err := w.carriedIn(t.Context(), there, string(e))
			assert.NoError(t, err)
			assert.Equal(t, conversation, where, "message %d", n)
		}
	}
}

func TestWhatWasNeverCarriedIsNowhere(t *testing.T) {
	w := newWorld(t)
	where, err := w.carriedIn(t.Context(), place{}, "$nothing")
	require.NoError(t, err)
	assert.Empty(t, where)
}
