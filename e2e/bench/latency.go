package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// A path is a way for a message: who sends it where, and where it has to arrive.
type path struct {
	name      string
	from, to  *client.Client
	here, out string
}

// warmUp messages are not counted: keys are handed out, caches filled.
const warmUp = 5

// latency times messages one by one, on the direct path and through the bridge in turns, so that
// whatever else the machine does falls on all of them.
func (b *bench) latency(ctx context.Context) error {
	p, err := b.practice(ctx, 1)
	if err != nil {
		return err
	}
	defer p.Stop()
	t := p.Talks[0]
	direct, err := t.Patient.DirectChat(ctx, p.Fatima.UserID)
	if err == nil {
		err = p.Fatima.Join(ctx, direct)
	}
	if err != nil {
		return err
	}
	paths := []path{
		{"direct", t.Patient, p.Fatima, direct, direct},
		{"patient", t.Patient, p.Fatima, t.Consulting, t.Desk},
		{"staff", p.Fatima, t.Patient, t.Desk, t.Consulting},
	}
	times := map[string][]time.Duration{}
	for round := range warmUp + b.rounds {
		for _, way := range paths {
			took, err := way.time(ctx, fmt.Sprintf("%s nummer %d.", way.name, round))
			if err != nil {
				return err
			}
			if round >= warmUp {
				times[way.name] = append(times[way.name], took)
			}
		}
	}
	for name, all := range times {
		p50, p95 := percentile(all, 50), percentile(all, 95)
		b.log("%-8s p50 %v, p95 %v", name, p50, p95)
		b.results[name+"_p50"], b.results[name+"_p95"] = millis(p50), millis(p95)
	}
	return nil
}

// time is how long a message takes from the call that sends it until it can be read.
func (w path) time(ctx context.Context, text string) (time.Duration, error) {
	started := time.Now()
	sent := make(chan error, 1)
	go func() {
		_, err := w.from.SendText(ctx, w.here, text)
		sent <- err
	}()
	_, err := w.to.WaitText(ctx, w.out, text)
	took := time.Since(started)
	if failed := <-sent; failed != nil {
		return 0, failed
	}
	return took, err
}

func percentile(all []time.Duration, n int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)*n/100, len(sorted)-1)]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
