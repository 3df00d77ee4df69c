package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/care"
)

func TestWhomAConversationConcernsIsNobodyOfAnother(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	late := w.locked(anna, consulting, "hoort bij de eerste")
	w.passes(time.Hour)
	w.writes(fatima, talk, "!sluiten")
	w.passes(time.Hour)
	w.writes(anna, consulting, "Een andere vraag")
	w.writes(anna, consulting, "over iemand anders")
	w.writes(anna, consulting, "Kees Kanarie")
	assert.Contains(t, w.heard(consulting), "Wat is de geboortedatum van Kees Kanarie?", "who is asked about is named")
	w.unlock(consulting, late)
	assert.Contains(t, w.heard(talk), "hoort bij de eerste")
	assert.NotContains(t, w.heard(talk), "Kanarie")

	p := w.person(anna)
	p.State = care.Unconfirmed // what is in the draft then is what they call themselves
	args, err := w.personArgs(t.Context(), p, task{})
	assert.NoError(t, err)
	assert.Empty(t, args.Whom)
	assert.Equal(t, "Kees Kanarie", args.Said)
}
