package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
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
	w.Privacy.URL = "https://example.com/privacy"
	w.Privacy.Version, w.Terms.Version = "2", "2"
	require.NotEqual(t, before, w.consentText("nl", care.DerdeData).version)
	w.writes(anna, consulting, "Nog steeds")
	require.Len(t, h.filed, 2)
	for _, item := range h.filed {
		assert.Equal(t, before, item.Conversation.Derde.StatementVersion)
	}
	assert.Equal(t, "https://example.com/privacy#"+before, h.filed[1].Conversation.Derde.StatementURI, "of that version")
}

// A Dutch record is in Dutch, also where staff read English in the chat; the HIS knows the Dutch words.
func TestTheRecordIsInDutchWhateverTheChatIsIn(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, asItComes(h), func(s *Settings) { s.Language = "en" })
	consulting := w.registered(anna)
	for _, said := range []string{"My son coughs", "2", "Tim de Berg", "1-2-2020", "1", "1"} {
		w.writes(anna, consulting, said)
	}
	w.passes(time.Second)
	talk := w.talk(anna)
	w.replies(fatima, talk, w.left(talk, "My son coughs")[0], "!vergissing")
	require.Len(t, h.filed, 2, w.heard(consulting))
	assert.Equal(t, "kind", h.filed[0].Conversation.Derde.Relation)
	assert.Contains(t, h.filed[1].Text, "Dit bericht hoort hier niet")
}

// Nobody knows which part of the name that somebody typed is the family name.
func TestTheNameOfADerdeWithARecordIsNotTakenForAFamilyName(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, asItComes(h))
	consulting := w.registered(anna)
	for _, said := range []string{"Mijn zoon hoest", "2", "Tim de Berg", "1-2-2020", "1", "1"} {
		w.writes(anna, consulting, said)
	}
	w.passes(time.Second)
	w.writes(fatima, w.talk(anna), "!dossier P-9")
	whom := h.filed[len(h.filed)-1].Conversation.Derde.Patient
	require.NotNil(t, whom)
	assert.Equal(t, his.Patient{Number: "P-9", Name: "Tim de Berg", BirthDate: whom.BirthDate}, *whom)
	assert.Contains(t, his.Readable(h.filed[len(h.filed)-1], nil), "Patiënt:     Tim de Berg, geboren")
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
