package bridge

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/his"
)

func TestStaffAskWhatOfAConversationIsInTheRecord(t *testing.T) {
	w, h := withKeeping(t)
	consulting, talk := w.talking(anna, "Ik hoest")
	w.writes(fatima, talk, "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Van dit gesprek staat 1 bericht in het HIS.")
	hoest := w.left(talk, "Ik hoest")[0]
	w.replies(fatima, talk, hoest, "!vastgelegd")
	assert.Contains(t, w.heard(talk), "✓ Dit bericht staat in het HIS, als Communication/1/_history/1.")

	h.err = assert.AnError
	w.writes(anna, consulting, "Ik heb koorts")
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Dit bericht staat nog niet in het HIS.")
	h.err = his.ErrRefused
	w.filesAgain()
	w.replies(fatima, talk, w.left(talk, "koorts")[0], "!vastgelegd")
	assert.Contains(t, w.heard(talk), "is niet goed vastgelegd in het HIS. In de Balie staat waarom")
	w.writes(fatima, talk, "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Van dit gesprek staat 1 bericht in het HIS. Niet zeker: 1, kijk dat zelf na.", "its answer was lost before it refused")
	assert.NotContains(t, w.heard(consulting), "Communication")
}

func TestWhatIsFiledOnClosingIsSaidToBeComing(t *testing.T) {
	h := &keepingHIS{files: map[string][]byte{}}
	w := newWorld(t, onClosing(h))
	_, talk := w.talking(anna, "Ik hoest")
	w.writes(fatima, talk, "!vastgelegd")
	assert.Contains(t, w.heard(talk), "De rest volgt als u het gesprek sluit.")
	w.replies(fatima, talk, w.left(talk, "Ik hoest")[0], "!vastgelegd")
	assert.Contains(t, w.heard(talk), "Dit bericht komt in het verslag als u het gesprek sluit.")
}
