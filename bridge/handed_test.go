package bridge

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// flaky lets the first calls of a kind in a room fail, and counts what is asked ("" = anywhere).
func (w *world) flaky(call string, room id.RoomID, times int) (asked map[string]int) {
	asked = map[string]int{}
	w.matrix.fails = func(what string, where id.RoomID) error {
		asked[what]++
		if what == call && (room == "" || where == room) && times > 0 {
			times--
			return errors.New("bad gateway")
		}
		return nil
	}
	return asked
}

func (w *world) sendsPhoto(sender id.UserID, room id.RoomID) {
	w.Helper()
	w.happens(sender, room, event.EventMessage, map[string]any{
		"msgtype": "m.image", "body": "plek.png", "file": w.stored(mediatest.PNG(8, 8)),
		"info": map[string]any{"thumbnail_file": w.stored(mediatest.PNG(4, 4))},
	})
}

func TestWhoeverTalksWaitsNoMinutesForTheNextTry(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.flaky("send", talk, 12)
	w.writes(anna, consulting, "Bent u daar?")
	w.writes(anna, consulting, "Hallo?")
	for range 12 {
		require.NotContains(t, w.heard(talk), "Bent u daar?")
		w.passes(chatBackoff)
	}
	heard := w.heard(talk)
	assert.Less(t, strings.Index(heard, "Bent u daar?"), strings.Index(heard, "Hallo?"))
	assert.Equal(t, 1, strings.Count(heard, "Bent u daar?"))
}

func TestATurnIsTakenSoonAgainWhenItsEventCannotBeFetched(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.flaky("read", consulting, 12)
	w.writes(anna, consulting, "Bent u daar?")
	for range 12 {
		require.NotContains(t, w.heard(talk), "Bent u daar?")
		w.passes(chatBackoff)
	}
	assert.Contains(t, w.heard(talk), "Bent u daar?")
}

func TestAFileIsHandedOverOnceHoweverOftenItsMessageFails(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	asked := w.flaky("send", talk, 5)
	w.sendsPhoto(anna, consulting)
	for range 6 {
		w.passes(chatBackoff)
	}
	assert.True(t, strings.HasSuffix(w.heard(talk), "---\nAnneke de Berg"), "the photo arrives: %s", w.heard(talk))
	assert.Equal(t, 2, asked["upload"], "the photo and its small picture")
	assert.Empty(t, w.handed.all, "nothing is remembered of what has arrived")
}

func TestWhatIsCalledOffIsNotRemembered(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.flaky("send", talk, 1000)
	w.sendsPhoto(anna, consulting)
	w.passes(chatBackoff)
	require.Len(t, w.handed.all, 1)
	w.writes(anna, consulting, "intrekken")
	for range 3 {
		w.passes(chatBackoff)
	}
	assert.Empty(t, w.handed.all)
	assert.NotContains(t, w.heard(talk), "plek.png")
}

func TestAFileIsNotItsOwnSmallPicture(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	f := w.stored([]byte("%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"))
	w.happens(anna, consulting, event.EventMessage, map[string]any{
		"msgtype": "m.file", "body": "uitslag.pdf", "file": f, "info": map[string]any{"thumbnail_file": f},
	})
	info, _ := w.lastOf(talk, event.EventMessage)["info"].(map[string]any)
	require.NotEmpty(t, info)
	assert.NotContains(t, info, "thumbnail_file")
}
