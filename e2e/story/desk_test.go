package story_test

import (
	"slices"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// What patients and staff see of each other besides messages, on both homeservers.
func TestTheDesk(t *testing.T) {
	for _, kind := range harness.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			w := world.InTest(t, world.Options{Kind: kind, Patients: 1, Hours: world.ClosedNow()})
			s := &story.Story{World: w, Tell: t.Logf}
			steps := slices.Concat(story.Answered(w.Patients[0]), story.Desk)
			if held, err := s.Play(t.Context(), steps); err != nil {
				t.Fatalf("%d of %d steps held: %v\n%s", held, len(steps), err, w.Bridge().LogTail())
			}
		})
	}
}
