package bridge

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

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

// A knockedHIS counts how often somebody knocks, and may ask to be left alone.
type knockedHIS struct {
	talkingHIS
	mu      sync.Mutex
	knocks  int
	patient error
}

// knocked is what it says to whoever knocks.
func (h *knockedHIS) knocked() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.knocks++
	return h.patient
}

func (h *knockedHIS) File(ctx context.Context, item his.Item) (his.Receipt, error) {
	if err := h.knocked(); err != nil {
		return his.Receipt{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.talkingHIS.File(ctx, item)
}

func (h *knockedHIS) Answers(ctx context.Context, since string) ([]his.Answer, string, error) {
	if err := h.knocked(); err != nil {
		return nil, "", err
	}
	return h.talkingHIS.Answers(ctx, since)
}

func (h *knockedHIS) Track(ctx context.Context, c his.Conversation, at time.Time) error {
	if err := h.knocked(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.talkingHIS.Track(ctx, c, at)
}

// A later is an error of a system that says when it can be asked again.
type later time.Duration

func (l later) Error() string             { return "not now" }
func (l later) RetryAfter() time.Duration { return time.Duration(l) }

// knocksIn is how often a system is asked for something while time passes.
func (h *knockedHIS) knocksIn(w *world, d time.Duration) int {
	before := h.knocks
	for range 10 {
		w.passes(d / 10)
	}
	return h.knocks - before
}

const bram = id.UserID("@bram:elders.example")

func TestASystemThatAsksToBeLeftAloneIsLeftAloneByAllConversations(t *testing.T) {
	busy := &knockedHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = busy })
	first, talk := w.talking(anna, "Een vraag")
	second, _ := w.talking(bram, "Een andere vraag")
	lane := systemLane(hisName, linde)

	busy.patient = later(10 * time.Minute)
	w.writes(anna, first, "Er is meer")
	before := busy.knocks
	w.writes(bram, second, "Hier ook")
	w.writes(anna, first, "En nog iets")
	require.NoError(t, w.askSystem(t.Context(), lane, busy))
	assert.Equal(t, before, busy.knocks, "the other conversation, and who asks for answers, wait too")
	assert.Zero(t, busy.knocksIn(w, 9*time.Minute))
	assert.Contains(t, w.heard(talk), "En nog iets", "the rooms go on")

	busy.patient = nil
	w.passes(time.Minute)
	filed := []string{}
	for _, item := range busy.filed[2:] {
		filed = append(filed, item.Text)
	}
	assert.ElementsMatch(t, []string{"Er is meer", "En nog iets", "Hier ook"}, filed, "each once")
	assert.Equal(t, []string{"Er is meer", "En nog iets"}, order(strings.Join(filed, "\n"), "Er is meer", "En nog iets"))
	require.NoError(t, w.askSystem(t.Context(), lane, busy))
	assert.Zero(t, w.paused(lane))
}

func TestASystemThatSaysSoWhenItIsAskedForAnswersGetsNothingFiledMeanwhile(t *testing.T) {
	busy := &knockedHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = busy })
	consulting, _ := w.talking(anna, "Een vraag")
	busy.patient = later(10 * time.Minute)
	require.Error(t, w.askSystem(t.Context(), systemLane(hisName, linde), busy))
	before := busy.knocks
	w.writes(anna, consulting, "Er is meer")
	assert.Equal(t, before, busy.knocks)
	assert.Zero(t, busy.knocksIn(w, 9*time.Minute))
	assert.Equal(t, 1, busy.knocksIn(w, time.Minute))
}

func TestOnlyTheSystemThatAskedIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		lane string
		err  error
		want time.Duration
	}{
		"it asked":                    {"his:a", later(time.Minute), time.Minute},
		"an error like another":       {"his:b", assert.AnError, 0},
		"no longer than an hour":      {"his:c", later(10 * time.Hour), time.Hour},
		"a homeserver has other ways": {matrixLane, later(time.Minute), 0},
	} {
		t.Run(name, func(t *testing.T) {
			w.leaveAlone(tt.lane, tt.err)
			assert.Equal(t, tt.want, w.paused(tt.lane))
		})
	}
	w.leaveAlone("his:c", later(time.Minute))
	assert.Equal(t, time.Hour, w.paused("his:c"), "the longest counts")
	assert.Zero(t, w.paused(systemLane(hisName, linde)))
}

func TestAClockThatIsSetBackEndsEveryPause(t *testing.T) {
	w := newWorld(t)
	w.leaveAlone("his:a", later(time.Hour))
	last := w.lookAtClock(t.Context(), w.clock)
	assert.Equal(t, time.Hour, w.paused("his:a"))
	w.clock = w.clock.Add(-24 * time.Hour)
	w.lookAtClock(t.Context(), last)
	assert.Zero(t, w.paused("his:a"))
}

// What was claimed together with the effect that was told so is given back.
func TestWhatIsClaimedAlreadyWaitsToo(t *testing.T) {
	busy := &knockedHIS{}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = busy })
	consulting, _ := w.talking(anna, "Een vraag")
	w.arrives(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.text", "body": "Er is meer"})
	turns := &pool{slots: make(chan struct{}, 1), busy: map[string]bool{}, freed: func() {}}
	_, err := w.startTurns(t.Context(), turns)
	require.NoError(t, err)
	turns.wait()
	lane := systemLane(hisName, linde)
	claimed, err := w.Store.ClaimEffects(t.Context(), owner, lane, w.clock, lease, 1, nil)
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	w.leaveAlone(lane, later(time.Minute))
	before := busy.knocks
	w.deliver(t.Context(), claimed[0])
	assert.Equal(t, before, busy.knocks)
	w.passes(time.Minute)
	assert.Equal(t, "Er is meer", busy.filed[len(busy.filed)-1].Text)
}

// Whoever looks somebody up has a lane of its own, and reads no answers in it: they would come twice.
func TestLookingSomebodyUpHasALaneThatReadsNoAnswers(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = &findingHIS{} })
	lanes := lanesOf(w.Practices)
	assert.Contains(t, lanes, lane{systemLane(lookName, linde), lookWorkers})
	assert.NotContains(t, w.Practices[0].systems(), systemLane(lookName, linde))
	system, err := w.systemIn(systemLane(lookName, linde))
	assert.NoError(t, err)
	assert.Equal(t, w.Practices[0].Connector, system.Connector)
}
