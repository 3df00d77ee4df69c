package faults

import (
	"context"
	"strings"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// A patient logs in on a tablet and does not verify it: what is written there passes, marked, and
// the patient is told how to verify it. The phone, which is verified, stays as it was.
func TestAPatientWritesFromADeviceThatIsNotVerified(t *testing.T) {
	each(t, world.Options{}, func(t *testing.T, s *story.Story) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		const mark = "[van een apparaat dat niet is bevestigd] "
		tablet, err := s.World.LoginAs(ctx, s.World.Patients[0], client.UnsignedDevice)
		must(t, err)
		for _, text := range []string{"van mijn tablet.", "nog eens van mijn tablet."} {
			speaks(ctx, t, tablet, s.Consulting, text)
			sees(ctx, t, s.Fatima, s.TalkRoom, mark+text)
		}
		sees(ctx, t, tablet, s.Consulting, "Dit apparaat is nog niet bevestigd")
		speaks(ctx, t, s.Patient, s.Consulting, "van mijn telefoon.")
		if shown := sees(ctx, t, s.Fatima, s.TalkRoom, "van mijn telefoon."); strings.Contains(shown, mark) {
			t.Errorf("a verified device is marked: %q", shown)
		}
		told := 0
		for _, text := range tablet.Room(s.Consulting).Bodies() {
			if strings.Contains(text, "Dit apparaat is nog niet bevestigd") {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}
