package bridge

import (
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

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
