package bridge

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
)

func TestThatAPermissionEndedIsInTheRecordOfEveryConversationAboutThem(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	consulting, first := w.asksFor()
	w.writes(fatima, first, "!sluiten")
	for _, said := range []string{"Hij hoest nog", "2"} {
		w.writes(anna, consulting, said)
	}
	w.passes(time.Second)
	second := w.talk(anna)
	require.NotEqual(t, first, second)
	w.writes(fatima, second, "!derde stop")
	w.writes(fatima, second, "!derde stop")
	assert.Contains(t, w.heard(second), "gaat niet over iemand anders")
	about, ids := map[int64][]string{}, map[uuid.UUID]bool{} // conversations are filed side by side
	for _, item := range h.filed {
		about[item.Conversation.Number] = append(about[item.Conversation.Number], string(item.Kind))
		if ids[item.ID] = true; item.Kind == his.KindWithdrawal {
			assert.Equal(t, "Fatima", item.Author.Name)
			assert.Equal(t, "Tim de Berg", item.Conversation.Derde.Name)
			assert.Equal(t, his.StatusClosed, item.Conversation.Status)
		}
	}
	require.Len(t, about, 2)
	for _, kinds := range about {
		assert.Equal(t, []string{"message", "closing", "withdrawal"}, kinds)
	}
	assert.Len(t, ids, 6)

	w.writes(fatima, second, "!dossier P-9")
	assert.Equal(t, []string{"withdrawal 1", "withdrawal 1"}, filterKinds(kindsOf(h.filed), "withdrawal 1"), "the other record has to say so too")
}

func TestTheDocumentOnClosingIsFiledUnderThePermissionThatEndedWithIt(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	_, talk := w.asksFor()
	w.writes(fatima, talk, "!derde stop")
	assert.Equal(t, []string{"closing 0", "withdrawal 0"}, kindsOf(h.filed))
}

func TestWhatStaffEnterOfADerdeWhosePermissionEndedDoesNotEndItAgain(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, func(s *Settings) { s.Practices[0].Connector = h })
	_, talk := w.asksFor()
	w.writes(fatima, talk, "!derde stop")
	d, err := w.Store.Derden(t.Context(), w.person(anna).ID)
	require.NoError(t, err)
	require.Len(t, d, 1)
	ended, err := w.saveDerde(t.Context(), &d[0])
	require.NoError(t, err)
	assert.False(t, ended)
}

func filterKinds(all []string, kind string) (some []string) {
	for _, k := range all {
		if k == kind {
			some = append(some, k)
		}
	}
	return some
}
