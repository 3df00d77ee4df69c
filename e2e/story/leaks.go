package story

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// leaveNoTrace walks through everything that has been relayed in the story so far.
func leaveNoTrace(ctx context.Context, s *Story) error {
	found, looked, err := s.Leaks(ctx)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("what only one side may know stands at the other: %s", strings.Join(found, "\n"))
	}
	s.Tell("%d events of the bot hold no id, user name or server of the other side", looked)
	return nil
}

// Leaks walks through every event that the bot sent to the two rooms of a conversation, as
// clients have decrypted them, and looks for what only the other side may know (requirement
// B5): user ids, rooms, events, and the server of a patient from elsewhere. what people sent
// there themselves is theirs. It returns what it found, and how many events it looked at.
func (s *Story) Leaks(ctx context.Context, also ...string) (found []string, looked int, err error) {
	staff, err := history(ctx, s.Fatima, s.TalkRoom)
	if err != nil {
		return nil, 0, err
	}
	patient, err := history(ctx, s.Patient, s.Consulting)
	if err != nil {
		return nil, 0, err
	}
	atStaff := append(ids(patient), s.Patient.UserID, localpart(s.Patient.UserID), s.Consulting, s.Contact)
	if home, server := serverOf(s.World.Bot), serverOf(s.Patient.UserID); home != server {
		atStaff = append(atStaff, server)
	}
	atPatient := append(ids(staff), s.TalkRoom, s.Balie, s.Beheer, s.Space)
	for _, p := range s.World.Staff {
		atPatient = append(atPatient, p.UserID, "@"+localpart(p.UserID))
	}
	for _, room := range []struct {
		room    client.Room
		secrets []string
	}{{staff, append(atStaff, also...)}, {patient, append(atPatient, also...)}} {
		for _, e := range room.room.Timeline {
			if e.Sender != s.World.Bot || e.StateKey != nil {
				continue
			}
			looked++
			found = append(found, leaksIn(e, room.secrets)...)
		}
	}
	return found, looked, nil
}

func leaksIn(e client.Event, secrets []string) (found []string) {
	text := string(e.Content) + string(e.Edit)
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			found = append(found, fmt.Sprintf("%q in %s", secret, text))
		}
	}
	return found
}

// history is a room with everything in it that its client may see.
func history(ctx context.Context, c *client.Client, room string) (client.Room, error) {
	err := c.Backfill(ctx, room)
	return c.Room(room), err
}

func ids(r client.Room) (all []string) {
	for _, e := range r.Timeline {
		all = append(all, e.ID)
	}
	return slices.Clip(all)
}

func localpart(user string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	return name
}

func serverOf(user string) string {
	_, server, _ := strings.Cut(user, ":")
	return server
}
