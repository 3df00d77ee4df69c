//go:build conformance

package his_test

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/his/conformance"
)

// What the storm is like. A request of one message comes to grief seven times at most: each time the
// bridge waits twice as long, up to a minute, and only one message in two hundred would
// need more. What hangs does so for as long as the bridge has patience, a minute, a few
// times; after that somebody on the way gives up sooner.
const (
	share       = 0.3
	mostStrikes = 7
	longHangs   = 4
	shortHang   = 3 * time.Second
)

// A storm is what happens between the bridge and the HIS. It knows messages by their Provenance.
type storm struct {
	mu       sync.Mutex
	dice     *rand.Rand
	troubles []conformance.Trouble
	requests int
	struck   map[string]int // how often each trouble
	strikes  map[string]int // of one message
	refused  map[string]int // how often a message was refused for good
	hangs    int
}

func newStorm(t testing.TB, seed uint64) *storm {
	t.Logf("seed %d", seed)
	return &storm{
		dice: rand.New(rand.NewPCG(seed, seed)), troubles: conformance.Troubles(),
		struck: map[string]int{}, strikes: map[string]int{}, refused: map[string]int{},
	}
}

var provenance = regexp.MustCompile(`(?:Provenance/|"resourceType":"Provenance","id":")(sk-[0-9a-f-]{36})`)

// messageOf is the message that a request files or looks for; "" when it is about something else.
func messageOf(r *http.Request) string {
	text, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	if found := provenance.FindSubmatch(append([]byte(r.URL.Path+" "), text...)); err == nil && found != nil {
		return string(found[1])
	}
	return ""
}

// Fault is the conformance.Fault.
func (s *storm) Fault(w http.ResponseWriter, r *http.Request, pass http.HandlerFunc) bool {
	trouble, struck := s.choose(messageOf(r), conformance.Writes(r))
	return struck && trouble.Fault(w, r, pass)
}

func (s *storm) choose(message string, writes bool) (chosen conformance.Trouble, struck bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	strikes, which := s.dice.Float64() < share, s.dice.IntN(len(s.troubles))
	if !strikes || message != "" && s.strikes[message] >= mostStrikes {
		return chosen, false
	}
	chosen = s.troubles[which]
	if chosen.Final && !writes { // of what was not sent nothing can be wrong
		chosen = s.troubles[0]
	}
	if chosen.Name == "hang" {
		if s.hangs++; s.hangs > longHangs {
			chosen = conformance.Trouble{Name: "short hang", Fault: hold}
		}
	}
	s.struck[chosen.Name]++
	s.strikes[message]++
	if chosen.Final && message != "" {
		s.refused[message]++
	}
	return chosen, true
}

// hold keeps a request for a while, and then cuts it.
func hold(_ http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
	select {
	case <-r.Context().Done():
	case <-time.After(shortHang):
	}
	panic(http.ErrAbortHandler)
}

// refusals are the messages that were refused for good, and how often that was.
func (s *storm) refusals() (all map[string]bool, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all = map[string]bool{}
	for message, n := range s.refused {
		all[message] = true
		times += n
	}
	return all, times
}

// tell says what it was like.
func (s *storm) tell(t testing.TB) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, n := range s.struck {
		total += n
	}
	t.Logf("%d of %d requests came to grief", total, s.requests)
	for _, name := range slices.Sorted(maps.Keys(s.struck)) {
		t.Logf("%4d %s", s.struck[name], name)
	}
}
