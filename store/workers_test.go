package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A world is where effects arrive, and its clock. It is idempotent, as the far end is: by
// transaction id.
type world struct {
	mu       sync.Mutex
	now      time.Time
	arrived  map[string]bool
	order    map[string][]int64 // by destination: ids in the order in which they first arrived
	finished map[int64]int
	fenced   int
}

func (w *world) arrive(e Effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.arrived[e.TxnID] {
		w.arrived[e.TxnID] = true
		w.order[e.Destination] = append(w.order[e.Destination], e.ID)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// skipTo moves the clock on; it never goes back.
func (w *world) skipTo(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.After(w.now) {
		w.now = t
	}
}

// settled counts how a worker's last word on an effect was taken.
func (w *world) settled(e Effect, err error, finished bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, ErrFenced):
		w.fenced++
		return nil
	case err == nil && finished:
		w.finished[e.ID]++
	}
	return err
}

// A worker claims and carries out, with accidents.
type worker struct {
	s      *Store
	w      *world
	name   string
	random *rand.Rand
	late   []Effect // carried out by a worker that hung, when the lease had ended
}

// run works until the outbox is empty.
func (w *worker) run(ctx context.Context) error {
	for {
		claimed, err := w.s.ClaimEffects(ctx, w.name, "", w.w.clock(), lease, 3, nil)
		if err != nil {
			return err
		}
		for _, e := range claimed {
			if err := w.carryOut(ctx, e); err != nil {
				return err
			}
		}
		if len(claimed) > 0 {
			continue
		}
		due, waits, err := w.s.NextDue(ctx, "")
		if err != nil || !waits {
			return errors.Join(err, w.finishLate(ctx))
		}
		w.w.skipTo(due)
	}
}

func (w *worker) carryOut(ctx context.Context, e Effect) error {
	switch w.random.IntN(10) {
	case 0: // the far end is down
		return w.w.settled(e, w.s.RetryEffect(ctx, e, w.w.clock().Add(time.Second), "down"), false)
	case 1: // crash before it arrives
		return nil
	case 2: // crash after it has arrived
		w.w.arrive(e)
		return nil
	case 3: // the worker hangs until the lease is long over
		w.late = append(w.late, e)
		return nil
	}
	w.w.arrive(e)
	return w.w.settled(e, w.s.FinishEffect(ctx, e, "$"+e.TxnID, w.w.clock()), true)
}

func (w *worker) finishLate(ctx context.Context) error {
	for _, e := range w.late {
		w.w.arrive(e)
		if err := w.w.settled(e, w.s.FinishEffect(ctx, e, "$late", w.w.clock()), true); err != nil {
			return err
		}
	}
	w.late = nil
	return nil
}

func TestThreeWorkersWithAccidentsKeepTheOrderAndFinishEachEffectOnce(t *testing.T) {
	const destinations, perDestination = 12, 12
	each(t, func(t *testing.T, s *Store) {
		for range perDestination {
			for d := range destinations {
				queue(t, s, fmt.Sprint("room ", d), "say")
			}
		}
		w := &world{now: noon, arrived: map[string]bool{}, order: map[string][]int64{}, finished: map[int64]int{}}
		var group sync.WaitGroup
		for i := range 3 {
			one := &worker{s: s, w: w, name: fmt.Sprint("worker ", i), random: rand.New(rand.NewPCG(uint64(i), 1))}
			group.Go(func() {
				if err := one.run(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()

		require.Len(t, w.order, destinations)
		for destination, ids := range w.order {
			require.Len(t, ids, perDestination, destination)
			require.IsIncreasing(t, ids, destination)
		}
		require.Len(t, w.finished, destinations*perDestination)
		for id, n := range w.finished {
			require.Equal(t, 1, n, "effect %d", id)
		}
		require.NotZero(t, w.fenced, "there were workers that came too late")
	})
}

func TestEffectsAddedAtTheSameTimeAreAllCarriedOutInTheirOrder(t *testing.T) {
	const writers, perWriter = 4, 20
	each(t, func(t *testing.T, s *Store) {
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				for range perWriter {
					if err := s.AddEffects(t.Context(), []Effect{{Destination: "balie", Kind: "tell"}, {Destination: "beheer", Kind: "tell"}}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		order := map[string][]int64{}
		for len(order["balie"])+len(order["beheer"]) < 2*writers*perWriter && !t.Failed() {
			for _, e := range claimAt(t, s, "worker", noon) {
				order[e.Destination] = append(order[e.Destination], e.ID)
				require.NoError(t, s.FinishEffect(t.Context(), e, "", noon))
			}
		}
		group.Wait()
		require.IsIncreasing(t, order["balie"])
		require.IsIncreasing(t, order["beheer"])
	})
}
