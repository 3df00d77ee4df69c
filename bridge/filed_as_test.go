package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
)

// A member of staff is one Practitioner in the HIS, and no other practice's.
func TestAMemberOfStaffIsTheSameInEveryConversation(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	for _, patient := range []id.UserID{anna, bob} {
		_, talk := w.talking(patient, "Een vraag")
		w.writes(fatima, talk, "Een antwoord")
	}
	require.Len(t, h.filed, 4)
	assert.Equal(t, h.filed[1].Author, h.filed[3].Author)
	assert.NotEqual(t, staffID("a", string(fatima), "Fatima"), staffID("b", string(fatima), "Fatima"))
	talk := w.talk(anna)
	w.writes(fatima, talk, "!naam Fatima de Wit")
	w.writes(fatima, talk, "Een antwoord")
	assert.NotEqual(t, h.filed[1].Author.ID, h.filed[len(h.filed)-1].Author.ID, "the HIS has to show the new name")
}

// What was attested stays what it was when the statement gets a new version.
func TestTheVersionThatWasAttestedIsFiled(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting := w.registered(anna)
	for _, said := range []string{"Mijn zoon hoest", "2", "Tim de Berg", "1-2-2020", "1", "1"} {
		w.writes(anna, consulting, said)
	}
	w.passes(time.Second)
	before := w.consentText("nl", care.DerdeData).version
	w.Privacy.Version, w.Terms.Version = "2", "2"
	require.NotEqual(t, before, w.consentText("nl", care.DerdeData).version)
	w.writes(anna, consulting, "Nog steeds")
	require.Len(t, h.filed, 2)
	for _, item := range h.filed {
		assert.Equal(t, before, item.Conversation.Derde.StatementVersion)
	}
}

// What the HIS calls a message is kept with it, so that one can be found there; nothing of what it says is.
func TestWhatTheSystemCallsAMessageIsKept(t *testing.T) {
	w, _, _ := refusing(t)
	w.filesAgain()
	filed, err := w.Store.Filings(w.Context(), w.person(anna).Current)
	require.NoError(t, err)
	require.NotEmpty(t, filed)
	for _, e := range filed {
		assert.Regexp(t, `^Communication/\d+/_history/1$`, e.Reference)
	}
}
