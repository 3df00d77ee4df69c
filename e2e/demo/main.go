// Command demo plays the whole story of Spreekkamer on real local servers and tells it
// line by line; with -play it leaves the servers up, for trying it by hand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

func main() {
	kind := flag.String("homeserver", "dendrite", "dendrite or synapse")
	play := flag.Bool("play", false, "leave everything running until Ctrl-C")
	keep := flag.Bool("keep", false, "leave the files of the demo for looking at")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := demo
	if *play {
		run = playground
	}
	err := run(ctx, harness.Kind(*kind), *keep)
	world.RemoveBinary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// demo plays the story once and cleans up.
func demo(ctx context.Context, kind harness.Kind, keep bool) error {
	dir, err := directory("demo-" + string(kind))
	if err != nil {
		return err
	}
	fmt.Printf("Starting %s and Spreekkamer …\n", kind)
	w, err := world.Start(ctx, world.Options{Name: "demo/" + string(kind), Kind: kind, Dir: dir, Patients: 2})
	if err != nil {
		return err
	}
	defer w.Stop()
	s := &story.Story{World: w, Tell: func(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }}
	steps := story.All(w.Patients[0], w.Patients[1])
	held, err := s.Play(ctx, steps)
	fmt.Printf("%d of %d steps held\n", held, len(steps))
	err = errors.Join(err, w.Stop())
	if err != nil {
		return fmt.Errorf("%w\nThe files are left in %s", err, dir)
	}
	if keep {
		fmt.Println("The files are left in", dir)
		return nil
	}
	return os.RemoveAll(dir)
}

// directory makes a new one below .run of the checkout, so that several runs go side by side.
func directory(prefix string) (string, error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	run := filepath.Join(root, ".run")
	if err := os.MkdirAll(run, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(run, prefix+"-")
}
