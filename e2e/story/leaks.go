package story

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/leaks"
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

// Leaks looks for what only the other side may know in all rooms of the people of the story
// (requirement B5), and for what neither may.
func (s *Story) Leaks(ctx context.Context, nowhere ...string) (found []string, looked int, err error) {
	return leaks.People{
		World: s.World, Patients: here(s.Patient, s.Child), Staff: here(s.Fatima, s.Joost), Nowhere: nowhere,
	}.Find(ctx)
}

// here are those who are in the story already.
func here(all ...*client.Client) []*client.Client {
	return slices.DeleteFunc(all, func(c *client.Client) bool { return c == nil })
}
