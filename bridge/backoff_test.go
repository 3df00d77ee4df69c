package bridge

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBackoffGrowsToFiveMinutes(t *testing.T) {
	assert.Equal(t, time.Second, backoff(-1))
	assert.Equal(t, time.Second, backoff(0))
	assert.Equal(t, 8*time.Second, backoff(3))
	assert.Equal(t, maxBackoff, backoff(60))
	assert.Equal(t, 8*time.Second, shortly(3))
	assert.Equal(t, chatBackoff, shortly(60))
	assert.Equal(t, 32*time.Second, patiently(5))
	assert.Equal(t, time.Minute, patiently(6))
	assert.Equal(t, time.Minute, patiently(60))
}

func TestTheLogTellsOfFailuresLessAndLess(t *testing.T) {
	var told []int
	for attempt := range 100 {
		if worthSaying(attempt) {
			told = append(told, attempt)
		}
	}
	assert.Equal(t, []int{0, 1, 2, 4, 8, 16, 32, 64}, told)
}

func TestAnHourWithoutAHomeserverIsAFewLines(t *testing.T) {
	w := newWorld(t)
	consulting, _ := w.talking(anna, "Een vraag")
	w.failsAt(consulting, func() error { return errors.New("bad gateway") })
	w.writes(anna, consulting, "Bent u daar?")
	for range time.Hour / chatBackoff {
		w.passes(chatBackoff)
	}
	assert.LessOrEqual(t, strings.Count(w.log.String(), "Turn failed"), 5)
}
