package bridge

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// limited notes whether a download may take for ever.
type limited struct {
	Matrix
	within time.Duration
}

func (l *limited) Download(ctx context.Context, f *event.EncryptedFileInfo, uri id.ContentURIString, most int64) ([]byte, error) {
	if until, has := ctx.Deadline(); has {
		l.within = time.Until(until)
	}
	return l.Matrix.Download(ctx, f, uri, most)
}

func TestSlowFilesHoldUpNobodyElseAndWaitForEachOther(t *testing.T) {
	w := newWorld(t)
	slow := &limited{Matrix: w.matrix}
	w.Bridge.Matrix = slow
	consulting, talk := w.talking(anna, "Een vraag")
	_, bobs := w.talking(bob, "Een andere vraag")
	for range mostFetching { // others are at it
		w.fetching <- struct{}{}
	}
	w.happens(anna, consulting, event.EventMessage, map[string]any{"msgtype": "m.image", "body": "x.png", "file": w.stored(mediatest.PNG(8, 8))})
	w.writes(bob, w.consulting(bob), "gaat door")
	assert.Contains(t, w.heard(bobs), "gaat door")
	for range 20 { // waiting for others is no trouble with the file
		w.passes(time.Minute)
	}
	assert.NotContains(t, w.heard(talk), "x.png")
	assert.NotContains(t, w.heard(talk), "Wij konden het niet ophalen")
	<-w.fetching
	w.passes(idle)
	assert.Contains(t, w.heard(talk), "Anneke de Berg")
	assert.Len(t, w.fetching, 1, "its place is free again")
	assert.Positive(t, slow.within)
	assert.LessOrEqual(t, slow.within, fetchLimit)
}
