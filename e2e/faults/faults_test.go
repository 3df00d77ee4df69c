// Package faults breaks things while people talk: nothing may be lost, doubled or change
// its order, at either side or in the HIS folder.
package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

func TestMain(m *testing.M) {
	code := m.Run()
	world.RemoveBinary()
	os.Exit(code)
}

// each runs a test on every homeserver, with a conversation that is under way.
func each(t *testing.T, o world.Options, test func(t *testing.T, s *story.Story)) {
	for _, kind := range harness.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			o.Kind, o.Dir, o.Patients = kind, t.TempDir(), 2
			w, err := world.Start(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(w.Stop)
			s := &story.Story{World: w, Tell: func(string, ...any) {}}
			if _, err := s.Play(t.Context(), story.Answered(w.Patients[0])); err != nil {
				t.Fatalf("%v\n%s", err, w.Bridge().LogTail())
			}
			test(t, s)
			logNamesNobody(t, w)
			if t.Failed() {
				t.Log(w.Bridge().LogTail())
			}
		})
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

// A side is one end of the conversation: who writes there, and where.
type side struct {
	who  *client.Client
	room string
	word string // what numbered messages of this side begin with
}

func sides(s *story.Story) (patient, staff side) {
	return side{s.Patient, s.Consulting, "vraag"}, side{s.Fatima, s.TalkRoom, "antwoord"}
}

// write sends numbered messages, each after the one before it.
func (a side) write(ctx context.Context, from, to int) error {
	for n := from; n <= to; n++ {
		if _, err := a.who.SendText(ctx, a.room, fmt.Sprintf("%s %d.", a.word, n)); err != nil {
			return fmt.Errorf("%s %d: %w", a.word, n, err)
		}
	}
	return nil
}

// numbers are those of the messages with a word, in the order in which they are shown.
func numbers(texts []string, word string) (all []int) {
	numbered := regexp.MustCompile(`\b` + word + ` (\d+)\.`)
	for _, text := range texts {
		if m := numbered.FindStringSubmatch(text); m != nil {
			n, _ := strconv.Atoi(m[1])
			all = append(all, n)
		}
	}
	return all
}

// waitAll waits until a side has seen n messages of the other, and checks the order.
func (a side) waitAll(ctx context.Context, t *testing.T, other side, n int) {
	t.Helper()
	seen := func(c *client.Client) []int { return numbers(c.Room(a.room).Bodies(), other.word) }
	// A client that was away, or got very much at once, has a gap in what came in by itself: it
	// scrolls back, as a person would.
	var err error
	for len(seen(a.who)) < n && ctx.Err() == nil {
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = a.who.WaitFor(short, fmt.Sprintf("%d messages", n), func(c *client.Client) bool { return len(seen(c)) >= n })
		cancel()
		if err != nil {
			must(t, a.who.Backfill(ctx, a.room))
		}
	}
	if len(seen(a.who)) >= n {
		err = nil
	}
	inOrder(t, "at the other side of "+other.word, seen(a.who), n)
	if err != nil {
		t.Errorf("%s: not everything arrived in time", other.word)
	}
}

// inOrder checks that the numbers are 1 to n, each once and in order.
func inOrder(t *testing.T, where string, got []int, n int) {
	t.Helper()
	times := map[int]int{}
	lost, doubled, inversions, last := 0, 0, 0, 0
	for _, k := range got {
		if times[k]++; times[k] > 1 {
			doubled++
		}
		if k < last {
			inversions++
		}
		last = k
	}
	for k := 1; k <= n; k++ {
		if times[k] == 0 {
			lost++
		}
	}
	t.Logf("%s: %d messages, %d lost, %d doubled, %d out of order", where, n, lost, doubled, inversions)
	if lost+doubled+inversions > 0 {
		t.Errorf("%s: %v", where, got)
	}
}

// waitFiled waits until the HIS folder has n messages of each word, and checks the order.
func waitFiled(t *testing.T, s *story.Story, n int, words ...string) {
	t.Helper()
	deadline, tick := time.Now().Add(2*time.Minute), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	for _, word := range words {
		for len(filed(t, s, word)) < n && time.Now().Before(deadline) {
			<-tick.C
		}
		inOrder(t, "in the HIS folder, "+word, filed(t, s, word), n)
	}
}

// filed reads the letters of the first conversation in the order of their names.
func filed(t *testing.T, s *story.Story, word string) []int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.World.HIS, "*", "1", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return numbers(texts, word)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
