package bridge

import (
	"context"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// A fakeReceipt is where the bot's receipt in a room stands.
type fakeReceipt struct {
	Event  id.EventID
	Thread string
}

// A fakeTyping is one word about typing that the homeserver got.
type fakeTyping struct {
	Room  id.RoomID
	Types bool
}

func (f *fakeMatrix) MarkRead(_ context.Context, room id.RoomID, read id.EventID, thread string) error {
	defer f.mu.Unlock()
	if err := f.begin("receipt", room); err != nil {
		return err
	}
	if f.threaded[read] && thread == "main" { // as Synapse has it
		return ErrRefused
	}
	f.receipts = append(f.receipts, fakeReceipt{read, thread})
	return nil
}

func (f *fakeMatrix) Typing(_ context.Context, room id.RoomID, types bool, _ time.Duration) error {
	defer f.mu.Unlock()
	if err := f.begin("typing", room); err != nil {
		return err
	}
	f.typed = append(f.typed, fakeTyping{room, types})
	return nil
}

func (f *fakeMatrix) SentAt(_ context.Context, room id.RoomID, eventID id.EventID) (time.Time, error) {
	defer f.mu.Unlock()
	if err := f.begin("sent at", room); err != nil {
		return time.Time{}, err
	}
	e, err := f.find(room, eventID)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(e.Timestamp), nil
}

// reads is a receipt of someone, which comes in and is passed on.
func (w *world) reads(user id.UserID, room id.RoomID, event id.EventID, thread string) {
	w.Helper()
	w.keepReads(store.Read{Room: string(room), User: string(user), Event: string(event), Thread: thread})
	w.showsReadings()
}

// showsReadings passes on every receipt that is due.
func (w *world) showsReadings() {
	w.Helper()
	for {
		n, err := w.passReadings(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func (w *world) keepReads(reads ...store.Read) {
	w.Helper()
	if _, err := w.Store.Keep(w.Context(), store.Batch{NextBatch: "reads", Reads: reads, Now: w.clock, Due: w.due}); err != nil {
		w.Fatal(err)
	}
}

// last is the newest event of a room, as people see it.
func (w *world) last(room id.RoomID) id.EventID {
	w.matrix.mu.Lock()
	defer w.matrix.mu.Unlock()
	events := w.matrix.room(room).events
	return events[len(events)-1].ID
}
