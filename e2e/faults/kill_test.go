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
// purpose: what the bridge is doing then differs each time.
func (b *bed) killAtRandom(ctx context.Context, r *row, kills int, longest time.Duration) error {
	r.Rounds = 0
	stop := b.keepUp(ctx, nil)
	writing, done := context.WithCancel(ctx)
	written := make(chan error, 1)
	go func() {
		defer close(written)
		for ; writing.Err() == nil; r.Rounds++ {
			since := b.mark()
			if err := b.load(ctx, some(b.random, 5)); err != nil {
				written <- err
				return
			}
			b.settle(writing, since)
		}
	}()
	chance := seeded(2)
	for range kills {
		timer := time.NewTimer(time.Duration(chance.Int64N(int64(longest))))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		if err := b.world.Bridge().Kill(); err != nil {
			break
		}
		r.Kills++
	}
	done()
	err := <-written
	_, failed := stop()
	return errors.Join(err, failed)
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

// walk has the bridge die at as many points as there are rounds, each of which has a load.
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
	for idle := 0; idle < mostIdle && w.left() > 0 && err == nil; r.Rounds++ {
		before, since := w.left(), b.mark()
		err = b.load(ctx, some(b.random, 5))
		if err == nil && r.Rounds%4 == 3 {
			err = b.renew(ctx)
		}
		became := b.settle(ctx, since)
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

// survey counts how often each point is reached in a round and at a start.
func (b *bed) survey(ctx context.Context) (map[string]int, error) {
	w := &walker{b: b}
	if err := w.skipLog(); err != nil {
		return nil, err
	}
	if err := b.world.Restart(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(b.round(ctx, patience), b.renew(ctx)); err != nil {
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
