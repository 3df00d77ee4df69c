package care

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryMoveOfAnAccount is the whole machine once more, written by state: what is not
// here must be refused.
func TestEveryMoveOfAnAccount(t *testing.T) {
	want := map[AccountState]map[Step]AccountState{
		New:         {Inform: Informed, Deregister: Deregistered},
		Informed:    {Inform: Informed, GiveConsent: Consented, BeginAgain: Informed, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Consented:   {AgreeTerms: Registering, RefuseAsked: Incomplete, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Registering: {Complete: Awaiting, RefuseAsked: Incomplete, TooYoung: Refused, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Incomplete:  {BeginAgain: Informed, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Awaiting:    {Approve: Active, Decline: Declined, TooYoung: Refused, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Active:      {LoseIdentity: Unconfirmed, Restrict: Restricted, Suspend: Suspended, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Unconfirmed: {LoseIdentity: Unconfirmed, Confirm: Active, Decline: Declined, Restrict: Restricted, Suspend: Suspended,
			WithdrawStep: Withdrawn, Deregister: Deregistered},
		Restricted:   {Unrestrict: Active, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Suspended:    {Reinstate: Active, Restrict: Restricted, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Withdrawn:    {BeginAgain: Informed, Deregister: Deregistered},
		Refused:      {Purge: Purged},
		Declined:     {BeginAgain: Informed, WithdrawStep: Withdrawn, Deregister: Deregistered},
		Deregistered: {BeginAgain: Informed, Purge: Purged},
		Purged:       {},
	}
	assert.Len(t, moves, len(allStates))
	for _, s := range allStates {
		require.Contains(t, moves, s)
		for _, step := range allSteps {
			t.Run(string(s)+": "+string(step), func(t *testing.T) {
				to, listed := want[s][step]
				got, err := s.Move(step)
				assert.Equal(t, listed, s.can(step))
				if !listed {
					assert.ErrorContains(t, err, string(s))
					assert.Equal(t, s, got, "a refused step changes nothing")
					return
				}
				assert.NoError(t, err)
				assert.Equal(t, to, got)
			})
		}
		_, err := s.Move("no such step")
		assert.Error(t, err)
	}
	_, err := AccountState("no such state").Move(Inform)
	assert.Error(t, err)
}

// distances gives how many steps each state is from one state.
func distances(from AccountState, allowed func(Step) bool) map[AccountState]int {
	found, queue := map[AccountState]int{from: 0}, []AccountState{from}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for step, to := range moves[s] {
			if _, seen := found[to]; !seen && allowed(step) {
				found[to] = found[s] + 1
				queue = append(queue, to)
			}
		}
	}
	return found
}

func TestEveryStateCanBeReachedAndCanEnd(t *testing.T) {
	every := func(Step) bool { return true }
	assert.Len(t, distances(New, every), len(allStates))
	for _, s := range allStates {
		assert.Contains(t, distances(s, every), Purged, "%s can never be purged", s)
	}
}

func TestNobodyBecomesActiveWithoutADecisionOfStaff(t *testing.T) {
	without := func(step Step) bool {
		return step != Approve && step != Confirm && step != Unrestrict && step != Reinstate
	}
	for _, s := range allStates {
		if s != Active {
			assert.NotContains(t, distances(s, without), Active, s)
		}
	}
	for _, from := range []AccountState{New, Informed, Consented, Registering, Incomplete, Awaiting, Withdrawn, Declined, Deregistered} {
		assert.NotContains(t, distances(from, func(step Step) bool { return step != Approve }), Active, from)
	}
}

func TestNobodyBecomesActiveWithoutConsent(t *testing.T) {
	for _, s := range allStates {
		if !s.consents() {
			assert.NotContains(t, distances(s, func(step Step) bool { return step != GiveConsent }), Active, s)
		}
	}
}

func TestConsentsStandOnlyBetweenAYesAndAnEnd(t *testing.T) {
	for _, s := range allStates {
		for step, to := range moves[s] {
			switch {
			case step == GiveConsent:
				assert.True(t, !s.consents() && to.consents(), "%s: %s", s, step)
			case to.consents():
				assert.True(t, s.consents(), "%s: %s makes consent out of nothing", s, step)
			}
		}
	}
}

func TestWhoCanBeWithdrawnAlsoCanBeDeregistered(t *testing.T) {
	for _, s := range allStates {
		if s.can(WithdrawStep) {
			assert.True(t, s.can(Deregister), s)
			to, err := s.Move(WithdrawStep)
			assert.NoError(t, err)
			assert.Equal(t, Withdrawn, to)
		}
		assert.False(t, s.consents() && !s.can(WithdrawStep), "%s: consent stands and cannot be taken back", s)
	}
}
