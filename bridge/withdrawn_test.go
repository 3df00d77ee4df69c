package bridge

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestWhatWaitsForStaffDoesNotPassOnceThePatientHasWithdrawn(t *testing.T) {
	w := newWorld(t)
	room, talk := w.talking(anna, "Een vraag")
	w.matrix.fails = func(call string, where id.RoomID) error {
		if call == "send" && where == talk {
			return errors.New("the homeserver is away")
		}
		return nil
	}
	w.writes(anna, room, "nog onderweg")
	w.writes(anna, room, "intrekken")
	require.Equal(t, care.Withdrawn, w.person(anna).State)
	w.matrix.fails = nil
	w.passes(maxBackoff)
	assert.NotContains(t, w.heard(talk), "nog onderweg")
	assert.NotContains(t, w.heard(room), "niet aangekomen")
	counts, err := w.Store.EffectCounts(t.Context())
	require.NoError(t, err)
	assert.Zero(t, counts[store.EffectFailed])
}

func TestStaffOfAnotherPracticeAreNotTakenOver(t *testing.T) {
	w := newWorld(t)
	roos := care.Member{UserID: "@roos:praktijk.example", Name: "Roos", Role: care.Huisarts, Practice: "beuk", Source: "config"}
	require.NoError(t, w.Store.SaveStaff(t.Context(), roos))
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.writes(chef, beheer, "!medewerker+ "+roos.UserID+" beheer Roosje")
	assert.Contains(t, w.heard(beheer), "al bij een andere praktijk")
	is, known, err := w.Store.Staff(t.Context(), roos.UserID)
	require.NoError(t, err)
	assert.True(t, known)
	assert.Equal(t, roos, is)
	w.writes(chef, beheer, "!medewerker+ "+string(fatima)+" beheer Fatima")
	is, _, err = w.Store.Staff(t.Context(), string(fatima))
	require.NoError(t, err)
	assert.Equal(t, care.Beheer, is.Role, "of one's own practice they can be changed")
}
