package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestAQuestionReachesStaffAndTheHISAndTheAnswerComesBack(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Ik heb een plek op mijn arm.")
	assert.Contains(t, w.heard(talk), "Ik heb een plek op mijn arm.")
	assert.Contains(t, w.heard(w.roomFor(store.RoomBalie, linde)), "Anneke de Berg")
	w.writes(fatima, talk, "Dat ziet er onschuldig uit.")
	assert.Contains(t, w.heard(consulting), "Fatima, doktersassistent: Dat ziet er onschuldig uit.")
	letters := strings.Join(w.letters(), "\n")
	assert.Contains(t, letters, "Ik heb een plek op mijn arm.")
	assert.Contains(t, letters, "Dat ziet er onschuldig uit.")
}

func TestWhatIsWrittenBeforeConsentIsRemovedAndGoesNowhere(t *testing.T) {
	w := newWorld(t)
	w.moves(anna, "!chat:elders.example", botID, "invite")
	room := w.consulting(anna)
	w.moves(anna, room, anna, "join")
	early := w.writes(anna, room, "Ik heb buikpijn")
	gone, err := w.matrix.Gone(t.Context(), room, early)
	require.NoError(t, err)
	assert.True(t, gone)
	assert.NotContains(t, w.heard(w.roomFor(store.RoomBalie, linde)), "buikpijn")
	assert.Empty(t, w.letters())
}

func TestOnceWithdrawnNothingPasses(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(anna, consulting, "intrekken")
	assert.Equal(t, care.Withdrawn, w.person(anna).State)
	w.writes(anna, consulting, "Dit mag niet verder")
	w.writes(fatima, talk, "En dit ook niet")
	assert.NotContains(t, w.heard(talk), "Dit mag niet verder")
	assert.NotContains(t, w.heard(consulting), "En dit ook niet")
	assert.NotContains(t, strings.Join(w.letters(), "\n"), "mag niet verder")
}

func TestAfterThePeriodEverythingIsGoneAndReadBack(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Retention = time.Hour })
	consulting, talk := w.talking(anna, "Een vraag")
	w.writes(fatima, talk, "Een antwoord")
	w.passes(2 * time.Hour)
	w.sweeps()
	assert.Empty(t, w.said(consulting))
	assert.Empty(t, w.said(talk))
	report, err := w.Store.RetentionReport(t.Context(), w.clock)
	require.NoError(t, err)
	assert.Zero(t, report.Kept+report.Due+report.Redacted+report.Failed, "%+v\n%s", report, w.log)
	assert.Positive(t, report.Verified)
}

func TestTheLogHoldsNoNameAndNoWord(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "kanarie")
	w.writes(fatima, talk, "kanarie terug")
	for _, word := range []string{"kanarie", "Anneke", "Berg", string(anna)} {
		assert.NotContains(t, w.log.String(), word)
	}
}

func TestReactionsAndRemovalsGoToTheOtherSide(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	said := w.writes(anna, consulting, "Dit neem ik terug")
	mirror, known, err := w.Store.MirrorsOf(t.Context(), string(said))
	require.NoError(t, err)
	require.True(t, known)
	w.reacts(fatima, talk, id.EventID(mirror.TargetEvent), "👍")
	last := w.matrix.room(consulting).events
	assert.Equal(t, "👍", last[len(last)-1].Content.AsReaction().RelatesTo.Key)
	w.removes(anna, consulting, said)
	assert.NotContains(t, w.heard(talk), "Dit neem ik terug")
}
