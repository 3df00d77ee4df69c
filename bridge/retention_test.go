package bridge

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/id"
)

// togetherMatrix notices redactions in one room at the same time.
type togetherMatrix struct {
	Matrix
	mu             sync.Mutex
	busy           map[id.RoomID]bool
	done, together int
}

func (m *togetherMatrix) Redact(ctx context.Context, room id.RoomID, eventID id.EventID, txn string) error {
	m.enter(room)
	defer m.leave(room)
	for range 100 { // the others' chance
		runtime.Gosched()
	}
	return m.Matrix.Redact(ctx, room, eventID, txn)
}

func (m *togetherMatrix) enter(room id.RoomID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[room] {
		m.together++
	}
	m.busy[room] = true
	m.done++
}

func (m *togetherMatrix) leave(room id.RoomID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy[room] = false
}

func TestInOneRoomOneEventIsRemovedAtATime(t *testing.T) {
	w := newWorld(t)
	room, _ := w.talking(anna, "Een vraag")
	for i := range 30 {
		w.writes(anna, room, fmt.Sprintf("bericht %d", i))
	}
	m := &togetherMatrix{Matrix: w.matrix, busy: map[id.RoomID]bool{}}
	w.Matrix = m
	w.clock = w.clock.Add(w.Retention)
	w.sweeps()
	assert.Greater(t, m.done, 60)
	assert.Zero(t, m.together)
}
