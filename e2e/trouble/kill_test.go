package trouble

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
	seed    = 4711
	kills   = 50
	perKill = 2                      // messages of each side between two kills
	longest = 800 * time.Millisecond // between a start and the next kill
)

// Both sides write while the bridge is killed again and again.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Logf("seed %d", seed)
	onEach(t, world.Options{}, func(t *testing.T, s *story.Story) {
		patient, staff := sides(s)
		random := rand.New(rand.NewPCG(seed, seed))
		began := time.Now()
		for round := range kills {
			must(t, killWhile(t.Context(), s.World, time.Duration(random.Int64N(int64(longest))), patient, staff, round))
		}
		killed := time.Since(began)
		began = time.Now()
		must(t, s.World.WaitReady(t.Context()))
		const last = kills * perKill
		atStaff, atPatient := staff.hearsAll(t, patient, last), patient.hearsAll(t, staff, last)
		folder := filesAll(t, s, map[string]int{patient.word: last, staff.word: last})
		t.Logf("%d messages each way, %d kills in %v, then caught up in %v: at staff %v; at the patient %v; in the folder %v and %v",
			last, kills, killed.Round(time.Millisecond), time.Since(began).Round(time.Millisecond),
			atStaff, atPatient, folder[patient.word], folder[staff.word])
	})
}

// killWhile kills the bridge a moment after its start, while both sides write, and starts it
// again. The moment is a time on purpose: what the bridge does then differs each round.
func killWhile(ctx context.Context, w *world.World, after time.Duration, a, b side, round int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for _, from := range []side{a, b} {
		group.Go(func() error { return from.says(ctx, round*perKill+1, (round+1)*perKill) })
	}
	group.Go(func() error {
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := w.Bridge().Kill(); err != nil {
			return err
		}
		return w.LaunchBridge()
	})
	return group.Wait()
}
