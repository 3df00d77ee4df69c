package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// How a neighbour is watched: how many messages before, at most how many while the others are
// carried, and how long between two.
const quietMessages, neighbourMost, neighbourPause = 30, 3_000, 500 * time.Millisecond

// backlog has one patient write thousands of messages while the bridge is down, and measures
// what another patient notices while they are carried, and what memory it takes.
func (b *bench) backlog(ctx context.Context) error {
	p, err := b.practice(ctx, 2)
	if err != nil {
		return err
	}
	defer p.Stop()
	many, few := loadOf(p, p.Talks[0]), loadOf(p, p.Talks[1])
	if err := many.prepare(ctx, b.waiting); err != nil {
		return err
	}
	if err := few.prepare(ctx, quietMessages+neighbourMost); err != nil {
		return err
	}
	if err := deafen(ctx, p); err != nil {
		return err
	}
	seen := &sightings{observation: observation{url: p.Home.URL, token: p.Fatima.AccessToken}, sender: p.Bot, rooms: map[string]int{}}
	if err := seen.next(ctx, 0, nil); err != nil {
		return err
	}
	quiet, err := b.neighbour(ctx, seen, &few, func(sent int) bool { return sent < quietMessages })
	if err != nil {
		return err
	}
	if err := p.Bridge().Stop(); err != nil {
		return err
	}
	if err := many.send(ctx); err != nil {
		return err
	}
	b.log("%d messages wait in one room", b.waiting)
	began := time.Now()
	if err := p.StartBridge(ctx); err != nil {
		return err
	}
	busy, err := b.neighbour(ctx, seen, &few, func(int) bool { return seen.in(many.there) < b.waiting })
	if err != nil {
		return err
	}
	took := time.Since(began)
	peak, err := peakOf(p.Bridge().Pid())
	if err != nil {
		return err
	}
	b.log("all carried after %v (%.1f a second); at most %.0f MB", took.Round(time.Second), float64(b.waiting)/took.Seconds(), peak)
	b.results["waiting"], b.results["backlog_rate"], b.results["backlog_mb"] = float64(b.waiting), float64(b.waiting)/took.Seconds(), peak
	for name, times := range map[string][]time.Duration{"quiet": quiet, "neighbour": busy} {
		b.results[name+"_p50"], b.results[name+"_p95"] = millis(percentile(times, 50)), millis(percentile(times, 95))
		b.log("%s: %d messages, p50 %.0f ms, p95 %.0f ms", name, len(times), b.results[name+"_p50"], b.results[name+"_p95"])
	}
	return nil
}

// neighbour sends one message after the other for as long as more says, and times each until it
// is at the other side.
func (b *bench) neighbour(ctx context.Context, seen *sightings, l *load, more func(sent int) bool) (times []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	looking, stop := context.WithCancel(ctx)
	group, looking := errgroup.WithContext(looking)
	group.Go(func() error { return seen.look(looking) })
	for more(len(times)) && len(l.sealed) > 0 && looking.Err() == nil {
		before, started := seen.in(l.there), time.Now()
		if err = l.sendFirst(ctx); err != nil {
			break
		}
		if err = seen.wait(looking, l.there, before+1); err != nil {
			break
		}
		times = append(times, time.Since(started))
		pause(looking, neighbourPause)
	}
	stop()
	if failed := group.Wait(); failed != nil {
		return nil, failed
	}
	if err == nil && (len(times) == 0 || len(l.sealed) == 0) {
		err = fmt.Errorf("the neighbour has sent %d messages, and has %d left", len(times), len(l.sealed))
	}
	return times, err
}

// Sightings are how many messages of the bot were seen in each room.
type sightings struct {
	observation
	sender  string
	mu      sync.Mutex
	rooms   map[string]int
	changed chan struct{}
}

// look goes on until ctx ends.
func (s *sightings) look(ctx context.Context) error {
	for ctx.Err() == nil {
		err := s.next(ctx, 1_000, func(room, sender string) {
			if sender == s.sender {
				s.mu.Lock()
				s.rooms[room]++
				s.mu.Unlock()
			}
		})
		if err != nil && ctx.Err() == nil {
			return err
		}
		s.mu.Lock()
		if s.changed != nil {
			close(s.changed)
			s.changed = nil
		}
		s.mu.Unlock()
	}
	return nil
}

func (s *sightings) in(room string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[room]
}

// wait returns once there are so many in a room.
func (s *sightings) wait(ctx context.Context, room string, n int) error {
	for {
		s.mu.Lock()
		have := s.rooms[room]
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// peakOf is the most memory that a process has had, in megabytes.
func peakOf(pid int) (float64, error) {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "VmHWM:"); is {
			kB, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kB * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("no peak of memory in the status of process %d", pid)
}
