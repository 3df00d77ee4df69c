package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// keepUp starts the bridge again whenever it has ended, as a service manager does, with what
// env adds to its environment (nil = nothing). stop ends that, and says how often it was.
func (b *bed) keepUp(ctx context.Context, env func() []string) (stop func() (deaths int, err error)) {
	ctx, cancel := context.WithCancel(ctx)
	deaths, failed, over := 0, error(nil), make(chan struct{})
	go func() {
		defer close(over)
		for failed == nil {
			select {
			case <-ctx.Done():
				return
			case <-b.world.Bridge().Done():
			}
			deaths++
			var more []string
			if env != nil {
				more = env()
			}
			failed = b.world.LaunchBridge(more...)
		}
	}()
	return func() (int, error) {
		cancel()
		<-over
		return deaths, failed
	}
}

// The longest times between a start and the kill after it: about as long as a start takes, and
// long enough to start when requests fail.
const (
	soon  = 900 * time.Millisecond
	later = 3 * time.Second
)

func killAtRandom(ctx context.Context, b *bed, r *row, kills int) error {
	return b.killAtRandom(ctx, r, kills, soon)
}

// killAtRandom kills the bridge again and again while both sides write. The moments are times on
// purpose: what the bridge is doing then differs each time. The kinds are spread over rounds, at the
// end of each of which it may live for a while: one that is killed before it is ready carries nothing.
func (b *bed) killAtRandom(ctx context.Context, r *row, kills int, longest time.Duration) (err error) {
	r.Rounds = max(2, kills/10)
	stop, chance := b.keepUp(ctx, nil), seeded(2)
	for round := 0; round < r.Rounds && err == nil; round++ {
		since := b.mark()
		loaded, dealt := make(chan error, 1), b.deck.deal(hand(r.Rounds))
		go func() { loaded <- b.load(ctx, dealt) }()
		for r.Kills < kills*(round+1)/r.Rounds && err == nil {
			err = b.killWithin(ctx, time.Duration(chance.Int64N(int64(longest))))
			r.Kills++
		}
		err = errors.Join(err, <-loaded)
		b.settleWithin(ctx, since, badFor)
	}
	_, failed := stop()
	return errors.Join(err, failed)
}

// killWithin kills the bridge after a while.
func (b *bed) killWithin(ctx context.Context, while time.Duration) error {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return b.world.Bridge().Kill()
}

const (
	armed    = 8 // points the bridge may die at, whichever comes first
	mostIdle = 6 // rounds in a row in which it died at none, after which the rest is let go
)

// A walker goes through the points at which the bridge can die.
type walker struct {
	b    *bed
	mu   sync.Mutex
	plan []string // points that are still to come: NAME#N
	died []string
	read int64 // how much of the log of points was looked at
}

// walk has the bridge die at as many points as this, in rounds of which each has a load, and at some
// of them again when there are kinds left.
func walk(ctx context.Context, b *bed, r *row, points int) error {
	counts, err := b.survey(ctx)
	if err != nil {
		return err
	}
	w := &walker{b: b, plan: spread(counts, points)}
	if err := w.skipLog(); err != nil {
		return err
	}
	stop := b.keepUp(ctx, w.next)
	if err := b.world.Bridge().Kill(); err != nil { // so that it starts with points to die at
		return err
	}
	r.Rounds = 0
	for idle := 0; idle < mostIdle && (w.left() > 0 || !b.deck.isThrough()) && err == nil; r.Rounds++ {
		if w.left() == 0 { // a round without a death would show nothing
			w.again(counts, armed)
		}
		before, since := w.left(), b.mark()
		err = b.load(ctx, b.deck.deal(fewest))
		if err == nil && r.Rounds%4 == 3 {
			err = b.renew(ctx)
		}
		became := w.settle(ctx, since)
		if became.bad() > 0 {
			err = errors.Join(err, fmt.Errorf("round %d, after %q: %v", r.Rounds, w.deaths(), &became))
		}
		if idle++; w.left() < before {
			idle = 0
			continue
		}
		// None of these was reached: others have their turn, from a kill while all is at rest.
		w.putBack()
		err = errors.Join(err, b.world.Bridge().Kill())
	}
	_, failed := stop()
	r.Kills = len(w.deaths())
	return errors.Join(err, failed, b.world.Bridge().Kill())
}

// settle is settle of the bed, with new patience as long as the bridge still dies: on a slow machine a
// round with many deaths takes longer.
func (w *walker) settle(ctx context.Context, since mark) (became tally) {
	for left := -1; left != w.left() && ctx.Err() == nil; {
		left = w.left()
		if became = w.b.settle(ctx, since); became.Lost == 0 {
			break
		}
	}
	return became
}

// survey counts how often each point is reached in a round and at a start.
func (b *bed) survey(ctx context.Context) (map[string]int, error) {
	w := &walker{b: b}
	if err := w.skipLog(); err != nil {
		return nil, err
	}
	if err := b.world.Restart(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(b.round(ctx, len(everyKind), patience), b.renew(ctx)); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	lines, err := w.readLog()
	for _, line := range lines {
		counts[line]++
	}
	return counts, err
}

// often are the times of reaching a point that are tried, as far as there are that many.
var often = []int{1, 2, 3, 5}

// spread chooses points: every place once before any a second time, in an order of chance.
func spread(counts map[string]int, points int) (plan []string) {
	names := slices.Sorted(maps.Keys(counts))
	chance := seeded(3)
	for _, n := range often {
		chance.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if counts[name] >= n && len(plan) < points {
				plan = append(plan, fmt.Sprintf("%s#%d", name, n))
			}
		}
	}
	return plan
}

// next is where the bridge may die now; called when it has just died.
func (w *walker) next() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines, err := w.readLog()
	if err != nil {
		return nil
	}
	for _, line := range lines {
		if point, died := strings.CutPrefix(line, "died at "); died {
			w.died = append(w.died, point)
			w.plan = slices.DeleteFunc(w.plan, func(p string) bool { return p == point })
		}
	}
	return []string{"FAULTPOINT_DIE=" + strings.Join(w.plan[:min(armed, len(w.plan))], ";")}
}

// again has more points to die at, and kills the bridge so that it starts with them.
func (w *walker) again(counts map[string]int, points int) {
	w.mu.Lock()
	w.plan = spread(counts, points)
	w.mu.Unlock()
	_ = w.b.world.Bridge().Kill() // when it cannot be killed, none of the points is reached
}

// putBack moves the points that are armed behind all others.
func (w *walker) putBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(armed, len(w.plan))
	w.plan = slices.Concat(w.plan[n:], w.plan[:n])
}

func (w *walker) left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.plan)
}

func (w *walker) deaths() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.died)
}

func (w *walker) logFile() string { return filepath.Join(w.b.world.Dir, "points.log") }

func (w *walker) skipLog() error {
	info, err := os.Stat(w.logFile())
	if err == nil {
		w.read = info.Size()
	}
	return err
}

// readLog reads what came since the last time.
func (w *walker) readLog() ([]string, error) {
	file, err := os.Open(w.logFile())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(w.read, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	w.read += int64(len(text))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), err
}
