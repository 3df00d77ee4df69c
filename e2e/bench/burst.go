package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/practice"
)

// The bursts: deep in one room, and a few messages in each of many rooms.
const deep, wide = 60, 10

// burst sends as fast as the clients can, and counts what arrives in another order.
func (b *bench) burst(ctx context.Context) error {
	p, err := b.practice(ctx, b.rooms)
	if err != nil {
		return err
	}
	defer p.Stop()
	b.results["rooms"] = float64(len(p.Talks))
	one, all := p.Talks[:1], p.Talks
	for _, run := range []struct {
		name    string
		talks   []practice.Talk
		n       int
		toStaff bool
	}{
		{"deep_patient", one, deep, true}, {"deep_staff", one, deep, false},
		{"wide_patient", all, wide, true}, {"wide_staff", all, wide, false},
	} {
		started, inversions := time.Now(), 0
		group, ctx := errgroup.WithContext(ctx)
		found := make([]int, len(run.talks))
		for i, t := range run.talks {
			way := path{run.name, t.Patient, p.Fatima, t.Consulting, t.Desk}
			if !run.toStaff {
				way = path{run.name, p.Fatima, t.Patient, t.Desk, t.Consulting}
			}
			group.Go(func() (err error) {
				found[i], err = way.burst(ctx, run.n)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for _, n := range found {
			inversions += n
		}
		took := time.Since(started)
		b.log("%s: %d messages in %v, %d inversions", run.name, run.n*len(run.talks), took.Round(time.Millisecond), inversions)
		b.results[run.name+"_s"], b.results[run.name+"_inversions"] = took.Seconds(), float64(inversions)
	}
	return nil
}

// burst sends n messages at once and returns how many pairs arrive in the wrong order.
func (w path) burst(ctx context.Context, n int) (inversions int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	group, sending := errgroup.WithContext(ctx)
	for i := range n {
		text := fmt.Sprintf("%s %03d.", w.name, i)
		group.Go(func() error {
			_, err := w.from.SendText(sending, w.here, text)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	order := func(c *client.Client, room string) (got []int) {
		for _, body := range c.Room(room).Bodies() {
			var number int
			if _, after, is := strings.Cut(body, w.name+" "); is {
				if _, err := fmt.Sscanf(after, "%d.", &number); err == nil {
					got = append(got, number)
				}
			}
		}
		return got
	}
	for c, room := range map[*client.Client]string{w.from: w.here, w.to: w.out} {
		if err := c.WaitFor(ctx, "the whole burst", func(c *client.Client) bool { return len(order(c, room)) >= n }); err != nil {
			return 0, err
		}
	}
	sent, got := order(w.from, w.here), order(w.to, w.out)
	place := map[int]int{}
	for i, number := range sent {
		place[number] = i
	}
	for i, a := range got {
		for _, later := range got[i+1:] {
			if place[a] > place[later] {
				inversions++
			}
		}
	}
	return inversions, nil
}
