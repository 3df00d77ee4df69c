package bridge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/care"
)

func TestAConnectorThatPanicsIsNotAskedForEver(t *testing.T) {
	h := &findingHIS{bursts: true}
	w, consulting, beheer := finding(t, h)
	w.passes(findLater)
	w.writes(chef, beheer, "!zoeken "+code(w.person(anna))+" 123456782")
	w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 123456782")
	for range findAttempts {
		w.passes(maxBackoff)
	}
	assert.Len(t, h.asked, 3, "once for each question")
	assert.Equal(t, 2, strings.Count(w.heard(beheer), "Opzoeken in het HIS lukte niet bij aanmelding "+code(w.person(anna))+". Opzoeken gaat hier mis."))
	assert.Contains(t, w.heard(beheer), "Nog niet gekoppeld. Opzoeken gaat hier mis.")
	assert.Equal(t, []string{"bot: name failed", string(chef) + ": bsn failed", string(chef) + ": bsn failed"}, w.lookedUp())
	assert.Equal(t, care.Awaiting, w.person(anna).State)
	assert.Equal(t, 3, strings.Count(w.log.String(), "Looking up a patient panicked"))
	assert.NotContains(t, w.log.String(), "de Berg")
	w.keepsNoBSN(consulting)

	h.bursts = false
	w.writes(chef, beheer, "!goedkeuren "+code(w.person(anna))+" P-4711 123456782 toch")
	assert.Equal(t, care.Active, w.person(anna).State, "nothing is stuck")
}
