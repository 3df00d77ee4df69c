package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestNobodyEditsAwayWhatAnotherWroteThatIsMissing(t *testing.T) {
	w := newWorld(t)
	const mark = id.UserID("@mark:praktijk.example")
	w.staff(mark, "Mark", care.Huisarts)
	consulting, talk := w.talking(anna, "Een vraag")
	missing := w.locked(fatima, talk, "van Fatima")
	elsewhere := w.locked(anna, consulting, "van de patiënt")
	w.passes(time.Hour)
	w.edits(mark, talk, missing, "van Mark")
	w.edits(fatima, talk, elsewhere, "van hiernaast")
	assert.True(t, w.isParked(missing))
	assert.True(t, w.isParked(elsewhere))
	w.unlock(talk, missing)
	w.unlock(consulting, elsewhere)
	assert.Contains(t, w.heard(consulting), "van Fatima")
	assert.Contains(t, w.heard(talk), "van de patiënt")
	assert.NotContains(t, w.heard(consulting), "van Mark")
	assert.NotContains(t, w.heard(consulting), "van hiernaast")
}

func TestNobodyEditsWhatAnotherWrote(t *testing.T) {
	w := newWorld(t)
	const mark = id.UserID("@mark:praktijk.example")
	w.staff(mark, "Mark", care.Huisarts)
	consulting, talk := w.talking(anna, "Een vraag")
	asked, said := w.writes(anna, consulting, "nog een vraag"), w.writes(fatima, talk, "van Fatima")
	w.edits(mark, talk, said, "van Mark")
	w.edits(fatima, talk, id.EventID(w.mirrorOf(asked, talk)), "een andere vraag")
	w.edits(anna, consulting, id.EventID(w.mirrorOf(said, consulting)), "een ander antwoord")
	assert.NotContains(t, w.heard(consulting), "van Mark")
	assert.NotContains(t, w.heard(consulting), "een andere vraag")
	assert.NotContains(t, w.heard(talk), "een ander antwoord")
	w.edits(fatima, talk, said, "toch van Fatima")
	assert.Contains(t, w.heard(consulting), "toch van Fatima")
}

func TestALateEditOfAnEarlierConsentIsRemoved(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "gewoon")
	w.passes(time.Minute)
	late := w.lockedEvent(anna, consulting, map[string]any{
		"msgtype": "m.text", "body": "* kanarie", "m.new_content": map[string]any{"msgtype": "m.text", "body": "kanarie"},
		"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": string(said)},
	})
	w.passes(time.Hour)
	w.writes(anna, consulting, "intrekken")
	w.passes(time.Minute)
	for range 10 { // again, both consents, and what is known of them is right
		if w.person(anna).State != care.Awaiting {
			w.writes(anna, consulting, "1")
		}
	}
	w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!goedkeuren "+code(w.person(anna))+" P-4711")
	require.Equal(t, care.Active, w.person(anna).State, w.heard(consulting))
	w.unlock(consulting, late)
	assert.NotContains(t, w.heard(talk)+strings.Join(w.letters(), ""), "kanarie")
	gone, err := w.matrix.Gone(t.Context(), consulting, late)
	require.NoError(t, err)
	assert.True(t, gone)
	assert.Contains(t, w.heard(consulting), "hebben het weggehaald")
}
