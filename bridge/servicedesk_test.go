package bridge

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestTheServicedeskIsInNoRoomWherePatientsAreNamedOrWrite(t *testing.T) {
	w := newWorld(t)
	desk := id.UserID("@sam:praktijk.example")
	w.staff(desk, "Sam", care.Servicedesk)
	require.NoError(t, w.MendStaff(t.Context()))
	w.settles()
	_, talk := w.talking(anna, "Een vraag")
	for name, room := range map[string]id.RoomID{
		"space": w.roomFor(store.RoomSpace, linde), "Balie": w.roomFor(store.RoomBalie, linde),
		"Beheer": w.roomFor(store.RoomBeheer, linde), "conversation": talk,
	} {
		invited := w.matrix.room(room).Invite
		assert.Contains(t, invited, fatima, name)
		assert.NotContains(t, invited, desk, name)
	}
}
