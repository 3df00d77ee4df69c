package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const lease = time.Minute

// queue adds effects for a destination, of these kinds.
func queue(t *testing.T, s *Store, destination string, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		require.NoError(t, s.AddEffects(t.Context(), []Effect{{Destination: destination, Kind: kind}}))
	}
}

func claimAt(t *testing.T, s *Store, owner string, now time.Time, busy ...string) []Effect {
	t.Helper()
	return must[[]Effect](t)(s.ClaimEffects(t.Context(), owner, "", now, lease, 10, busy))
}

func claimOne(t *testing.T, s *Store) Effect {
	t.Helper()
	effects := claimAt(t, s, "worker", noon)
	require.Len(t, effects, 1)
	return effects[0]
}

func kinds(effects []Effect) (all []string) {
	for _, e := range effects {
		all = append(all, e.Kind)
	}
	return all
}

func TestOnlyTheFirstOfADestinationCanBeClaimed(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2")
		queue(t, s, "b", "b1")
		claimed := claimAt(t, s, "worker", noon)
		require.Equal(t, []string{"a1", "b1"}, kinds(claimed))
		require.Empty(t, claimAt(t, s, "another", noon), "the rest waits behind what is claimed")
		require.NoError(t, s.FinishEffect(t.Context(), claimed[0], "$a1", noon))
		require.Equal(t, []string{"a2"}, kinds(claimAt(t, s, "another", noon)))
	})
}

func TestAClaimTellsWhatTheEffectIsAndWhoseItIs(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in := Effect{
			Destination: "consulting:1", Kind: "say", Person: "1", Conversation: "2", SourceEvent: "$source", SourceRoom: "!source",
			Body: `{"text":"greeting"}`, DueAt: noon.Add(-time.Hour), CreatedAt: noon.Add(-2 * time.Hour),
		}
		require.NoError(t, s.AddEffects(t.Context(), []Effect{in}))
		got := claimOne(t, s)
		require.Regexp(t, `^sk[A-Z2-7]{26}$`, got.TxnID)
		in.ID, in.TxnID, in.State, in.Attempt, in.Owner, in.DueAt = got.ID, got.TxnID, EffectQueued, 1, "worker", noon.Add(lease)
		require.Equal(t, in, got)
		require.Equal(t, in, found[Effect](t)(s.Effect(t.Context(), got.ID)))
	})
}

func TestWhatIsNotDueYetIsNotClaimed(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.AddEffects(t.Context(), []Effect{
			{Destination: "a", Kind: "later", DueAt: noon.Add(time.Hour)}, {Destination: "a", Kind: "behind it"},
		}))
		require.Empty(t, claimAt(t, s, "worker", noon))
		require.Equal(t, noon.Add(time.Hour), found[time.Time](t)(s.NextDue(t.Context(), "")))
		require.Equal(t, []string{"later"}, kinds(claimAt(t, s, "worker", noon.Add(time.Hour))))
	})
}

func TestBusyDestinationsAreSkippedAndDoNotCountForTheLimit(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, destination := range []string{"a", "b", "c", "d"} {
			queue(t, s, destination, destination)
		}
		claimed := must[[]Effect](t)(s.ClaimEffects(t.Context(), "worker", "", noon, lease, 2, []string{"a", "b", "elsewhere"}))
		require.Equal(t, []string{"c", "d"}, kinds(claimed))
		require.Equal(t, []string{"a", "b"}, kinds(claimAt(t, s, "worker", noon)))
	})
}

func TestAClaimNeedsAnOwner(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		_, err := s.ClaimEffects(t.Context(), "", "", noon, lease, 1, nil)
		require.Error(t, err)
	})
}

func TestAnExpiredLeaseIsTakenOverAndItsFirstOwnerIsFenced(t *testing.T) {
	for name, settle := range map[string]func(s *Store, ctx context.Context, e Effect) error{
		"who finishes": func(s *Store, ctx context.Context, e Effect) error { return s.FinishEffect(ctx, e, "$x", noon) },
		"who retries":  func(s *Store, ctx context.Context, e Effect) error { return s.RetryEffect(ctx, e, noon, "why") },
		"who fails":    func(s *Store, ctx context.Context, e Effect) error { return s.FailEffect(ctx, e, "why", noon) },
		"who drops":    func(s *Store, ctx context.Context, e Effect) error { return s.DropEffect(ctx, e, "why", noon) },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				queue(t, s, "a", "a1")
				slow := claimOne(t, s)
				require.Empty(t, claimAt(t, s, "worker", noon.Add(lease-1)))
				quick := claimAt(t, s, "worker", noon.Add(lease)) // the same owner: the attempt tells them apart
				require.Equal(t, 2, quick[0].Attempt)
				require.ErrorIs(t, settle(s, t.Context(), slow), ErrFenced)
				require.NoError(t, s.FinishEffect(t.Context(), quick[0], "$a1", noon))
				require.ErrorIs(t, settle(s, t.Context(), quick[0]), ErrFenced, "it is finished")
				require.Equal(t, "$a1", found[Effect](t)(s.Effect(t.Context(), slow.ID)).EventID)
			})
		})
	}
}

func TestBeingFencedLeavesTheTransactionOfTheCallerUsable(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.ErrorIs(t, s.FinishEffect(ctx, Effect{ID: 4711}, "", noon), ErrFenced)
			return s.Count(ctx, "a", 1)
		})
		require.NoError(t, err)
		requireCounts(t, s, 1, 0)
	})
}

