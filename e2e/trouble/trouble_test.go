// Package trouble breaks things around a conversation that is under way, and looks whether
// anything was lost, doubled or put out of order, at either side or in the HIS folder.
package trouble

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// patience bounds each wait.
const patience = 4 * time.Minute

// onEach runs a test on every homeserver, each with a conversation that is open.
func onEach(t *testing.T, o world.Options, test func(t *testing.T, s *story.Story)) {
	t.Helper()
	for _, kind := range harness.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			o.Kind = kind
			s := arrive(t, o)
			play(t, s, slices.Concat(story.Enter(s.World.Patients[0]), story.Talk[:3]))
			test(t, s)
			if t.Failed() {
				t.Logf("the bridge's log ends with\n%s", s.World.Bridge().LogTail())
			}
		})
	}
}

// arrive starts a practice in which staff have come in.
func arrive(t *testing.T, o world.Options) *story.Story {
	t.Helper()
	o.Dir, o.Patients = t.TempDir(), 1
	w, err := world.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	s := &story.Story{World: w, Tell: func(string, ...any) {}}
	play(t, s, story.Arrive)
	return s
}

func play(t *testing.T, s *story.Story, steps []story.Step) {
	t.Helper()
	if held, err := s.Play(t.Context(), steps); err != nil {
		t.Fatalf("%d of %d steps held: %v\n%s", held, len(steps), err, s.World.Bridge().LogTail())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A side is one end of the conversation.
type side struct {
	who  *client.Client
	room string
	word string // what its numbered messages begin with
}

func sides(s *story.Story) (patient, staff side) {
	return side{s.Patient, s.Consulting, "vraag"}, side{s.Fatima, s.TalkRoom, "antwoord"}
}

// says sends the numbered messages from first up to and including last, one after the other.
func (a side) says(ctx context.Context, first, last int) error {
	for n := first; n <= last; n++ {
		if _, err := a.who.SendText(ctx, a.room, number(a.word, n)); err != nil {
			return fmt.Errorf("%s %d: %w", a.word, n, err)
		}
	}
	return nil
}

func number(word string, n int) string { return fmt.Sprintf("%s-%04d", word, n) }

var numbered = regexp.MustCompile(`(vraag|antwoord)-\d{4}`)

// A tally is what was found wrong with numbered messages at one place.
type tally struct{ lost, doubled, moved int }

func (w tally) String() string {
	return fmt.Sprintf("%d lost, %d doubled, %d out of order", w.lost, w.doubled, w.moved)
}

// count compares what is at a place with the messages of a word up to last.
func count(found []string, word string, last int) (w tally) {
	times, before := map[string]int{}, ""
	for _, f := range found {
		if !strings.HasPrefix(f, word+"-") {
			continue
		}
		times[f]++
		if f < before {
			w.moved++
		}
		before = f
	}
	for n := 1; n <= last; n++ {
		if times[number(word, n)] == 0 {
			w.lost++
		}
	}
	for _, n := range times {
		w.doubled += n - 1
	}
	return w
}

// reads is what a side can read of what the other side wrote, in the homeserver's order.
func (a side) reads(ctx context.Context) (found []string, err error) {
	if err := a.who.Backfill(ctx, a.room); err != nil {
		return nil, err
	}
	return a.sees(), nil
}

// sees is the same, as far as it came in by itself.
func (a side) sees() (found []string) {
	for _, e := range a.who.Room(a.room).Messages() {
		if e.Sender != a.who.UserID {
			found = append(found, numbered.FindAllString(e.Body(), -1)...)
		}
	}
	return found
}

// hearsAll waits until a side has all that the other wrote, and says what is wrong with it.
func (a side) hearsAll(t *testing.T, other side, last int) tally {
	t.Helper()
	complete := func(*client.Client) bool { return count(a.sees(), other.word, last).lost == 0 }
	for end := time.Now().Add(patience); time.Now().Before(end) && !complete(a.who); {
		// now and then by asking: a client that fell far behind has a gap in what came in
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := a.who.WaitFor(ctx, "all of "+other.word, complete)
		cancel()
		if err != nil {
			_, err = a.reads(t.Context())
			must(t, err)
		}
	}
	found, err := a.reads(t.Context())
	must(t, err)
	w := count(found, other.word, last)
	if w != (tally{}) {
		t.Errorf("%s: of %d of %q: %v", a.who.UserID, last, other.word, w)
	}
	return w
}

// filed is what the HIS folder holds, in the order of its numbers.
func filed(s *story.Story) (found []string, err error) {
	letters, err := filepath.Glob(filepath.Join(s.World.HIS, "*", "*", "*.txt"))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(letters, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	for _, file := range letters {
		if _, err := os.Stat(strings.TrimSuffix(file, ".txt") + ".json"); err != nil {
			continue // not complete yet
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found = append(found, numbered.FindAllString(string(text), -1)...)
	}
	return found, nil
}

// filesAll waits until the HIS folder has all of some words, and says what is wrong with it.
func filesAll(t *testing.T, s *story.Story, last map[string]int) map[string]tally {
	t.Helper()
	all := map[string]tally{}
	lost := func() (n int) {
		found, err := filed(s)
		must(t, err)
		for word, last := range last {
			all[word] = count(found, word, last)
			n += all[word].lost
		}
		return n
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); lost() > 0 && time.Now().Before(end); {
		<-tick.C
	}
	for word, w := range all {
		if w != (tally{}) {
			t.Errorf("HIS folder: of %d of %q: %v", last[word], word, w)
		}
	}
	checkNumbers(t, s)
	return all
}

// checkNumbers: the files of a conversation are numbered without a gap, each number once.
func checkNumbers(t *testing.T, s *story.Story) {
	t.Helper()
	bundles, err := filepath.Glob(filepath.Join(s.World.HIS, "*", "*", "*.json"))
	must(t, err)
	slices.Sort(bundles)
	for i, file := range bundles { // of one conversation
		if want := fmt.Sprintf("%04d-", i+1); !strings.HasPrefix(filepath.Base(file), want) {
			t.Errorf("file %d of the HIS folder is %s", i+1, filepath.Base(file))
			return
		}
	}
}
