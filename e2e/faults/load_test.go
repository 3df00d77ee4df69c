package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/kinds"
	"github.com/spreekkamer/spreekkamer/e2e/story"
)

// A side is one end of the conversation: who writes there, and where.
type side struct {
	who  *client.Client
	room string
	word string // what numbered messages of this side begin with
}

func sides(s *story.Story) (patient, staff side) {
	return side{s.Patient, s.Consulting, "vraag"}, side{s.Fatima, s.TalkRoom, "antwoord"}
}

// A message is one of the load, with what has to become of it at the other side.
type message struct {
	n       int
	side    side   // where it was sent
	id      string // as it was sent there
	kind    string
	like    kinds.Kind // the row of the table that it is, which says more of it
	gone    bool       // it was removed again: it must not be shown
	unfiled bool       // it was so before the HIS could take it
	edited  string     // what it says since it was edited
	answers string     // the text of what it replies to
	thread  string     // the text of what it continues
	file    []byte     // that come with it
	filed   string     // how the name of that ends in the HIS
	keys    []string   // of reactions that the other side has to see
	taken   string     // key of a reaction that was taken away again
	praised string     // key of a reaction that the other side gave it
	hidden  string     // an address in it that the other side must not see
}

// text is what a message says first.
func (m *message) text() string { return fmt.Sprintf("%s %d.", m.side.word, m.n) }

// better is what it says once it is edited.
func (m *message) better() string { return fmt.Sprintf("verbeterd %s %d.", m.side.word, m.n) }

// isThere says that a message was not removed.
func isThere(m *message) bool { return !m.gone }

// standsAlone says that a message can be the beginning of a thread.
func (m *message) standsAlone() bool { return !m.gone && m.answers == "" && m.thread == "" }

// A writer is one side that sends numbered messages of all kinds.
type writer struct {
	side
	other   *writer
	settled int // how many had arrived when the other side was last looked at
	mu      sync.Mutex
	sent    []*message
}

func (w *writer) messages() []*message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}

// write sends one message of each kind, one after the other, in an order of chance.
func (w *writer) write(ctx context.Context, random *rand.Rand, hand []kind) error {
	for _, i := range random.Perm(len(hand)) {
		m := &message{n: len(w.messages()) + 1, side: w.side, kind: hand[i].name}
		if err := hand[i].send(ctx, w, m); err != nil {
			return fmt.Errorf("%s, %s: %w", m.text(), m.kind, err)
		}
		w.mu.Lock()
		w.sent = append(w.sent, m)
		w.mu.Unlock()
	}
	return nil
}

// last is the last of messages that is in a room and of a sort, or nil.
func last(all []*message, room string, is func(*message) bool) *message {
	for _, m := range slices.Backward(all) {
		if m.side.room == room && is(m) {
			return m
		}
	}
	return nil
}

// heard is the last message of the other side that has arrived here, and the event that shows
// it; nil when there is none yet.
func (w *writer) heard() (*message, string) {
	m := last(w.other.messages()[:w.other.settled], w.other.room, isThere)
	if m == nil || m.praised != "" {
		return nil, ""
	}
	e, found := w.who.Room(w.room).Find(func(e client.Event) bool {
		return e.IsMessage() && e.Sender != w.who.UserID && numberOf(e, m.side.word) == m.n
	})
	if !found {
		return nil, ""
	}
	return m, e.ID
}

// load sends a round of messages from both sides at once, and brings what each reacts to.
func (b *bed) load(ctx context.Context, hand []kind) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range []*writer{b.patient, b.staff} {
		random := rand.New(rand.NewPCG(b.random.Uint64(), 0))
		group.Go(func() error { return w.write(ctx, random, hand) })
	}
	return group.Wait()
}

var numbered = map[string]*regexp.Regexp{
	"vraag": regexp.MustCompile(`\bvraag (\d+)\.`), "antwoord": regexp.MustCompile(`\bantwoord (\d+)\.`),
}

// numberIn is the number of the message that a text is, of those with a word; 0 = none.
func numberIn(text, word string) int {
	match := numbered[word].FindStringSubmatch(text)
	if match == nil {
		return 0
	}
	n, _ := strconv.Atoi(match[1])
	return n
}

// numberOf is the number of the message that an event shows: a sticker has it in the name of its file.
func numberOf(e client.Event, word string) int {
	if n := numberIn(e.Body(), word); n > 0 {
		return n
	}
	name, _ := kinds.At(e.Latest(), "filename").(string)
	return numberIn(name, word)
}

// A tally is what became of messages.
type tally struct {
	Messages, Lost, Doubled, Disorder int
	notes                             []string
}

func (t *tally) add(other tally) {
	t.Messages, t.Lost, t.Doubled, t.Disorder = t.Messages+other.Messages, t.Lost+other.Lost, t.Doubled+other.Doubled, t.Disorder+other.Disorder
	t.notes = append(t.notes, other.notes...)
}

func (t *tally) lost(format string, args ...any) {
	t.Lost++
	t.notes = append(t.notes, "lost: "+fmt.Sprintf(format, args...))
}

func (t *tally) doubled(format string, args ...any) {
	t.Doubled++
	t.notes = append(t.notes, "doubled: "+fmt.Sprintf(format, args...))
}

// once counts something that has to be there once.
func (t *tally) once(n int, format string, args ...any) {
	switch {
	case n == 0:
		t.lost(format, args...)
	case n > 1:
		t.doubled(format, args...)
	}
}

// order counts the numbers that come after a higher one.
func (t *tally) order(where string, numbers []int) {
	highest := 0
	for _, n := range numbers {
		if n < highest {
			t.Disorder++
			t.notes = append(t.notes, fmt.Sprintf("out of order: %d after %d %s", n, highest, where))
		}
		highest = max(highest, n)
	}
}

func (t *tally) bad() int { return t.Lost + t.Doubled + t.Disorder }

func (t *tally) String() string {
	line := fmt.Sprintf("%d messages, %d lost, %d doubled, %d out of order", t.Messages, t.Lost, t.Doubled, t.Disorder)
	if len(t.notes) > 0 {
		line += "\n  " + strings.Join(t.notes[:min(len(t.notes), 20)], "\n  ")
	}
	return line
}
