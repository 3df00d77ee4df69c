package bridge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
)

// Each practice of an organisation, or its HIS and its CRM, may be the same server. Who reads an
// answer first must not end it for whose it is.
func TestAnAnswerInASharedServerIsLeftToWhoseItIs(t *testing.T) {
	for name, tt := range map[string]struct {
		lane  string
		share func(s *Settings, shared System)
	}{
		"another practice": {systemLane(hisName, "eik"), func(s *Settings, shared System) {
			s.Practices = append(s.Practices, Practice{Practice: care.Practice{ID: "eik", Name: "De Eik"}, System: shared})
		}},
		"the CRM": {systemLane(crmName, linde), func(s *Settings, shared System) { s.Practices[0].CRM = &shared }},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, _ := asking(t, func(s *Settings) { tt.share(s, s.Practices[0].System) })
			require.NoError(t, w.Prepare(t.Context()))
			h.answers = append(h.answers, w.gp("kanarie"))
			require.NoError(t, w.askSystem(t.Context(), tt.lane, h))
			w.settles()
			w.asks()
			assert.Equal(t, 1, strings.Count(w.heard(consulting), "kanarie"))
			assert.Equal(t, []his.Delivery{his.DeliveryReceived, his.DeliveryDelivered}, h.told())
			for _, p := range w.Practices {
				assert.NotContains(t, w.heard(w.roomFor(store.RoomBalie, p.ID)), "is niet doorgegeven")
			}
		})
	}
}
