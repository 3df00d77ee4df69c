package story_test

import (
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

func TestTheWholeStory(t *testing.T) {
	for _, kind := range harness.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			w, err := world.Start(t.Context(), world.Options{Kind: kind, Dir: t.TempDir(), Patients: 3})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(w.Stop)
			s := &story.Story{World: w, Tell: t.Logf}
			steps := story.All(w.Patients[0], w.Patients[1])
			if held, err := s.Play(t.Context(), steps); err != nil {
				t.Fatalf("%d of %d steps held: %v\n%s", held, len(steps), err, w.Bridge().LogTail())
			}
		})
	}
}
