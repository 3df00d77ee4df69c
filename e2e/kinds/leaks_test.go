package kinds

import (
	"strings"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

// noLeaks walks through every event of both rooms, as their clients have decrypted it, and looks
// for what only the other side may know (requirement B5).
func noLeaks(t *testing.T, k talk) {
	ctx := limited(t)
	staff, patient := k.Fatima.Room(k.TalkRoom), k.Patient.Room(k.Consulting)
	must(t, k.Fatima.Backfill(ctx, k.TalkRoom))
	must(t, k.Patient.Backfill(ctx, k.Consulting))
	staff, patient = k.Fatima.Room(k.TalkRoom), k.Patient.Room(k.Consulting)

	atStaff := append(ids(patient), k.Patient.UserID, localpart(k.Patient.UserID), k.Consulting, k.Contact)
	atPatient := append(ids(staff), k.TalkRoom, k.Balie, k.Beheer, k.Space)
	for _, s := range k.World.Staff {
		atPatient = append(atPatient, s.UserID, "@"+localpart(s.UserID))
	}
	if _, home, _ := strings.Cut(k.World.Bot, ":"); !strings.HasSuffix(k.Patient.UserID, ":"+home) {
		_, domain, _ := strings.Cut(k.Patient.UserID, ":")
		atStaff = append(atStaff, domain)
	}
	look(t, "in front of staff", staff, k.World.Bot, atStaff)
	look(t, "in front of the patient", patient, k.World.Bot, atPatient)
}

// look searches what the bot sent to a room; what people sent there themselves is theirs.
func look(t *testing.T, where string, r client.Room, bot string, secrets []string) {
	t.Helper()
	looked := 0
	for _, e := range r.Timeline {
		if e.Sender != bot || e.StateKey != nil {
			continue
		}
		looked++
		text := string(e.Content) + string(e.Edit)
		for _, secret := range append(secrets, mediatest.Secret, "mx-reply", "DCIM") {
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("%s, %q stands in %s", where, secret, text)
			}
		}
	}
	t.Logf("%s: %d events, %d secrets", where, looked, len(secrets))
	if looked < len(All) {
		t.Errorf("%s: only %d events", where, looked)
	}
}

func ids(r client.Room) (all []string) {
	for _, e := range r.Timeline {
		all = append(all, e.ID)
	}
	return all
}

func localpart(user string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	return name
}
