package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// How many are in a room of strangers, in the short and in the long selection: the first is just
// more than a room that the bridge takes for one of its own can have.
const crowded, veryCrowded = 520, 5_000

// crowdToken is that of the service that owns the crowd: so thousands of people cost nobody a
// password.
const crowdToken = "crowd-token"

const crowdRegistration = `{"id":"crowd","url":null,"as_token":"` + crowdToken + `","hs_token":"crowd-hs-token","sender_localpart":"crowd-sender",` +
	`"rate_limited":false,"namespaces":{"users":[{"regex":"@crowd[0-9]+:.*","exclusive":true}],"aliases":[],"rooms":[]}}`

// Someone invites the bot to a room of thousands. It leaves again, and a patient and staff go on
// talking meanwhile.
func TestARoomOfThousands(t *testing.T) {
	registration := filepath.Join(t.TempDir(), "crowd.yaml")
	must(t, os.WriteFile(registration, []byte(crowdRegistration), 0o600))
	people := crowded
	if *long {
		people = veryCrowded
	}
	o := world.Options{Env: limits, Homeserver: harness.Options{Registrations: []string{registration}}}
	each(t, o, func(t *testing.T, s *story.Story) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		c := crowd{home: s.World.Home}
		started := time.Now()
		must(t, c.gather(ctx, people))
		t.Logf("%d people in a room after %v", people, time.Since(started).Round(time.Second))
		before, started := megabytes(t, s.World.Bridge().Pid()), time.Now()
		must(t, c.call(ctx, "POST", "rooms/"+c.room+"/invite", 0, map[string]any{"user_id": s.World.Bot}, nil))
		speaks(ctx, t, s.Patient, s.Consulting, "gaat het door?")
		sees(ctx, t, s.Fatima, s.TalkRoom, "gaat het door?")
		carried := time.Since(started)
		must(t, c.waitGone(ctx, s.World.Bot))
		left := time.Since(started)
		speaks(ctx, t, s.Fatima, s.TalkRoom, "het gaat door.")
		sees(ctx, t, s.Patient, s.Consulting, "het gaat door.")
		after := megabytes(t, s.World.Bridge().Pid())
		t.Logf("a message meanwhile took %v, the bot left after %v; %d MB before, %d MB after", carried, left, before, after)
		if after > mostMegabytes {
			t.Errorf("the bridge uses %d MB", after)
		}
	})
}

// A crowd is a room full of people.
type crowd struct {
	home *harness.Homeserver
	room string
}

func (c *crowd) user(n int) string { return fmt.Sprintf("@crowd%d:%s", n, c.home.ServerName) }

// gather makes people, and a room with all of them.
func (c *crowd) gather(ctx context.Context, people int) error {
	group, gathering := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for n := range people {
		group.Go(func() error {
			who := map[string]any{"type": "m.login.application_service", "username": fmt.Sprintf("crowd%d", n), "inhibit_login": true}
			return c.call(gathering, "POST", "register", -1, who, nil)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var made struct {
		RoomID string `json:"room_id"`
	}
	if err := c.call(ctx, "POST", "createRoom", 0, map[string]any{"preset": "public_chat"}, &made); err != nil {
		return err
	}
	c.room = url.PathEscape(made.RoomID)
	for n := range people - 1 { // one after the other: a homeserver gets no faster by more of them
		if err := c.call(ctx, "POST", "join/"+c.room, n+1, map[string]any{}, nil); err != nil {
			return err
		}
	}
	return nil
}

// waitGone waits until someone has been in the room and has left it.
func (c *crowd) waitGone(ctx context.Context, user string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var member struct{ Membership string }
		if err := c.call(ctx, "GET", "rooms/"+c.room+"/state/m.room.member/"+url.PathEscape(user), 0, nil, &member); err != nil {
			return err
		}
		if member.Membership == "leave" {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the bot's membership is %q: %w", member.Membership, ctx.Err())
		}
	}
}

// call asks the homeserver something as one of the crowd; -1 = as the service itself.
func (c *crowd) call(ctx context.Context, method, path string, as int, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	where := c.home.URL + "/_matrix/client/v3/" + path
	if as >= 0 {
		where += "?user_id=" + url.QueryEscape(c.user(as))
	}
	req, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+crowdToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: status %d", method, path, resp.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
