package bridge

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// A HIS that was away for long has had many attempts; that says nothing about the photo.
func TestAPhotoThatFailsOnceAfterALongOutageOfTheHISIsFiledAllTheSame(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	require.NoError(t, os.Rename(w.his, w.his+"-away"))
	require.NoError(t, os.WriteFile(w.his, nil, 0o600))
	w.happens(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "x.png", "file": w.stored(mediatest.PNG(8, 8))})
	for range 10 {
		w.passes(10 * time.Minute)
	}
	require.NoError(t, os.Remove(w.his))
	require.NoError(t, os.Rename(w.his+"-away", w.his))
	failures := 1
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "download" && failures > 0 {
			failures--
			return errors.New("502 bad gateway")
		}
		return nil
	}
	w.passes(10 * time.Minute)
	w.passes(10 * time.Minute)
	assert.Zero(t, failures)
	assert.Len(t, w.filed("*.png"), 1)
}

func TestTroubleIsCountedFromItsFirstFailureAndForgottenWhenItIsOver(t *testing.T) {
	var ts troubles
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	assert.Equal(t, trouble{1, noon}, ts.failed("a", noon))
	assert.Equal(t, trouble{2, noon}, ts.failed("a", noon.Add(time.Hour)))
	assert.Equal(t, trouble{1, noon.Add(time.Hour)}, ts.failed("b", noon.Add(time.Hour)))
	ts.over("a")
	assert.Equal(t, trouble{1, noon.Add(2 * time.Hour)}, ts.failed("a", noon.Add(2*time.Hour)))
}

func TestTroublesDoNotGrowWithoutBound(t *testing.T) {
	var ts troubles
	for n := range 3 * mostTroubles {
		ts.failed(strconv.Itoa(n), time.Time{})
	}
	assert.LessOrEqual(t, len(ts.all), mostTroubles)
}

// What breaks an attempt off says nothing about the file that was being read just then.
func TestAnAttemptThatIsBrokenOffIsNoTroubleWithTheFile(t *testing.T) {
	w := newWorld(t)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	tries := func(ctx context.Context, u urgency) (err error) {
		for range 2 * leastTry {
			w.clock = w.clock.Add(fileWait)
			err = w.patience(ctx, "a", u, assert.AnError, fileWait, "gone")
		}
		return err
	}
	assert.Equal(t, assert.AnError, tries(stopped, calm))
	assert.Equal(t, assert.AnError, tries(stopped, pressed))
	assert.Equal(t, assert.AnError, tries(late, calm))
	assert.Empty(t, w.troubles.all)
	assert.Equal(t, "gone", reasonOf(tries(late, pressed)), "the chat has to go")
	w.troubles.over("a")
	assert.Equal(t, "gone", reasonOf(tries(t.Context(), calm)))
}

// That a clock was set ahead is not that a file could not be fetched for so long.
func TestAClockThatIsSetAheadGivesNoFileUp(t *testing.T) {
	w := newWorld(t)
	pass := w.ticks()
	pass(fileWait)
	tries := func() (err error) {
		for range 2 * leastTry {
			err = w.patience(t.Context(), "a", calm, assert.AnError, fileWait, "gone")
		}
		return err
	}
	assert.Equal(t, assert.AnError, tries())
	w.clock = w.clock.Add(time.Hour)
	assert.Equal(t, assert.AnError, tries())
	pass(fileWait)
	assert.Equal(t, "gone", reasonOf(tries()))
}

func TestASystemIsGivenALimitedTime(t *testing.T) {
	h := &hurriedHIS{keepingHIS: keepingHIS{files: map[string][]byte{}}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	w.talking(anna, "Een vraag")
	assert.Len(t, h.filed, 1)
	assert.True(t, h.limited)
}

type hurriedHIS struct {
	keepingHIS
	limited bool
}

func (h *hurriedHIS) File(ctx context.Context, item his.Item) (his.Receipt, error) {
	_, h.limited = ctx.Deadline()
	return h.keepingHIS.File(ctx, item)
}
