package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// filed adds an effect that goes to a system of a conversation, and finds it.
func filed(t *testing.T, s *Store, kind, lane string, sealed []byte) Effect {
	t.Helper()
	e := Effect{Destination: "his:c", Kind: kind, Conversation: "c", Lane: lane}
	if sealed == nil {
		require.NoError(t, s.AddEffects(t.Context(), []Effect{e}))
	} else {
		require.NoError(t, s.AddSealedEffect(t.Context(), e, sealed))
	}
	all := must[[]Effect](t)(s.Filings(t.Context(), "c"))
	return all[len(all)-1]
}

func inLane(t *testing.T, s *Store, lane string) []Effect {
	t.Helper()
	return must[[]Effect](t)(s.ClaimEffects(t.Context(), "worker", lane, noon, lease, 10, nil))
}

func TestWhatIsFiledOfAConversationIsListedInItsOrder(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		filed(t, s, "first", "his:zuid", nil)
		filed(t, s, "kept", "kept", nil)
		queue(t, s, "conversation:c", "tell")
		filed(t, s, "last", "his:zuid", nil)
		for _, e := range inLane(t, s, "his:zuid") {
			require.NoError(t, s.FiledAs(t.Context(), e.ID, "1042/"+e.Kind))
			require.NoError(t, s.FinishEffect(t.Context(), e, "", noon))
		}
		all := must[[]Effect](t)(s.Filings(t.Context(), "c"))
		require.Equal(t, []string{"first", "kept", "last"}, kinds(all))
		require.Equal(t, EffectDone, all[0].State)
		require.Equal(t, "1042/first", all[0].Reference)
		require.Empty(t, all[1].Reference)
		require.Empty(t, must[[]Effect](t)(s.Filings(t.Context(), "another")))
	})
}

func TestAReplacementTakesWhatWasSealedAndCallsTheOldOneOff(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		old := filed(t, s, "old", "his:zuid", []byte("words"))
		claimed := inLane(t, s, "his:zuid")
		require.Len(t, claimed, 1, "it is being carried out")
		anew := Effect{Destination: "crm:c", Kind: "new", Conversation: "c", Lane: "crm:zuid"}
		require.NoError(t, s.ReplaceEffect(t.Context(), old.ID, anew))
		require.ErrorIs(t, s.FinishEffect(t.Context(), claimed[0], "", noon), ErrFenced)
		require.ErrorIs(t, s.RetryEffect(t.Context(), claimed[0], noon, "down"), ErrFenced)
		missing[[]byte](t)(s.OpenSealed(t.Context(), old.ID))
		require.Equal(t, EffectSkipped, found[Effect](t)(s.Effect(t.Context(), old.ID)).State)
		got := inLane(t, s, "crm:zuid")
		require.Equal(t, []string{"new"}, kinds(got))
		require.Equal(t, []byte("words"), found[[]byte](t)(s.OpenSealed(t.Context(), got[0].ID)))
	})
}

func TestReplacingWhatHasArrivedLeavesIt(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		old := filed(t, s, "old", "his:zuid", nil)
		require.NoError(t, s.FinishEffect(t.Context(), inLane(t, s, "his:zuid")[0], "", noon))
		require.NoError(t, s.ReplaceEffect(t.Context(), old.ID, Effect{Destination: "his:c", Kind: "new", Lane: "his:zuid"}))
		require.Equal(t, EffectDone, found[Effect](t)(s.Effect(t.Context(), old.ID)).State)
		require.Equal(t, []string{"new"}, kinds(inLane(t, s, "his:zuid")))
		require.NoError(t, s.CallOff(t.Context(), 1_000), "what is not there is called off")
	})
}

func TestALaneOfAConversationIsEndedWithWhatWasSealedInIt(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		kept := filed(t, s, "kept", "kept", []byte("words"))
		other := filed(t, s, "file", "his:zuid", []byte("words"))
		require.NoError(t, s.EndLane(t.Context(), "another", "kept"))
		require.Equal(t, EffectQueued, found[Effect](t)(s.Effect(t.Context(), kept.ID)).State)
		require.NoError(t, s.EndLane(t.Context(), "c", "kept"))
		require.Equal(t, EffectDone, found[Effect](t)(s.Effect(t.Context(), kept.ID)).State)
		missing[[]byte](t)(s.OpenSealed(t.Context(), kept.ID))
		require.Equal(t, []byte("words"), found[[]byte](t)(s.OpenSealed(t.Context(), other.ID)))
	})
}

func TestWhatWaitsInALaneGoesToAnother(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		filed(t, s, "first", "crm:zuid", nil)
		filed(t, s, "second", "crm:zuid", nil)
		require.NoError(t, s.FinishEffect(t.Context(), inLane(t, s, "crm:zuid")[0], "", noon))
		require.NoError(t, s.MoveLane(t.Context(), "crm:zuid", "his:zuid"))
		require.Empty(t, inLane(t, s, "crm:zuid"))
		require.Equal(t, []string{"second"}, kinds(inLane(t, s, "his:zuid")))
		require.Equal(t, "crm:zuid", must[[]Effect](t)(s.Filings(t.Context(), "c"))[0].Lane, "what is done stays what it was")
	})
}

func TestFilingOnAClosedDatabaseSaysWhatFailed(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.ErrorContains(t, s.AddSealedEffect(t.Context(), Effect{Kind: "file"}, nil), "no destination")
		_, err := s.Filings(t.Context(), "c")
		require.NoError(t, err)
	})
}

func TestACardLeadsToWhatItShowsAndBack(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		e := filed(t, s, "file", "his:zuid", nil)
		missing[Effect](t)(s.CardEffect(t.Context(), "$card"))
		missing[string](t)(s.LastCard(t.Context(), e.ID))
		require.NoError(t, s.AddCard(t.Context(), "$card", e.ID, noon))
		require.NoError(t, s.AddCard(t.Context(), "$card", e.ID+1, noon), "an event is one card")
		require.NoError(t, s.AddCard(t.Context(), "$later", e.ID, noon.Add(lease)))
		require.Equal(t, e.ID, found[Effect](t)(s.CardEffect(t.Context(), "$card")).ID)
		require.Equal(t, "$later", found[string](t)(s.LastCard(t.Context(), e.ID)))
		must[int64](t)(s.ForgetDone(t.Context(), noon.Add(2*lease)))
		missing[string](t)(s.LastCard(t.Context(), e.ID))
	})
}

func TestWhatIsTakenOutCountsAsNotFiledWhateverItsState(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		done := filed(t, s, "done", "his:zuid", nil)
		require.NoError(t, s.FinishEffect(t.Context(), inLane(t, s, "his:zuid")[0], "", noon))
		filed(t, s, "claimed", "his:zuid", []byte("words"))
		claimed := inLane(t, s, "his:zuid")[0]
		filed(t, s, "next", "his:zuid", nil)
		for _, id := range []int64{done.ID, claimed.ID} {
			require.NoError(t, s.TakeOut(t.Context(), id))
			require.NoError(t, s.TakeOut(t.Context(), id), "again")
			require.True(t, IsTakenOut(found[Effect](t)(s.Effect(t.Context(), id))))
			missing[[]byte](t)(s.OpenSealed(t.Context(), id))
		}
		require.ErrorIs(t, s.FinishEffect(t.Context(), claimed, "", noon), ErrFenced)
		next := inLane(t, s, "his:zuid")
		require.Equal(t, []string{"next"}, kinds(next))
		require.NoError(t, s.CallOff(t.Context(), next[0].ID))
		require.False(t, IsTakenOut(found[Effect](t)(s.Effect(t.Context(), next[0].ID))))
	})
}