func TestARetriedEffectKeepsItsPlaceAndItsTransactionID(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2")
		first := claimOne(t, s)
		require.NoError(t, s.RetryEffect(t.Context(), first, noon.Add(time.Hour), "homeserver is down"))
		require.Empty(t, claimAt(t, s, "worker", noon.Add(lease)), "what is behind it waits too")
		again := claimAt(t, s, "worker", noon.Add(time.Hour))
		require.Equal(t, []string{"a1"}, kinds(again))
		require.Equal(t, first.TxnID, again[0].TxnID)
		require.Equal(t, "homeserver is down", again[0].Error)
		require.NoError(t, s.FinishEffect(t.Context(), again[0], "", noon))
		require.Empty(t, found[Effect](t)(s.Effect(t.Context(), first.ID)).Error)
	})
}

func TestAFailedEffectIsShownAndLetsItsDestinationGoOn(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2")
		require.NoError(t, s.FailEffect(t.Context(), claimOne(t, s), "refused", noon))
		require.Equal(t, []string{"a2"}, kinds(claimAt(t, s, "worker", noon)))
		failed := must[[]Effect](t)(s.FailedEffects(t.Context(), 10))
		require.Equal(t, []string{"a1"}, kinds(failed))
		require.Equal(t, "refused", failed[0].Error)
	})
}

func TestADroppedEffectIsOverWithoutBeingShown(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1", "a2")
		require.NoError(t, s.DropEffect(t.Context(), claimOne(t, s), "was removed", noon))
		require.Equal(t, []string{"a2"}, kinds(claimAt(t, s, "worker", noon)))
		require.Empty(t, must[[]Effect](t)(s.FailedEffects(t.Context(), 10)))
	})
}

func TestACrashBetweenSendingAndFinishingIsSeenByTheEcho(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		withBot(t, s)
		queue(t, s, "a", "a1")
		sent := claimOne(t, s) // sent to the homeserver, then the process dies
		echo := wrote("$echo", testBot, "!a")
		echo.TxnID = sent.TxnID
		arriving := func(event string) bool { return must[bool](t)(s.IsArriving(t.Context(), event)) }
		require.False(t, arriving("$echo"))
		synced(t, s, echo)
		require.True(t, arriving("$echo"))
		require.False(t, arriving(""), "what was not sent is no event")
		again := claimAt(t, s, "worker", noon.Add(lease))
		require.Equal(t, "$echo", again[0].EventID, "so the worker knows not to send it again")
		require.NoError(t, s.FinishEffect(t.Context(), again[0], "", noon))
		require.False(t, arriving("$echo"))
		require.Equal(t, "$echo", found[Effect](t)(s.Effect(t.Context(), sent.ID)).EventID)
	})
}

func TestTheNextDueTimeIsTheEndOfALeaseWhenNothingElseWaits(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		missing[time.Time](t)(s.NextDue(t.Context(), ""))
		queue(t, s, "a", "a1")
		e := claimOne(t, s)
		require.Equal(t, noon.Add(lease), found[time.Time](t)(s.NextDue(t.Context(), "")))
		require.NoError(t, s.FinishEffect(t.Context(), e, "", noon))
		missing[time.Time](t)(s.NextDue(t.Context(), ""))
	})
}

func TestWhoStartsAgainDoesNotWaitForItsOldLease(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		queue(t, s, "a", "a1")
		queue(t, s, "b", "b1")
		old := claimAt(t, s, "worker", noon)
		require.Len(t, old, 2)
		require.NoError(t, s.RetryEffect(t.Context(), old[1], noon.Add(time.Hour), "failed"))
		require.NoError(t, s.ReleaseEffects(t.Context(), "another", noon))
		require.Empty(t, claimAt(t, s, "worker", noon))
		require.NoError(t, s.ReleaseEffects(t.Context(), "worker", noon))
		require.Equal(t, []string{"a1"}, kinds(claimAt(t, s, "worker", noon)), "what failed keeps its time")
		require.ErrorIs(t, s.FinishEffect(t.Context(), old[0], "", noon), ErrFenced)
	})
}

func TestEachLaneIsClaimedByItself(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.AddEffects(t.Context(), []Effect{
			{Destination: "his:1", Kind: "file", Lane: "his:zuid"}, {Destination: "his:1", Kind: "end", Lane: "his:zuid"},
			{Destination: "conversation:1", Kind: "tell"},
		}))
		lane := func(name string) []Effect {
			return must[[]Effect](t)(s.ClaimEffects(t.Context(), "worker", name, noon, lease, 10, nil))
		}
		require.Equal(t, []string{"tell"}, kinds(lane("")), "what hangs in another lane holds nothing back")
		require.Empty(t, lane("his:noord"))
		filed := lane("his:zuid")
		require.Equal(t, []string{"file"}, kinds(filed))
		require.Equal(t, "his:zuid", filed[0].Lane)
		require.Equal(t, noon.Add(lease), found[time.Time](t)(s.NextDue(t.Context(), "his:zuid")))
		require.NoError(t, s.FinishEffect(t.Context(), filed[0], "", noon))
		require.Equal(t, []string{"end"}, kinds(lane("his:zuid")))
	})
}

func TestUpToWhichTryAllWereInVainIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for name, end := range map[string]func(e Effect) error{
			"retried": func(e Effect) error { return s.RetryEffect(t.Context(), e, noon.Add(time.Hour), "down") },
			"failed":  func(e Effect) error { return s.FailEffect(t.Context(), e, "refused", noon) },
			"dropped": func(e Effect) error { return s.DropEffect(t.Context(), e, "pointless", noon) },
		} {
			queue(t, s, name, name)
			e := claimOne(t, s)
			require.Zero(t, e.Vain)
			e.Vain = 1
			require.NoError(t, end(e))
			require.Equal(t, 1, found[Effect](t)(s.Effect(t.Context(), e.ID)).Vain, name)
		}
	})
}
