package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhoHasFinishedOneEffectGetsTheNextOfItsDestination(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2", "a3")
		queue(t, s, "b", "b1")
		next := func(now time.Time) (kind string) {
			e, found, err := s.ClaimNext(t.Context(), "worker", "a", now, lease)
			require.NoError(t, err)
			require.Equal(t, found, e.Kind != "")
			if found {
				require.Equal(t, "worker", e.Owner)
			}
			return e.Kind
		}
		first := must[[]Effect](t)(s.ClaimEffects(t.Context(), "worker", "", noon, lease, 1, nil))
		require.Equal(t, []string{"a1"}, kinds(first))
		require.Empty(t, next(noon), "the first is not finished")
		require.Empty(t, next(noon.Add(2*lease)), "and stays its worker's")
		require.NoError(t, s.FinishEffect(t.Context(), first[0], "$1", noon))
		require.Equal(t, "a2", next(noon))
		require.Equal(t, []string{"b1"}, kinds(claimAt(t, s, "other", noon)), "nobody else gets it")

		second, _, err := s.Effect(t.Context(), first[0].ID+1)
		require.NoError(t, err)
		require.Equal(t, 1, second.Attempt)
		require.NoError(t, s.RetryEffect(t.Context(), second, noon.Add(time.Minute), "failed"))
		require.Empty(t, next(noon), "its time has not come")
		require.Equal(t, "a2", next(noon.Add(time.Minute)), "and what is behind it waits")
	})
}

func TestTheNextEffectIsNotTakenWhenTheEndOfTheFirstIsNotStored(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2")
		first := claimOne(t, s)
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.FinishEffect(ctx, first, "$1", noon))
			_, found, err := s.ClaimNext(ctx, "worker", "a", noon, lease)
			require.True(t, found)
			require.NoError(t, err)
			return errors.New("disk full")
		})
		require.Error(t, err)
		again := must[[]Effect](t)(s.ClaimEffects(t.Context(), "worker", "", noon.Add(2*lease), lease, 10, nil))
		require.Equal(t, []string{"a1"}, kinds(again))
	})
}
