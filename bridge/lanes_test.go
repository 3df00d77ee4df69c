package bridge

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/his"
)

// A hangingHIS takes something and does not answer until it is let go, whatever the time
// limit says: so does a network folder that is gone.
type hangingHIS struct {
	called, letGo chan struct{}
	limit         time.Duration
}

func (h *hangingHIS) File(ctx context.Context, _ his.Item) (his.Receipt, error) {
	if end, limited := ctx.Deadline(); limited {
		h.limit = time.Until(end)
	}
	h.called <- struct{}{}
	<-h.letGo
	return his.Receipt{}, nil
}

func (h *hangingHIS) Check(context.Context) error { return nil }

func TestAHISThatHangsHoldsBackNoRoom(t *testing.T) {
	taken := &brokenHIS{}
	hanging := &hangingHIS{called: make(chan struct{}, 2), letGo: make(chan struct{})}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = taken })
	consulting, talk := w.talking(anna, "Een vraag")
	w.Practices[0].Connector = hanging
	for _, said := range []string{"Er is meer", "En nog iets"} {
		w.arrives(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.text", "body": said})
		p := &pool{slots: make(chan struct{}, 1), busy: map[string]bool{}, freed: func() {}}
		_, err := w.startTurns(t.Context(), p)
		require.NoError(t, err)
		p.wait()
	}
	lanes := lanesOf(w.Practices)
	filed := make(chan bool)
	go func() { filed <- w.delivers(lanes[1]) }()
	<-hanging.called
	for w.delivers(lanes[0]) || w.echo() { // all of Matrix, while the HIS hangs
	}
	assert.Contains(t, w.heard(talk), "Er is meer")
	assert.Contains(t, w.heard(talk), "En nog iets")
	assert.Less(t, hanging.limit, lease)
	assert.Positive(t, hanging.limit)
	close(hanging.letGo)
	assert.True(t, <-filed)
	require.Len(t, taken.filed, 1)
}

func TestEachSystemHasWorkersOfItsOwn(t *testing.T) {
	w := newWorld(t)
	assert.Equal(t, []lane{{matrixLane, matrixWorkers}, {systemLane(hisName, linde), filingWorkers}}, lanesOf(w.Practices))
	w.talking(anna, "Een vraag")
	require.Len(t, w.letters(), 1)
	for _, l := range lanesOf(w.Practices) {
		assert.Contains(t, w.outbox, l.name)
	}
}
