package his

import (
	"context"
	"slices"
	"sync"
)

// locks let one goroutine at a time work on a thing that has a name.
type locks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when it is let go
}

// lock waits for the name, or for the end of ctx.
func (l *locks) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		released, mine := l.take(name)
		if mine {
			return func() { l.release(name) }, nil
		}
		select {
		case <-released:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// lockAll waits for every name, always in one order, so that no two wait for each other.
func (l *locks) lockAll(ctx context.Context, names []string) (unlock func(), err error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var held []func()
	unlock = func() {
		for _, release := range held {
			release()
		}
	}
	for _, name := range names {
		release, err := l.lock(ctx, name)
		if err != nil {
			unlock()
			return nil, err
		}
		held = append(held, release)
	}
	return unlock, nil
}

func (l *locks) take(name string) (released <-chan struct{}, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held, busy := l.held[name]; busy {
		return held, false
	}
	if l.held == nil {
		l.held = map[string]chan struct{}{}
	}
	l.held[name] = make(chan struct{})
	return nil, true
}

func (l *locks) release(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.held[name])
	delete(l.held, name)
}
