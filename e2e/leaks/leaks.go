// Package leaks looks at everything that the bot sent to both sides of conversations, for what
// only the other side may know (requirement B5).
package leaks

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// People are the clients whose rooms are looked at: all that they are or were in, as far as they saw
// what was said there. What people sent themselves is theirs.
type People struct {
	World           *world.World
	Patients, Staff []*client.Client
	Nowhere         []string // what neither side may see, such as what a phone writes into its photos
}

// Find returns what is where it may not be, and at how many events it looked.
func (p People) Find(ctx context.Context) (found []string, looked int, err error) {
	staff := party{name: "staff", home: world.ServerOf(p.World.Bot)}
	for _, person := range p.World.Staff {
		staff.addresses = append(staff.addresses, person.UserID, "@"+localpart(person.UserID))
	}
	for _, c := range p.Staff {
		staff.addresses = append(staff.addresses, c.UserID)
		if err := staff.sees(ctx, c); err != nil {
			return nil, 0, err
		}
	}
	all := []party{staff}
	for _, c := range p.Patients {
		patient := party{name: c.UserID, home: world.ServerOf(c.UserID), addresses: []string{c.UserID}}
		if err := patient.sees(ctx, c); err != nil {
			return nil, 0, err
		}
		all = append(all, patient)
	}
	found, looked = search(all, p.World.Bot, p.Nowhere)
	return found, looked, nil
}

// A party is one side: all of staff, or one patient.
type party struct {
	name, home string
	addresses  []string // of people
	rooms      []client.Room
}

// sees reads the rooms of one of the party. A room that they are not in any more, or whose homeserver
// was stopped, is known as far as it was seen.
func (p *party) sees(ctx context.Context, c *client.Client) error {
	_, _, away := c.Whoami(ctx)
	for _, room := range c.Rooms() {
		if room.Membership == "join" && away == nil {
			if err := c.Backfill(ctx, room.ID); err != nil && !isGone(err) {
				return fmt.Errorf("room %s of %s: %w", room.ID, c.UserID, err)
			}
		}
		p.rooms = append(p.rooms, c.Room(room.ID))
	}
	return nil
}

// isGone says that a homeserver does not give a room any more: it was just left, or deleted.
func isGone(err error) bool {
	var answer *client.Error
	return errors.As(err, &answer) && (answer.Errcode == "M_FORBIDDEN" || answer.Errcode == "M_NOT_FOUND")
}

// ids are events and files, wherever they stand. What is found is looked up: there are too many
// to look for each.
var ids = regexp.MustCompile(`\$[A-Za-z0-9_-]{43}|mxc://[A-Za-z0-9.:_-]+/[A-Za-z0-9_-]+`)

// search looks at what the bot sent to each party for what another one has.
func search(all []party, bot string, nowhere []string) (found []string, looked int) {
	owners := map[string]int{}
	for i, p := range all {
		p.owns(owners, i)
	}
	for i, p := range all {
		secrets := slices.Concat(nowhere, p.mustNotSee(i, all))
		for _, room := range p.rooms {
			for _, e := range room.Timeline {
				if e.Sender != bot || e.DecryptionError != "" { // what its reader cannot read is not counted
					continue
				}
				looked++
				for _, leak := range leaksIn(e, secrets, owners, i) {
					found = append(found, fmt.Sprintf("%s sees %q in %s", p.name, leak, everything(e)))
				}
			}
		}
	}
	return found, looked
}

// owns notes the events and files of a party.
func (p party) owns(owners map[string]int, i int) {
	for _, room := range p.rooms {
		for _, e := range room.Timeline {
			owners[e.ID] = i
			if e.StateKey != nil {
				continue
			}
			for _, id := range ids.FindAllString(everything(e), -1) {
				if strings.HasPrefix(id, "mxc:") {
					owners[id] = i
				}
			}
		}
	}
}

// mustNotSee are the addresses of all others: staff must not see the names of patients' accounts, nor
// of the homeservers of those from elsewhere.
func (p party) mustNotSee(i int, all []party) (secrets []string) {
	for j, other := range all {
		if i == j {
			continue
		}
		secrets = append(secrets, other.addresses...)
		for _, room := range other.rooms {
			secrets = append(secrets, room.ID)
		}
		if i == 0 {
			secrets = append(secrets, localpart(other.addresses[0]))
		}
		if i == 0 && p.home != other.home {
			secrets = append(secrets, other.home)
		}
	}
	return secrets
}

func leaksIn(e client.Event, secrets []string, owners map[string]int, reader int) (found []string) {
	text := everything(e)
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			found = append(found, secret)
		}
	}
	for _, id := range ids.FindAllString(text, -1) {
		if owner, known := owners[id]; known && owner != reader {
			found = append(found, id)
		}
	}
	return found
}

// everything is all that an event says or said: an edit is an event of its own, with its words.
func everything(e client.Event) string {
	text := string(e.Content) + string(e.Edit) + string(e.Was)
	if e.StateKey != nil {
		text += " " + *e.StateKey
	}
	return text
}

func localpart(user string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	return name
}
