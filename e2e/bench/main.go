// Command bench measures Spreekkamer beside the same homeserver without it, and writes the
// result to docs/performance.md. What counts is the ratio: both are measured in turns, by the
// same clients, on the same machine.
//
// Its parts can run one by one (-part); the page is made of the last result of each.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// parts are what can be measured, in this order.
var parts = []struct {
	name string
	run  func(b *bench, ctx context.Context) error
}{
	{"latency", (*bench).latency},
	{"rate", (*bench).rate},
	{"burst", (*bench).burst},
	{"rest", (*bench).rest},
	{"backlog", (*bench).backlog},
}

// A bench is one run on one homeserver.
type bench struct {
	kind    harness.Kind
	dir     string // of this run; removed when it succeeded
	rounds  int    // messages per path
	rooms   int    // of the wide burst
	waiting int    // messages of the backlog
	profile string // file for a CPU profile of the bridge; "" = none
	results results
}

func main() {
	kind := flag.String("homeserver", "dendrite", "dendrite or synapse")
	chosen := flag.String("part", "", "only these, separated by commas: latency, rate, burst, rest, backlog")
	b := &bench{}
	flag.IntVar(&b.rounds, "rounds", 60, "messages that are timed on each path")
	flag.IntVar(&b.rooms, "rooms", 50, "rooms of the wide burst")
	flag.IntVar(&b.waiting, "waiting", 10_000, "messages that wait in one room")
	flag.StringVar(&b.profile, "profile", "", "write a processor profile of the bridge, made while it relays as fast as it can, to this file")
	flag.Parse()
	b.kind = harness.Kind(*kind)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := b.all(ctx, *chosen)
	world.RemoveBinary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// all runs the parts and writes the page after each, so that nothing measured gets lost.
func (b *bench) all(ctx context.Context, chosen string) (err error) {
	root, err := harness.Root()
	if err != nil {
		return err
	}
	page := page{store: filepath.Join(root, ".cache", "bench"), file: filepath.Join(root, "docs", "performance.md")}
	for _, part := range parts {
		if chosen != "" && !slices.Contains(strings.Split(chosen, ","), part.name) {
			continue
		}
		if b.dir, err = os.MkdirTemp("", "spreekkamer-bench-"); err != nil {
			return err
		}
		fmt.Printf("— %s on %s\n", part.name, b.kind)
		b.results = results{}
		if err := part.run(b, ctx); err != nil {
			return fmt.Errorf("%s on %s: %w\nThe files are left in %s", part.name, b.kind, err, b.dir)
		}
		if err := page.write(b.kind, part.name, b.results); err != nil {
			return err
		}
		if err := os.RemoveAll(b.dir); err != nil {
			return err
		}
	}
	return nil
}
