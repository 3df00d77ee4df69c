package faults

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// Who is no longer staff is out of every room and reads nothing that comes after. The room of a
// conversation that is over goes by itself when everything in it is gone.
func TestRoomsAreForWhoBelongsThereAndGoInTheEnd(t *testing.T) {
	each(t, world.Options{Retention: period}, func(t *testing.T, s *story.Story) {
		doctor, err := s.World.Login(t.Context(), s.World.Staff[1])
		must(t, err)
		must(t, doctor.Join(bounded(t), s.TalkRoom))
		fatima := s.World.Staff[0].UserID
		_, err = s.Joost.SendText(t.Context(), s.Beheer, "!medewerker- "+fatima)
		must(t, err)
		for _, room := range []string{s.Space, s.Balie, s.Beheer, s.TalkRoom} {
			waitOut(t, s.Fatima, room)
		}
		_, err = s.Patient.SendText(t.Context(), s.Consulting, "Dit is niet voor haar")
		must(t, err)
		_, err = doctor.WaitText(bounded(t), s.TalkRoom, "Dit is niet voor haar")
		must(t, err)
		if slices.ContainsFunc(s.Fatima.Room(s.TalkRoom).Timeline, func(e client.Event) bool { return strings.Contains(e.Body(), "niet voor haar") }) {
			t.Error("who is no longer staff reads what comes after")
		}
		if err := s.Fatima.Join(t.Context(), s.TalkRoom); err == nil {
			t.Error("who is no longer staff can come in again")
		}

		_, err = doctor.SendText(t.Context(), s.TalkRoom, "!sluiten")
		must(t, err)
		began := time.Now()
		waitOut(t, doctor, s.TalkRoom)
		var child map[string]any
		must(t, s.Joost.State(bounded(t), s.Space, "m.space.child", s.TalkRoom, &child))
		if len(child) > 0 {
			t.Errorf("the room still hangs in the space: %v", child)
		}
		t.Logf("%s: the room of the closed conversation went after %v", s.World.Home.Kind, time.Since(began).Round(time.Second))
		if s.World.Home.Kind == harness.Synapse {
			waitDeleted(t, doctor, s.TalkRoom)
		}
	})
}

// waitOut waits until someone is not in a room any more.
func waitOut(t *testing.T, c *client.Client, room string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		var joined struct {
			Rooms []string `json:"joined_rooms"`
		}
		must(t, c.Request(ctx, http.MethodGet, "", "/joined_rooms", nil, &joined))
		if !slices.Contains(joined.Rooms, room) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s is still in %s", c.UserID, room)
		}
	}
}

// waitDeleted waits until the homeserver knows nothing of a room any more, also for who was in it.
func waitDeleted(t *testing.T, c *client.Client, room string) {
	t.Helper()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		if c.Request(bounded(t), http.MethodGet, "", "/rooms/"+room+"/messages?dir=b", nil, new(map[string]any)) != nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("its history is still there")
		}
	}
}
