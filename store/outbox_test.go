package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnEffectWithoutADestinationIsRefusedWithAllOthers(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.AddEffects(t.Context(), []Effect{{Destination: "a", Kind: "fine"}, {Kind: "lost"}})
		require.ErrorContains(t, err, "no destination")
		require.Empty(t, claimAt(t, s, "worker", noon))
	})
}

func TestWhatAnEventLedToIsFoundUntilItHasArrived(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.AddEffects(t.Context(), []Effect{
			{Destination: "conversation:1", Kind: "relay", SourceEvent: "$1"},
			{Destination: "his:1", Kind: "file", SourceEvent: "$1"},
			{Destination: "his:2", Kind: "file", SourceEvent: "$2"},
		}))
		has := func(event, prefix string) bool { return must[bool](t)(s.HasQueuedFor(t.Context(), event, prefix)) }
		require.Equal(t, []string{"relay", "file"}, kinds(must[[]Effect](t)(s.PendingFor(t.Context(), "$1"))))
		require.True(t, has("$1", "conversation:"))
		require.False(t, has("$2", "conversation:"))
		require.False(t, has("$1", "conversation_"), "a prefix is no pattern")
		require.True(t, has("$1", ""))

		for _, e := range claimAt(t, s, "worker", noon) {
			require.NoError(t, s.FinishEffect(t.Context(), e, "$new", noon))
		}
		require.False(t, has("$1", ""))
		require.Empty(t, must[[]Effect](t)(s.PendingFor(t.Context(), "$1")))
	})
}

func TestCancellingLeavesWhatIsBeingCarriedOut(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2", "a3")
		queue(t, s, "b", "b1")
		claimed := must[[]Effect](t)(s.ClaimEffects(t.Context(), "worker", "", noon, lease, 1, nil))
		require.Equal(t, []string{"a1"}, kinds(claimed))
		require.Equal(t, int64(2), must[int64](t)(s.CancelEffects(t.Context(), "a")))
		require.Zero(t, must[int64](t)(s.CancelEffects(t.Context(), "a")))
		require.NoError(t, s.FinishEffect(t.Context(), claimed[0], "$a1", noon))
		require.Equal(t, []string{"b1"}, kinds(claimAt(t, s, "worker", noon)))
		require.Equal(t, map[EffectState]int{EffectDone: 1, EffectSkipped: 2, EffectQueued: 1},
			must[map[EffectState]int](t)(s.EffectCounts(t.Context())))
		queue(t, s, "a", "a4")
		require.Equal(t, []string{"a4"}, kinds(claimAt(t, s, "worker", noon)), "the destination is not shut")
	})
}

func TestStaffCanHaveAFailedEffectTriedAgainAtItsPlace(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2", "a3")
		failed := claimOne(t, s)
		require.NoError(t, s.FailEffect(t.Context(), failed, "refused", noon))
		require.NoError(t, s.RequeueEffect(t.Context(), failed.ID, noon))
		require.ErrorIs(t, s.RequeueEffect(t.Context(), failed.ID, noon), ErrUnknown, "it waits already")
		for _, want := range []string{"a1", "a2", "a3"} {
			e := claimOne(t, s)
			require.Equal(t, want, e.Kind)
			require.NoError(t, s.FinishEffect(t.Context(), e, "", noon))
		}
	})
}

func TestRequeueingWhileTheNextIsCarriedOutLosesNeither(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2", "a3")
		first := claimOne(t, s)
		require.NoError(t, s.FailEffect(t.Context(), first, "refused", noon))
		second := claimOne(t, s)
		require.NoError(t, s.RequeueEffect(t.Context(), first.ID, noon))
		first = claimOne(t, s)
		require.Equal(t, "a1", first.Kind)
		require.NoError(t, s.RetryEffect(t.Context(), second, noon, "not yet"), "the one under way is still its worker's")
		require.NoError(t, s.FinishEffect(t.Context(), first, "", noon))
		for _, want := range []string{"a2", "a3"} {
			e := claimOne(t, s)
			require.Equal(t, want, e.Kind)
			require.NoError(t, s.FinishEffect(t.Context(), e, "", noon))
		}
	})
}

