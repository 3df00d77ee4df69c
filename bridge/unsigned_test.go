package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

const howToVerify = "nog niet bevestigd"

func TestWhatComesFromAnUnsignedDevicePassesMarkedAndItsOwnerIsToldOnce(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.unsigned[anna] = "PHONE"
	w.writes(anna, consulting, "eerste")
	w.writes(anna, consulting, "tweede")
	assert.Contains(t, w.heard(talk), "Anneke de Berg: [van een apparaat dat niet is bevestigd] eerste")
	assert.Equal(t, 1, strings.Count(w.heard(consulting), howToVerify))
	w.matrix.unsigned[anna] = "LAPTOP"
	w.writes(anna, consulting, "derde")
	assert.Equal(t, 2, strings.Count(w.heard(consulting), howToVerify), "each device")

	w.matrix.unsigned[fatima] = "PC"
	w.writes(fatima, talk, "antwoord")
	w.writes(fatima, talk, "!help")
	assert.Contains(t, w.heard(consulting), "[van een apparaat dat niet is bevestigd] antwoord")
	assert.Equal(t, 1, strings.Count(w.heard(talk), howToVerify))
	delete(w.matrix.unsigned, anna)
	w.writes(anna, consulting, "bevestigd")
	assert.Contains(t, w.heard(talk), "Anneke de Berg: bevestigd")
}

func TestWhereTheSettingsSayItAnUnsignedDeviceWaitsUntilItIsVerified(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.HoldUnsigned = true })
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.unsigned[anna] = "PHONE"
	first := w.writes(anna, consulting, "eerste")
	w.writes(anna, consulting, "tweede")
	w.passes(3 * time.Hour)
	assert.Empty(t, order(w.heard(talk), "eerste", "tweede"))
	assert.Equal(t, 1, strings.Count(w.heard(consulting), howToVerify))
	assert.Equal(t, 2, strings.Count(w.heard(consulting), "wacht tot u dit apparaat heeft bevestigd"))
	assert.True(t, w.isParked(first))

	delete(w.matrix.unsigned, anna)
	w.DevicesChanged([]id.UserID{fatima})
	w.settles()
	assert.True(t, w.isParked(first), "someone else's devices change nothing")
	w.DevicesChanged([]id.UserID{anna})
	w.settles()
	assert.Equal(t, []string{"te laat ontvangen", "eerste", "te laat ontvangen", "tweede"}, order(w.heard(talk), "te laat ontvangen", "eerste", "tweede"))
}

func TestWhatHasToGoOrTakesConsentBackWaitsForNoDevice(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.HoldUnsigned = true })
	w.matrix.unsigned[anna] = "PHONE"
	w.moves(anna, "!chatanna:elders.example", botID, event.MembershipInvite)
	consulting := w.consulting(anna)
	w.moves(anna, consulting, anna, event.MembershipJoin)
	isGone := func(e id.EventID) bool {
		gone, err := w.matrix.Gone(t.Context(), consulting, e)
		require.NoError(t, err)
		return gone && !w.isParked(e)
	}
	assert.True(t, isGone(w.writes(anna, consulting, "kanarie voor de toestemming")))
	assert.True(t, w.isParked(w.writes(anna, consulting, "1")), "an answer waits")
	delete(w.matrix.unsigned, anna)
	w.DevicesChanged([]id.UserID{anna})
	w.settles()
	for _, answer := range []string{"1", "1", "Anneke", "de Berg", "0612345678", "anneke@post.example", "31-5-1980", "1", "1", "1"} {
		w.writes(anna, consulting, answer)
	}
	w.writes(chef, w.roomFor(store.RoomBeheer, linde), "!goedkeuren "+code(w.person(anna))+" P-4711")
	w.writes(anna, consulting, "Een vraag")
	w.writes(anna, consulting, "over mijzelf")
	w.passes(time.Second)
	talk := w.talk(anna)

	w.matrix.unsigned[anna] = "PHONE"
	said := w.writes(anna, consulting, "gewoon")
	assert.True(t, w.isParked(said))
	assert.True(t, isGone(w.writes(anna, consulting, "kanarie 123456782")))
	w.writes(anna, consulting, "intrekken")
	assert.Equal(t, care.Withdrawn, w.person(anna).State)
	w.passes(maxKeyBackoff)
	assert.True(t, isGone(said), "what was held goes too")
	assert.Empty(t, order(w.heard(talk), "kanarie", "gewoon"))
}

func TestWhatIsWrittenWithoutEncryptionIsRemovedAndGoesNowhere(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	beheer := w.roomFor(store.RoomBeheer, linde)
	w.matrix.bare = map[id.UserID]bool{anna: true, fatima: true, chef: true}
	letters := len(w.bundles())
	for _, one := range []struct {
		who  id.UserID
		room id.RoomID
		text string
	}{{anna, consulting, "naakt van Anna"}, {anna, consulting, "intrekken"}, {fatima, talk, "naakt van Fatima"}, {fatima, talk, "!sluiten"}, {chef, beheer, "!medewerkers"}} {
		e := w.writes(one.who, one.room, one.text)
		gone, err := w.matrix.Gone(t.Context(), one.room, e)
		require.NoError(t, err)
		assert.True(t, gone, one.text)
		assert.Contains(t, w.heard(one.room), "was niet versleuteld en is verwijderd; stuur het versleuteld")
	}
	assert.NotContains(t, w.heard(talk)+w.heard(consulting), "naakt")
	assert.NotContains(t, w.heard(beheer), "Medewerkers van")
	assert.Len(t, w.bundles(), letters)
	assert.Equal(t, care.Active, w.person(anna).State)
	w.matrix.bare = nil
	w.writes(anna, consulting, "versleuteld")
	assert.Contains(t, w.heard(talk), "Anneke de Berg: versleuteld")
}

func TestOfTheDevicesOfStrangersNothingIsRemembered(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.matrix.unsigned[bob], w.matrix.unsigned[anna], w.matrix.unsigned[fatima] = "PHONE", "PHONE", "PHONE"
	w.writes(bob, consulting, "ik hoor hier niet")
	w.writes(bob, talk, "ik hoor hier niet")
	w.writes(anna, consulting, "ik wel")
	w.writes(fatima, talk, "ik ook")
	for user, strange := range map[id.UserID]bool{bob: true, anna: false, fatima: false} {
		first, err := w.Store.TellDevice(t.Context(), string(user), "PHONE", w.clock)
		require.NoError(t, err)
		assert.Equal(t, strange, first, user)
	}
	assert.NotContains(t, w.heard(talk), "ik hoor hier niet")
}

func TestADeviceIsUnsignedUnlessItsOwnersIdentitySignedIt(t *testing.T) {
	for state, want := range map[id.TrustState]bool{
		id.TrustStateBlacklisted: true, id.TrustStateDeviceKeyMismatch: true, id.TrustStateUnset: true, id.TrustStateUnknownDevice: true,
		id.TrustStateForwarded: false, id.TrustStateCrossSignedUntrusted: false, id.TrustStateCrossSignedTOFU: false, id.TrustStateVerified: false,
	} {
		evt := &event.Event{Mautrix: event.MautrixInfo{WasEncrypted: true, TrustState: state}}
		assert.Equal(t, want, unsigned(evt), state)
	}
	assert.False(t, unsigned(&event.Event{}), "what was not encrypted says nothing about a device")
}
