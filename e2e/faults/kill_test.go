package faults

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

const (
	seed     = 20261123
	kills    = 50
	eachWay  = 100
	longest  = 900 * time.Millisecond // between a start and the kill after it
	patience = 5 * time.Minute
)

// The bridge is killed again and again while both sides write.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Logf("seed %d", seed)
	each(t, world.Options{}, func(t *testing.T, s *story.Story) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		patient, staff := sides(s)
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return patient.write(ctx, 1, eachWay) })
		group.Go(func() error { return staff.write(ctx, 1, eachWay) })
		group.Go(func() error { return killAgainAndAgain(ctx, s.World) })
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		ctx = t.Context()
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
		staff.waitAll(ctx, t, patient, eachWay)
		patient.waitAll(ctx, t, staff, eachWay)
		waitFiled(t, s, eachWay, patient.word, staff.word)
	})
}

// killAgainAndAgain kills the bridge at random moments after each start. The moments are
// times on purpose: what the bridge is doing then differs each time.
func killAgainAndAgain(ctx context.Context, w *world.World) error {
	random := rand.New(rand.NewPCG(seed, seed))
	for range kills {
		timer := time.NewTimer(time.Duration(random.Int64N(int64(longest))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := w.Bridge().Kill(); err != nil {
			return err
		}
		if err := w.LaunchBridge(); err != nil {
			return err
		}
	}
	return w.WaitReady(ctx)
}
