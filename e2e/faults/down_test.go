package faults

import (
	"context"
	"os"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

const whileDown = 120

// A patient goes on writing while the bridge is down; the homeserver is restarted in
// between, and forgets what it still wanted to push.
func TestTheBridgeIsDownFor120Messages(t *testing.T) {
	each(t, world.Options{}, func(t *testing.T, s *story.Story) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		patient, staff := sides(s)
		if err := s.World.Bridge().Stop(); err != nil {
			t.Fatal(err)
		}
		must(t, patient.write(ctx, 1, whileDown/2))
		must(t, s.World.Home.Stop())
		must(t, s.World.Home.Start(ctx))
		must(t, patient.write(ctx, whileDown/2+1, whileDown))
		if err := s.World.StartBridge(ctx); err != nil {
			t.Fatal(err)
		}
		staff.waitAll(ctx, t, patient, whileDown)
		waitFiled(t, s, whileDown, patient.word)
	})
}

// While the HIS folder cannot be written the chat goes on, and filing catches up. A file in
// the place of the folder stops root too, which a read-only folder does not.
func TestTheHISIsAwayForAWhile(t *testing.T) {
	const messages = 10
	each(t, world.Options{}, func(t *testing.T, s *story.Story) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		patient, staff := sides(s)
		away := s.World.HIS + "-away"
		if err := os.Rename(s.World.HIS, away); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.World.HIS, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := patient.write(ctx, 1, messages); err != nil {
			t.Fatal(err)
		}
		staff.waitAll(ctx, t, patient, messages)
		if err := os.Remove(s.World.HIS); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(away, s.World.HIS); err != nil {
			t.Fatal(err)
		}
		waitFiled(t, s, messages, patient.word)
	})
}
