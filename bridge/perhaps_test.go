package bridge

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestAnEffectWhoseTryWasCutShortMayHaveArrived(t *testing.T) {
	e := job("file", fileIn(hisName, "1"), body{})
	e.Lane, e.State, e.Attempt = systemLane(hisName, linde), store.EffectQueued, 1
	assert.True(t, mayBeThere(e), "it is being tried, or was when we died")
	e.Vain = vainOf(e, assert.AnError)
	assert.False(t, mayBeThere(e))
	e.Attempt++
	assert.True(t, mayBeThere(e), "again")
	e.Attempt++ // after we died
	e.Vain = vainOf(e, assert.AnError)
	assert.True(t, mayBeThere(e), "what became of the second is not known")
	e.State = store.EffectFailed
	assert.True(t, mayBeThere(e), "however it ends")
}

// triesEnd is how the tries of a message may end.
var triesEnd = map[string]struct {
	first, last func(sure error) error // nil: there is one try
	perhaps     bool
}{
	"refused after a part":                        {nil, func(error) error { return his.ErrRefused }, true},
	"its answer lost, and then refused":           {func(error) error { return assert.AnError }, certainRefusal, true},
	"nobody there, and then refused":              {func(sure error) error { return sure }, certainRefusal, false},
	"what it is to file was wrong from the start": {nil, certainRefusal, false},
}

func certainRefusal(error) error { return fmt.Errorf("item 7: %w", his.FlawNoAuthor) }

// refuse has a HIS refuse a message for good.
func (w *world) refuse(h *keepingHIS, who id.UserID, room id.RoomID, first, last func(error) error) (message id.EventID) {
	w.Helper()
	sure := certainly(w.T, h.filed[0])
	if h.err = last(sure); first != nil {
		h.err = first(sure)
	}
	message = w.writes(who, room, "kanarie")
	h.err = last(sure)
	w.passes(fileBackoff)
	require.Len(w, w.refusedNow(), 1)
	h.err = nil
	return message
}

func TestWhatWasRefusedButMayBeThereIsMarkedAsRemoved(t *testing.T) {
	for name, tt := range triesEnd {
		t.Run(name, func(t *testing.T) {
			w, h := withKeeping(t)
			consulting, talk := w.talking(anna, "Een vraag")
			message := w.refuse(h, anna, consulting, tt.first, tt.last)
			w.removes(anna, consulting, message)
			assert.Equal(t, tt.perhaps, h.filed[len(h.filed)-1].Kind == his.KindRemoval)
			if tt.perhaps {
				assert.Contains(t, w.heard(talk), "misschien staat het al in het dossier")
			}
		})
	}
}

func TestWhatWasRefusedButMayBeThereIsNotSaidToBeMissing(t *testing.T) {
	for name, tt := range triesEnd {
		t.Run(name, func(t *testing.T) {
			w, h := withKeeping(t)
			consulting, talk := w.talking(anna, "Een vraag")
			w.refuse(h, anna, consulting, tt.first, tt.last)
			w.reacts(fatima, w.balie(), w.cards()[0], "✗")
			w.writes(fatima, talk, "!sluiten")
			last := h.filed[len(h.filed)-1]
			require.Equal(t, his.KindClosing, last.Kind)
			assert.Equal(t, !tt.perhaps, len(last.Closing.Gone) > 0, last.Closing.Gone)
		})
	}
}

// The system has it, and that could not be stored.
func TestWhatWasFiledWhileThatCouldNotBeStoredMayBeThere(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.loses(`CREATE TRIGGER broken BEFORE UPDATE OF state ON outbox WHEN NEW.state = 'done' AND NEW.kind = 'file' BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
	message := w.writes(anna, consulting, "kanarie")
	require.Len(t, h.filed, 2)
	w.loses(`DROP TRIGGER broken`)
	w.removes(anna, consulting, message)
	w.passes(fileBackoff)
	assert.Equal(t, his.KindRemoval, h.filed[len(h.filed)-1].Kind)
	assert.Contains(t, w.heard(talk), "misschien staat het al in het dossier")
}

// The HIS is down until the chat has to go, and the homeserver does not let it go yet.
func TestWhatItsSenderRemovesWhileItIsSealedIsNotFiled(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Een vraag")
	h.err = certainly(t, h.filed[0])
	first := w.writes(anna, consulting, "kanarie een")
	second := w.writes(anna, consulting, "kanarie twee") // nobody tried it
	w.edits(anna, consulting, first, "kanarie drie")
	w.matrix.fails = func(call string, _ id.RoomID) error {
		if call == "redact" {
			return assert.AnError
		}
		return nil
	}
	w.passes(30*day - time.Hour)
	w.sweepsOnce()
	require.Equal(t, 3, w.sealed())
	w.matrix.fails = nil
	w.removes(anna, consulting, first)
	w.removes(anna, consulting, second)
	h.err = nil
	w.passes(maxBackoff)
	w.writes(fatima, talk, "!sluiten")
	assert.NotContains(t, h.all(), "kanarie")
	last := h.filed[len(h.filed)-1]
	require.Equal(t, his.KindClosing, last.Kind)
	assert.Equal(t, []int{2, 3, 4}, last.Closing.Gone)
}

// Also where it was refused, where it is perhaps there, and where it waits for the document.
func TestWhatItsSenderRemovesWhileItIsSealedIsFiledFromNowhere(t *testing.T) {
	for name, tt := range map[string]struct {
		onClosing bool
		fails     func(his.Item) error
	}{
		"refused":          {false, func(his.Item) error { return his.ErrRefused }},
		"perhaps there":    {false, func(his.Item) error { return assert.AnError }},
		"for the document": {true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := &keepingHIS{files: map[string][]byte{}}
			w := newWorld(t, func(s *Settings) { s.Practices[0].Connector, s.Practices[0].OnClosing = h, tt.onClosing })
			consulting, talk := w.talking(anna, "Een vraag")
			if tt.fails != nil {
				h.err = tt.fails(h.filed[0])
			}
			message := w.writes(anna, consulting, "kanarie")
			w.matrix.fails = func(call string, _ id.RoomID) error {
				if call == "redact" {
					return assert.AnError
				}
				return nil
			}
			w.passes(30*day - time.Hour)
			w.sweepsOnce()
			require.NotZero(t, w.sealed())
			w.matrix.fails = nil
			w.removes(anna, consulting, message)
			h.err = nil
			w.filesAgain()
			w.writes(fatima, talk, "!sluiten")
			assert.NotContains(t, h.all(), "kanarie")
		})
	}
}

// sealed is how much of what Anna's conversation files is kept here.
func (w *world) sealed() (n int) {
	w.Helper()
	filed, err := w.Store.Filings(w.Context(), w.person(anna).Current)
	require.NoError(w, err)
	for _, e := range filed {
		if _, is, err := w.Store.OpenSealed(w.Context(), e.ID); err == nil && is {
			n++
		}
	}
	return n
}
