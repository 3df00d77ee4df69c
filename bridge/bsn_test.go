package bridge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestABSNThatStaffWriteStaysWhereItIs(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, talk := w.talking(anna, "Een vraag")
	const told = "want er staat een burgerservicenummer in"
	w.writes(fatima, talk, "Uw nummer is 1234 56 782")
	assert.Equal(t, 1, strings.Count(w.heard(talk), told))
	said := w.writes(fatima, talk, "Bel ons op 020 123 4567, om 10:30")
	w.edits(fatima, talk, said, "Uw nummer is 123456782")
	assert.Equal(t, 2, strings.Count(w.heard(talk), told))
	assert.Contains(t, w.heard(consulting), "Fatima, doktersassistent: Bel ons op 020 123 4567, om 10:30")
	assert.NotContains(t, w.heard(consulting), "Uw nummer is")
	assert.Equal(t, []string{"message 0", "message 0"}, kindsOf(h.filed))
	assert.Contains(t, h.filed[1].Text, "020 123 4567")
}
