package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// The defaults of the product; the world has none, as tests type fast.
var limits = []string{
	"SPREEKKAMER_LIMITS_MESSAGES=30", "SPREEKKAMER_LIMITS_INVITATIONS=10", "SPREEKKAMER_LIMITS_SERVER_INVITATIONS=60",
}

const (
	much          = 45  // messages in a row, of which the patient is told that it is much
	flood         = 600 // messages, when nobody stops the patient
	strangers     = 8
	perStranger   = 25 // invitations
	mostMegabytes = 150
)

func TestFloods(t *testing.T) {
	each(t, world.Options{Env: limits}, func(t *testing.T, s *story.Story) {
		t.Run("by strangers", func(t *testing.T) { strangersFlood(t, s) })
		t.Run("by a patient", func(t *testing.T) { patientFloods(t, s) })
		if used := megabytes(t, s.World.Bridge().Pid()); used > mostMegabytes {
			t.Errorf("the bridge uses %d MB", used)
		}
	})
}

// Who sends much is told so, and heard: all of it, in order. Whoever goes on is stopped by their own
// homeserver for a minute. The answer of staff goes between.
func patientFloods(t *testing.T, s *story.Story) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	sent := 0
	for ; sent < much; sent++ {
		_, err := s.Patient.SendText(ctx, s.Consulting, flooding(sent))
		must(t, err)
	}
	sees(ctx, t, s.Patient, s.Consulting, "U stuurt nu heel veel berichten achter elkaar.")
	sees(ctx, t, s.Fatima, s.TalkRoom, flooding(sent-1))
	for ; sent < flood; sent++ {
		if _, err := s.Patient.SendText(ctx, s.Consulting, flooding(sent)); client.Errcode(err) == "M_FORBIDDEN" {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if sent == flood {
		t.Fatalf("%d messages were taken in a row", sent)
	}
	sees(ctx, t, s.Patient, s.Consulting, "U stuurt nu veel te veel berichten achter elkaar.")
	speaks(ctx, t, s.Fatima, s.TalkRoom, "rustig maar.")
	sees(ctx, t, s.Patient, s.Consulting, "rustig maar.")
	sees(ctx, t, s.Fatima, s.TalkRoom, "Het laatste daarvan ontbreekt hier misschien.")
	sees(ctx, t, s.Patient, s.Consulting, "U kunt weer berichten sturen.")
	speaks(ctx, t, s.Patient, s.Consulting, "nu rustig.")
	sees(ctx, t, s.Fatima, s.TalkRoom, "nu rustig.")

	var arrived, want []string
	for _, text := range s.Fatima.Room(s.TalkRoom).Bodies() {
		if _, own, is := strings.Cut(text, "vloed "); is {
			arrived = append(arrived, "vloed "+own)
		}
	}
	t.Logf("%d messages were taken before the pause, %d of them arrived", sent, len(arrived))
	for i := range sent {
		want = append(want, flooding(i))
	}
	if last := len(want) - 1; len(arrived) == last && s.World.Home.Kind == harness.Dendrite {
		want = want[:last] // Dendrite accepts what is on its way while the gate closes, and tells nobody: docs/homeservers.md
	}
	if !slices.Equal(arrived, want) {
		t.Errorf("of %d messages arrived %q", sent, arrived)
	}
}

func flooding(i int) string { return fmt.Sprintf("vloed %03d.", i) }

// Strangers invite the bot by the hundred: each a few times only is it answered, and the patients
// notice nothing.
func strangersFlood(t *testing.T, s *story.Story) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	started := time.Now()
	var all []*client.Client
	for i := range strangers {
		person, err := s.World.Colleague(ctx, fmt.Sprintf("stranger%d", i))
		must(t, err)
		c, err := s.World.LoginAs(ctx, person, client.UnsignedDevice)
		must(t, err)
		all = append(all, c)
	}
	group, inviting := errgroup.WithContext(ctx)
	for _, c := range all {
		group.Go(func() error { return invites(inviting, c, s.World.Bot) })
	}
	speaks(ctx, t, s.Patient, s.Consulting, "intussen een vraag.")
	sees(ctx, t, s.Fatima, s.TalkRoom, "intussen een vraag.")
	must(t, group.Wait())
	total := 0
	for i, c := range all {
		must(t, c.WaitFor(ctx, "every invitation answered", func(c *client.Client) bool { return answered(c, s.World.Bot, "invite") == 0 }))
		if n := answered(c, s.World.Bot, "join"); n > 10 {
			t.Errorf("stranger %d got the bot in %d rooms", i, n)
		} else {
			total += n
		}
	}
	minutes := 2 + int(time.Since(started)/time.Minute) // touched by what we did
	if total == 0 || total > 60*minutes {
		t.Errorf("the bot is in %d rooms of strangers", total)
	}
	t.Logf("%d invitations of %d strangers in %v: %d taken", strangers*perStranger, strangers, time.Since(started), total)
	speaks(ctx, t, s.Fatima, s.TalkRoom, "en een antwoord.")
	sees(ctx, t, s.Patient, s.Consulting, "en een antwoord.")
}

func invites(ctx context.Context, c *client.Client, bot string) error {
	for range perStranger {
		if _, err := c.CreateRoom(ctx, map[string]any{"invite": []string{bot}, "is_direct": true}, false); err != nil {
			return err
		}
	}
	return nil
}

// answered counts the rooms of a stranger in which the bot's membership is this: their own, not the
// consulting room that they are asked into.
func answered(c *client.Client, bot, membership string) (n int) {
	for _, room := range c.Rooms() {
		if room.Membership == "join" && room.Members[bot] == membership {
			n++
		}
	}
	return n
}

// megabytes is what a process holds in memory.
func megabytes(t *testing.T, pid int) (used int) {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	must(t, err)
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "VmRSS:"); is {
			kB, err := strconv.Atoi(strings.Fields(value)[0])
			must(t, err)
			used = kB / 1000
		}
	}
	return used
}
