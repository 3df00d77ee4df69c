package trouble

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// Nothing can be written to the HIS folder: the chat goes on, and what was not filed is filed
// once the folder is back. (A file in its place stops root too, which its rights would not.)
func TestHISReadOnly(t *testing.T) {
	const last = 15
	onEach(t, world.Options{}, func(t *testing.T, s *story.Story) {
		patient, staff := sides(s)
		away := s.World.HIS + ".away"
		must(t, os.Rename(s.World.HIS, away))
		must(t, os.WriteFile(s.World.HIS, nil, 0o600))
		began := time.Now()
		var group errgroup.Group
		for _, from := range []side{patient, staff} {
			group.Go(func() error { return from.says(t.Context(), 1, last) })
		}
		must(t, group.Wait())
		atStaff, atPatient := staff.hearsAll(t, patient, last), patient.hearsAll(t, staff, last)
		chat := time.Since(began)

		must(t, os.Remove(s.World.HIS))
		must(t, os.Rename(away, s.World.HIS))
		began = time.Now()
		folder := filesAll(t, s, map[string]int{patient.word: last, staff.word: last})
		t.Logf("%d messages each way while the folder was away %v: at staff %v; at the patient %v; filed %v after it was back: %v and %v",
			last, chat.Round(time.Millisecond), atStaff, atPatient, time.Since(began).Round(time.Millisecond),
			folder[patient.word], folder[staff.word])
	})
}
