package bridge

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/rest"
	"github.com/spreekkamer/spreekkamer/store"
)

// A refusingHIS takes messages, and refuses what is said in its list of work.
type refusingHIS struct {
	*talkingHIS
	refuses error
}

func (h *refusingHIS) Track(ctx context.Context, c his.Conversation, at time.Time) error {
	if h.refuses != nil {
		return fmt.Errorf("track a conversation: %w: %w", h.refuses, his.ErrRefused)
	}
	return h.talkingHIS.Track(ctx, c, at)
}

func TestThatTheListOfWorkRefusesIsToldOnceADayWithTheReason(t *testing.T) {
	stubborn := &refusingHIS{refuses: &rest.Error{Status: 422, Code: rest.CodeInvalid, Where: "required, Task.code"}}
	w, h, consulting, talk := asking(t, func(s *Settings) {
		stubborn.talkingHIS = s.Practices[0].Connector.(*talkingHIS)
		s.Practices[0].Connector = stubborn
	})
	balie := w.roomFor(store.RoomBalie, linde)
	told := func() int { return strings.Count(w.heard(balie), "in behandeling is") }
	w.writes(fatima, talk, "Een antwoord")
	w.writes(anna, consulting, "Dank u")
	require.Equal(t, 1, told())
	assert.Contains(t, w.heard(balie), "Reden: het systeem neemt de inhoud niet aan (")
	assert.Contains(t, w.heard(balie), "Task.code")
	assert.Len(t, h.filed, 3, "what is filed goes on")

	next := func(user string) {
		_, talk := w.talking(id.UserID(user), "Een vraag")
		w.writes(fatima, talk, "Een antwoord")
	}
	next("@bram:elders.example")
	assert.Equal(t, 1, told(), "not once per conversation")
	stubborn.refuses = &rest.Error{Status: 413, Code: rest.CodeTooLarge}
	next("@carla:elders.example")
	stubborn.refuses = nil
	next("@daan:elders.example")
	stubborn.refuses = &rest.Error{Status: 413, Code: rest.CodeTooLarge}
	next("@els:elders.example")
	assert.Equal(t, 1, told(), "whatever the reason, and whatever it took between")
	w.passes(day)
	next("@finn:elders.example")
	assert.Equal(t, 2, told(), "a day later")
	w.passes(time.Hour)
	assert.Equal(t, 2, told())
	due, waits, err := w.Store.NextDue(t.Context(), systemLane(hisName, linde))
	require.NoError(t, err)
	assert.False(t, waits, "nothing hangs: %v", due)
	failed, err := w.Store.FailedEffects(t.Context(), mostFailed)
	require.NoError(t, err)
	assert.Empty(t, failed, "nobody has to decide about it")
	for range 3 {
		w.passes(day)
	}
	assert.NotContains(t, w.heard(w.roomFor(store.RoomBeheer, linde)), "Nog niet in het HIS")
}

func TestARefusalOfTheListOfWorkWithoutAReasonIsToldToo(t *testing.T) {
	stubborn := &refusingHIS{refuses: assert.AnError}
	w, _, _, talk := asking(t, func(s *Settings) {
		stubborn.talkingHIS = s.Practices[0].Connector.(*talkingHIS)
		s.Practices[0].Connector = stubborn
	})
	w.writes(fatima, talk, "Een antwoord")
	heard := w.heard(w.roomFor(store.RoomBalie, linde))
	assert.Contains(t, heard, "in behandeling is. In de werklijst van het HIS")
	assert.NotContains(t, heard, "Reden:")
}

// A barringHIS takes messages, and does not let us into its list of work.
type barringHIS struct {
	*talkingHIS
	bars bool
}

func (h *barringHIS) Track(ctx context.Context, c his.Conversation, at time.Time) error {
	if h.bars {
		return fmt.Errorf("track a conversation: %w", &rest.Error{Status: 403, Code: rest.CodeLogin})
	}
	return h.talkingHIS.Track(ctx, c, at)
}

func TestThatTheListOfWorkIsBarredIsToldOnceADayAndTriedOn(t *testing.T) {
	barring := &barringHIS{bars: true}
	w, h, _, talk := asking(t, func(s *Settings) {
		barring.talkingHIS = s.Practices[0].Connector.(*talkingHIS)
		s.Practices[0].Connector = barring
	})
	w.writes(fatima, talk, "Een antwoord")
	for range 5 {
		w.passes(fileBackoff)
	}
	heard := w.heard(w.roomFor(store.RoomBalie, linde))
	assert.Equal(t, 1, strings.Count(heard, "in behandeling is"))
	assert.Contains(t, heard, "Reden: het HIS laat Spreekkamer dit niet doen. Vraag de beheerder van de server naar de rechten. In de werklijst")
	before := len(h.tracked)
	barring.bars = false
	w.passes(fileBackoff)
	assert.Len(t, h.tracked, before+1)
}