func TestCancellingBehindARequeuedEffectLosesNothingUnderWay(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2")
		first := claimOne(t, s)
		require.NoError(t, s.FailEffect(t.Context(), first, "refused", noon))
		claimOne(t, s) // a2, whose worker then crashes
		require.NoError(t, s.RequeueEffect(t.Context(), first.ID, noon))
		require.Equal(t, int64(1), must[int64](t)(s.CancelEffects(t.Context(), "a")))
		require.Equal(t, []string{"a2"}, kinds(claimAt(t, s, "worker", noon.Add(lease))))
	})
}

func TestStaffCanSkipWhatFailedOrWaits(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "failed", "under way", "waiting", "last")
		failed := claimOne(t, s)
		require.NoError(t, s.FailEffect(t.Context(), failed, "refused", noon))
		underWay := claimOne(t, s)
		require.NoError(t, s.SkipEffect(t.Context(), failed.ID, "by hand"))
		require.Equal(t, "by hand", found[Effect](t)(s.Effect(t.Context(), failed.ID)).Error, "why is kept")
		require.ErrorIs(t, s.SkipEffect(t.Context(), underWay.ID, "by hand"), ErrUnknown)
		require.NoError(t, s.SkipEffect(t.Context(), underWay.ID+1, "by hand"))
		require.ErrorIs(t, s.SkipEffect(t.Context(), 4711, "by hand"), ErrUnknown)
		require.NoError(t, s.FinishEffect(t.Context(), underWay, "", noon))
		require.Equal(t, []string{"last"}, kinds(claimAt(t, s, "worker", noon)))
	})
}

func TestSkippingTheFirstLetsTheNextGo(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.AddEffects(t.Context(), []Effect{
			{Destination: "a", Kind: "stuck", DueAt: noon.Add(time.Hour)}, {Destination: "a", Kind: "next"},
		}))
		stuck := claimAt(t, s, "worker", noon.Add(time.Hour))[0]
		require.NoError(t, s.RetryEffect(t.Context(), stuck, noon.Add(2*time.Hour), "HIS is down"))
		require.NoError(t, s.SkipEffect(t.Context(), stuck.ID, "by hand"))
		require.Equal(t, []string{"next"}, kinds(claimAt(t, s, "worker", noon)))
	})
}

func TestWhatIsSealedWithAnEffectIsThereUntilItHasArrived(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "his:1", "file", "next")
		e := claimOne(t, s)
		missing[[]byte](t)(s.OpenSealed(t.Context(), e.ID))
		require.NoError(t, s.SealEffect(t.Context(), e.ID, []byte("the whole message")))
		require.Equal(t, "the whole message", string(found[[]byte](t)(s.OpenSealed(t.Context(), e.ID))))

		require.NoError(t, s.FailEffect(t.Context(), e, "refused", noon))
		found[[]byte](t)(s.OpenSealed(t.Context(), e.ID)) // staff may have it tried again
		require.NoError(t, s.RequeueEffect(t.Context(), e.ID, noon))
		require.NoError(t, s.FinishEffect(t.Context(), claimOne(t, s), "", noon))
		missing[[]byte](t)(s.OpenSealed(t.Context(), e.ID))
		require.ErrorIs(t, s.SealEffect(t.Context(), e.ID, []byte("too late")), ErrUnknown)

		next := claimOne(t, s)
		require.NoError(t, s.SealEffect(t.Context(), next.ID, []byte("another")))
		require.NoError(t, s.DropEffect(t.Context(), next, "pointless", noon))
		missing[[]byte](t)(s.OpenSealed(t.Context(), next.ID))
	})
}

func TestEffectsThatDoNotExistAreNotFound(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		missing[Effect](t)(s.Effect(t.Context(), 4711))
		missing[Effect](t)(s.EffectByTxn(t.Context(), "none"))
		require.ErrorIs(t, s.SealEffect(t.Context(), 4711, nil), ErrUnknown)
	})
}
