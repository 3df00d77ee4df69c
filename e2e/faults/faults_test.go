// Package faults breaks things while people talk: nothing may be lost, doubled or change its
// order, at either side or in the HIS folder. The faults are a table (troubles_test.go), the
// kinds of messages too (kinds_test.go); each setting of homeserver and database is one world
// that goes through all of them. `make faults` runs the long selection and writes the table of
// docs/reliability.md; `make test` runs the short one.
package faults

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/kinds"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

var (
	seed     = flag.Uint64("seed", 20261123, "what chance begins with")
	long     = flag.Bool("long", false, "the long selection of faults, on every setting")
	results  = flag.String("results", "", "file that gets a line for each fault")
	document = flag.String("table", "", "document that gets the table of all results")
)

func TestMain(m *testing.M) {
	code := m.Run()
	world.RemoveBinary()
	if *document != "" {
		if err := writeTable(*results, *document); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// settings are on what faults are tried; the last only in the long selection.
func settings() []setting {
	all := []setting{{harness.Dendrite, false}, {harness.Synapse, true}, {harness.Synapse, false}}
	if !*long {
		return all[:2]
	}
	return all
}

func TestFaults(t *testing.T) {
	t.Logf("seed %d", *seed)
	for _, s := range settings() {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel() // most of the time is waiting for what was broken
			b := makeBed(t, s)
			for _, f := range faults {
				if rounds := f.times(s); rounds > 0 {
					t.Run(f.name, func(t *testing.T) { b.try(t, f, rounds) })
				}
			}
			leavesNoTrace(t, b.story)
			logNamesNobody(t, b.world)
		})
	}
}

// each runs a test on every homeserver, with a conversation that is under way.
func each(t *testing.T, o world.Options, test func(t *testing.T, s *story.Story)) {
	for _, kind := range harness.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			o.Kind, o.Patients = kind, 2
			w := world.InTest(t, o)
			s := &story.Story{World: w, Tell: func(string, ...any) {}}
			if _, err := s.Play(t.Context(), story.Answered(w.Patients[0])); err != nil {
				t.Fatalf("%v\n%s", err, w.Bridge().LogTail())
			}
			test(t, s)
			leavesNoTrace(t, s)
			logNamesNobody(t, w)
			if t.Failed() {
				t.Log(w.Bridge().LogTail())
			}
		})
	}
}

// leavesNoTrace looks at everything that the bot sent for what only the other side may know.
func leavesNoTrace(t *testing.T, s *story.Story) {
	t.Helper()
	found, looked, err := s.Leaks(bounded(t), mediatest.Secret, "mx-reply", kinds.Folder)
	must(t, err)
	t.Logf("looked at %d events", looked)
	if len(found) > 0 || looked < 20 {
		t.Errorf("%d leaks in %d events: %q", len(found), looked, found[:min(len(found), 10)])
	}
}

// logNamesNobody looks through the whole log of the bridge for patients.
func logNamesNobody(t *testing.T, w *world.World) {
	t.Helper()
	log, err := os.ReadFile(w.LogFile())
	must(t, err)
	if len(log) == 0 {
		t.Error("the log is empty")
	}
	for _, p := range append(w.Patients, w.SecondPatients...) {
		local, _, _ := strings.Cut(strings.TrimPrefix(p.UserID, "@"), ":")
		if strings.Contains(string(log), local) {
			t.Errorf("the log names %s", p.UserID)
		}
	}
}

// patience is how long after a fault everything has to have arrived: retries wait up to a quarter
// of a minute between two.
const patience = 2 * time.Minute

// try lets one fault happen, and counts what became of what was said meanwhile.
func (b *bed) try(t *testing.T, f fault, rounds int) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	began, since, sorry := time.Now(), b.mark(), len(b.apologies())
	r := row{Fault: f.name, Setting: b.name, Rounds: rounds, Seed: *seed, Date: today()}
	trouble := b.troubled()
	b.deck = &deck{random: b.random}
	if err := f.run(ctx, b, &r, rounds); err != nil {
		t.Errorf("%v\n%s", err, b.world.Bridge().LogTail())
	}
	must(t, b.calm())
	must(t, b.up(ctx))
	must(t, b.load(ctx, plain)) // what was doubled shows before what comes later
	r.tally = b.settle(ctx, since)
	r.tally.add(b.compare(ctx, b.patient, since.patient))
	r.tally.add(b.compare(ctx, b.staff, since.staff))
	if !b.deck.isThrough() {
		t.Errorf("only %d of %d kinds were sent", b.deck.dealt, len(everyKind))
	}
	r.Trouble, r.Seconds = b.troubled()-trouble, int(time.Since(began).Seconds())
	t.Logf("%d kills, %d requests in trouble, %d s: %v", r.Kills, r.Trouble, r.Seconds, &r.tally)
	if r.tally.bad() > 0 {
		t.Errorf("%v", &r.tally)
	}
	if all := b.apologies(); len(all) > sorry {
		t.Errorf("something was given up: %q", all[sorry:])
	}
	if !b.world.Healthy(ctx) {
		t.Errorf("the bridge is not well afterwards\n%s", b.world.Bridge().LogTail())
	}
	if *results != "" {
		must(t, r.record(*results))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
