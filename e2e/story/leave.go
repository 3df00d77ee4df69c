package story

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// Leave is how it ends: a child is refused, the retention period passes, a patient
// withdraws (steps 2, 8 and 9).
func Leave(child world.Person) []Step {
	return []Step{
		{"Someone under 16 is refused, and nothing is kept", func(ctx context.Context, s *Story) error { return s.tooYoung(ctx, child) }},
		{"A word withdraws consent: from then on nothing passes", withdraws},
		{"Nothing of one side can be seen at the other in any room", leaveNoTrace},
		{"After the retention period everything is removed, and read back to prove it", retained},
	}
}

// tooYoung lets a child register up to the birth date.
func (s *Story) tooYoung(ctx context.Context, child world.Person) (err error) {
	if s.Child, err = s.World.Login(ctx, child); err != nil {
		return err
	}
	if s.ChildContact, err = s.Child.DirectChat(ctx, s.World.Bot); err != nil {
		return err
	}
	room, err := s.Child.WaitInvite(ctx, s.World.Bot)
	if err != nil {
		return err
	}
	if err := enter(ctx, s.Child, room); err != nil {
		return err
	}
	if _, err := s.hears(ctx, s.Child, room, "Mogen wij uw berichten lezen"); err != nil {
		return err
	}
	err = s.talk(ctx, s.Child, room, []line{
		{"1", "gegevens over uw gezondheid"}, {"1", "gebruiksvoorwaarden"}, {"1", "Wat is uw voornaam?"},
		{"Pim", "Wat is uw achternaam?"}, {"Smit", "telefoonnummer kunnen"}, {"0687654321", "Wat is uw e-mailadres?"},
		{"pim@example.com", "Wat is uw geboortedatum?"}, {"1-1-2015", "U bent nog geen 16 jaar"},
	})
	if err != nil {
		return err
	}
	return s.Child.WaitFor(ctx, "everything but the refusal to be removed", func(c *client.Client) bool {
		left := 0
		for _, e := range c.Room(room).Messages() {
			if !e.Redacted {
				left++
			}
		}
		return left == 1
	})
}

func withdraws(ctx context.Context, s *Story) error {
	if err := s.talk(ctx, s.Patient, s.Consulting, []line{{"intrekken", "U heeft uw toestemming ingetrokken"}}); err != nil {
		return err
	}
	if _, err := s.hears(ctx, s.Fatima, s.TalkRoom, "heeft de toestemming ingetrokken"); err != nil {
		return err
	}
	if _, err := s.says(ctx, s.Fatima, s.TalkRoom, "Komt dit nog aan?"); err != nil {
		return err
	}
	if _, err := s.hears(ctx, s.Fatima, s.TalkRoom, "niet doorgegeven"); err != nil {
		return err
	}
	if _, came := s.Patient.Room(s.Consulting).Text("Komt dit nog aan?"); came {
		return fmt.Errorf("something passed after the withdrawal")
	}
	return nil
}

// retained restarts the bridge with a period of a second: a shorter period counts for what
// was sent before it was set.
func retained(ctx context.Context, s *Story) error {
	s.Tell("the bridge is restarted with SPREEKKAMER_RETENTION_MESSAGES=1s")
	if err := s.World.Restart(ctx, "SPREEKKAMER_RETENTION_MESSAGES=1s"); err != nil {
		return err
	}
	for _, seen := range []struct {
		who  *client.Client
		room string
	}{{s.Patient, s.Contact}, {s.Patient, s.Consulting}, {s.Fatima, s.TalkRoom}, {s.Fatima, s.Balie}, {s.Joost, s.Beheer}} {
		if err := s.allGone(ctx, seen.who, seen.room); err != nil {
			return err
		}
	}
	return nil
}

// allGone waits until someone sees nothing in a room any more, and asks the homeserver
// for every single event.
func (s *Story) allGone(ctx context.Context, c *client.Client, room string) error {
	err := c.WaitFor(ctx, "everything in a room to be removed", func(c *client.Client) bool {
		for _, e := range c.Room(room).Timeline {
			if hasContent(e) {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	events := c.Room(room).Timeline
	for _, e := range events {
		if err := s.goneAtServer(ctx, c, e); err != nil {
			return err
		}
	}
	s.Tell("%s sees nothing any more of %d events, nor does the homeserver give anything", name(c), len(events))
	return nil
}

// hasContent says that an event, other than the state of the room, still says something.
func hasContent(e client.Event) bool {
	return e.StateKey == nil && e.Type != "m.room.redaction" && !e.Redacted
}

// goneAtServer waits until a homeserver gives nothing of an event any more. Dendrite tells of a
// redaction a moment before it carries it out.
func (s *Story) goneAtServer(ctx context.Context, c *client.Client, e client.Event) error {
	if e.StateKey != nil || e.Type == "m.room.redaction" {
		return nil
	}
	for again := newWait(); ; {
		gone, err := isGone(ctx, c, e)
		if err != nil || gone {
			return err
		}
		if again.over() {
			return fmt.Errorf("the homeserver still gives the content of a %s", e.Type)
		}
	}
}

func isGone(ctx context.Context, c *client.Client, e client.Event) (bool, error) {
	raw, err := c.RawEvent(ctx, e.RoomID, e.ID)
	if err != nil {
		return false, err
	}
	var event struct {
		Content map[string]any `json:"content"`
	}
	err = json.Unmarshal(raw, &event)
	return len(event.Content) == 0, err
}
