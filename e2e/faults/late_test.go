package faults

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// keyTimeout stands for the three minutes of the default: ten minutes of that are 6.7 s here.
const keyTimeout = 2 * time.Second

func speaks(ctx context.Context, t *testing.T, c *client.Client, room, text string) {
	t.Helper()
	_, err := c.SendText(ctx, room, text)
	must(t, err)
}

func sees(ctx context.Context, t *testing.T, c *client.Client, room, text string) string {
	t.Helper()
	e, err := c.WaitText(ctx, room, text)
	must(t, err)
	return e.Body()
}

// inHIS waits until a letter in the HIS folder says something, and returns it.
func inHIS(t *testing.T, s *story.Story, text string) string {
	t.Helper()
	deadline, tick := time.Now().Add(time.Minute), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for ; time.Now().Before(deadline); <-tick.C {
		files, err := filepath.Glob(filepath.Join(s.World.HIS, "*", "*", "*.txt"))
		must(t, err)
		for _, file := range files {
			if letter, err := os.ReadFile(file); err == nil && strings.Contains(string(letter), text) {
				return string(letter)
			}
		}
	}
	t.Fatalf("%q is not in the HIS folder", text)
	return ""
}

// The clients of patient and staff keep a key to themselves for over ten minutes of test time,
// while the bridge is restarted, and then give it. Both sides are told that a message is missing,
// nobody else waits, and in the end each message is there, in the HIS too, marked as late.
func TestAKeyComesLateOverRestarts(t *testing.T) {
	late := world.Options{Env: []string{"SPREEKKAMER_RELAY_KEY_TIMEOUT=" + keyTimeout.String()}}
	each(t, late, func(t *testing.T, s *story.Story) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		patient, staff := sides(s)
		const fromPatient, fromStaff, mark = "mijn late vraag.", "mijn late antwoord.", "[te laat ontvangen, gestuurd op "
		must(t, patient.who.WithholdKeys(ctx, s.World.Bot, patient.room))
		must(t, staff.who.WithholdKeys(ctx, s.World.Bot, staff.room))
		began := time.Now()
		speaks(ctx, t, patient.who, patient.room, fromPatient)
		speaks(ctx, t, staff.who, staff.room, fromStaff)
		for _, a := range []side{patient, staff} {
			sees(ctx, t, a.who, a.room, "nog niet openen")
		}
		sees(ctx, t, staff.who, staff.room, "Hier ontbreekt een bericht van de patiënt")
		sees(ctx, t, patient.who, patient.room, "een bericht dat nog niet is aangekomen")

		for time.Since(began) < keyTimeout*10/3 {
			must(t, s.World.Restart(ctx))
		}
		doctor, err := s.World.Login(ctx, s.World.Staff[1])
		must(t, err)
		must(t, doctor.Join(ctx, staff.room))
		speaks(ctx, t, doctor, staff.room, "de dokter wacht niet.")
		sees(ctx, t, patient.who, patient.room, "de dokter wacht niet.")

		t.Logf("the keys are given after %v, %.1f times the set time", time.Since(began).Round(time.Second), float64(time.Since(began))/float64(keyTimeout))
		must(t, patient.who.ReleaseKeys(ctx))
		must(t, staff.who.ReleaseKeys(ctx))
		for said, there := range map[string]side{fromPatient: staff, fromStaff: patient} {
			shown := sees(ctx, t, there.who, there.room, said)
			if !strings.Contains(shown, mark) || !strings.Contains(inHIS(t, s, said), mark) {
				t.Errorf("not marked as late: %q", shown)
			}
		}
		for _, a := range []side{patient, staff} {
			sees(ctx, t, a.who, a.room, "konden wij nu toch openen")
		}
	})
}
