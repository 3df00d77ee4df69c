package trouble

import (
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

const whileDown = 120

// The bridge is down while a patient writes; then once more, and the homeserver restarts in
// the middle of that.
func TestDownFor120Messages(t *testing.T) {
	onEach(t, world.Options{}, func(t *testing.T, s *story.Story) {
		patient, staff := sides(s)
		wait := func(title string, last int) {
			began := time.Now()
			must(t, s.World.StartBridge(t.Context()))
			atStaff := staff.hearsAll(t, patient, last)
			arrived := time.Since(began)
			folder := filesAll(t, s, map[string]int{patient.word: last})
			t.Logf("%s: %d messages at staff %v after the start (%v), filed after %v (%v)", title, whileDown,
				arrived.Round(time.Millisecond), atStaff, time.Since(began).Round(time.Millisecond), folder[patient.word])
		}

		must(t, s.World.Bridge().Stop())
		must(t, patient.says(t.Context(), 1, whileDown))
		wait("bridge down", whileDown)

		must(t, s.World.Bridge().Stop())
		must(t, patient.says(t.Context(), whileDown+1, whileDown+whileDown/2))
		must(t, s.World.Home.Stop())
		must(t, s.World.Home.Start(t.Context()))
		must(t, patient.says(t.Context(), whileDown+whileDown/2+1, 2*whileDown))
		wait("bridge down, homeserver restarted", 2*whileDown)
	})
}
