// Package story plays the main job of Spreekkamer from begin to end with real clients: a
// patient registers, asks, staff answer, everything is filed, and all of it is gone in
// time. The demo tells it line by line; the tests run it on every homeserver and database.
package story

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// A Story is a world and the people in it, as far as the story has come.
type Story struct {
	World *world.World
	Tell  func(format string, args ...any) // hears every line

	Patient, Other, Child          *client.Client // Other also has a conversation about a Derde
	Fatima, Joost                  *client.Client
	Contact, Consulting            string // the patient's rooms
	Space, Balie, Beheer, TalkRoom string // staff's rooms
	Question, Photo, Answer        client.Event
	OtherConsulting, ChildContact  string
	patientNumber                  string
	heard                          map[string]bool // what was read once is not waited for again
}

// A Step is one thing that has to hold.
type Step struct {
	Title string
	Run   func(ctx context.Context, s *Story) error
}

// stepTime bounds one step.
const stepTime = time.Minute

// Play runs the steps in order and returns how many held; the first that does not hold
// ends the story.
func (s *Story) Play(ctx context.Context, steps []Step) (held int, err error) {
	for _, step := range steps {
		s.Tell("— %s", step.Title)
		if err := s.run(ctx, step); err != nil {
			return held, fmt.Errorf("%s: %w", step.Title, err)
		}
		held++
	}
	return held, nil
}

func (s *Story) run(ctx context.Context, step Step) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	return step.Run(ctx, s)
}

// says sends a text and tells it.
func (s *Story) says(ctx context.Context, c *client.Client, room, text string) (string, error) {
	s.Tell("%s: %s", name(c), text)
	return c.SendText(ctx, room, text)
}

// hears waits for a text that comes after what has been heard, and tells it.
func (s *Story) hears(ctx context.Context, c *client.Client, room, part string) (client.Event, error) {
	e, err := c.WaitEvent(ctx, room, fmt.Sprintf("a message with %q", part), func(e client.Event) bool {
		return e.IsMessage() && e.Sender != c.UserID && !s.heard[e.ID+e.Body()] && contains(e.Body(), part)
	})
	if err == nil {
		if s.heard == nil {
			s.heard = map[string]bool{}
		}
		s.heard[e.ID+e.Body()] = true
		s.Tell("%s reads: %s", name(c), firstLine(e.Body()))
	}
	return e, err
}

// A line is something a person types, and what the bot answers to it.
type line struct{ types, answer string }

// talk types lines one after the other, waiting for each answer.
func (s *Story) talk(ctx context.Context, c *client.Client, room string, lines []line) error {
	for _, l := range lines {
		if _, err := s.says(ctx, c, room, l.types); err != nil {
			return err
		}
		if _, err := s.hears(ctx, c, room, l.answer); err != nil {
			return err
		}
	}
	return nil
}

// files are what the HIS folder holds of a kind, in order.
func (s *Story) files(pattern string) ([]string, error) {
	return filepath.Glob(filepath.Join(s.World.HIS, s.patientNumber, "*", pattern))
}
