package bridge

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

func newPool(slots int) *pool {
	return &pool{slots: make(chan struct{}, slots), busy: map[string]bool{}, freed: func() {}}
}

func TestAPoolRunsOneJobPerKey(t *testing.T) {
	p, release := newPool(2), make(chan struct{})
	assert.True(t, p.start(t.Context(), "anna", func() { <-release }))
	assert.False(t, p.start(t.Context(), "anna", func() { t.Error("two jobs of one key at once") }))
	done := make(chan struct{})
	assert.True(t, p.start(t.Context(), "bert", func() { close(done) }))
	<-done // another key is not held up
	close(release)
	p.wait()
	assert.Empty(t, p.keys())
}

func TestAPoolWithoutASlotGivesUpWhenStopped(t *testing.T) {
	p, release := newPool(1), make(chan struct{})
	assert.True(t, p.start(t.Context(), "anna", func() { <-release }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.False(t, p.start(ctx, "bert", func() { t.Error("it was stopped") }))
	close(release)
	p.wait()
	assert.Empty(t, p.keys(), "a key that did not run is free again")
}

func TestAPoolNeverRunsMoreThanItsSlots(t *testing.T) {
	p := newPool(3)
	var mu sync.Mutex
	running, most := 0, 0
	for i := range 50 {
		p.start(t.Context(), string(rune('a'+i)), func() {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			mu.Lock()
			running--
			mu.Unlock()
		})
	}
	p.wait()
	assert.LessOrEqual(t, most, 3)
}

func TestABellThatRangTwiceIsHeardOnce(t *testing.T) {
	b := newBell()
	b.ring()
	b.ring()
	assert.NoError(t, b.wait(t.Context(), time.Hour))
	assert.Empty(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, b.wait(ctx, time.Hour), context.Canceled)
}

func TestWhoMayGiveWhichCommand(t *testing.T) {
	for _, tt := range []struct {
		role care.Role
		room store.RoomKind
		want []string
	}{
		{care.Beheer, store.RoomBeheer, []string{"approve", "confirm", "decline", "help", "look_up", "name", "retention", "staff.add", "staff.list", "staff.remove"}},
		{care.Doktersassist, store.RoomBeheer, []string{"approve", "confirm", "decline", "help", "look_up", "name", "retention", "staff.list"}},
		{care.Doktersassist, store.RoomConversation, []string{"call", "care", "close", "come_in", "derde", "filed", "help", "mistaken", "name", "practical", "recap", "record", "retention", "summary"}},
		{care.Servicedesk, store.RoomConversation, []string{"help", "name", "retention"}},
	} {
		t.Run(string(tt.role)+" in "+string(tt.room), func(t *testing.T) {
			assert.Equal(t, tt.want, allowedCommands(care.Member{Role: tt.role}, tt.room))
		})
	}
}

func TestCommandsAreKnownInBothLanguages(t *testing.T) {
	for word, name := range map[string]string{"goedkeuren": "approve", "APPROVE": "approve", "sluiten": "close", "close": "close", "onzin": ""} {
		assert.Equal(t, name, commandNamed(word), word)
	}
}

func TestEveryRuleEffectCanBeCarriedOut(t *testing.T) {
	for _, do := range []care.Do{care.Say, care.Ask, care.Remove, care.Hold, care.Pass, care.Release, care.Drop, care.Record,
		care.Tell, care.TellDesk, care.Advice, care.Shut, care.Forget} {
		assert.Contains(t, carry, do)
	}
}

func TestABrokenRowIsRefusedAndNotTriedForEver(t *testing.T) {
	_, err := parseBody(store.Effect{ID: 7, Body: "{"})
	assert.True(t, isFinal(err))
}
