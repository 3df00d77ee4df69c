//go:build conformance

package his_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/practice"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/his/conformance"
)

// Who writes how much: 500 messages, and the question with which each conversation begins.
const (
	patients   = 10
	perPatient = 40
	perStaff   = 10 // in each conversation
	perTalk    = 1 + perPatient + perStaff
	filed      = patients * perTalk
)

// killedAt are at how many filed messages the bridge is killed.
var killedAt = []int{100, 220, 350}

// stormTime bounds the whole: what is not in the record by then is lost.
const stormTime = 15 * time.Minute

// A siege is a practice whose HIS is behind a storm.
type siege struct {
	chart
	*practice.Practice
	*storm
	handled int // cards of refused messages that staff have acted upon
}

// 500 messages of real clients reach the HIS through a network of which three in ten requests come
// to grief, in every way that there is, while the bridge is killed now and then. Staff press
// "again" for what was refused. Then each is there once, and in order.
func TestFiveHundredMessagesThroughABadNetwork(t *testing.T) {
	began := time.Now()
	peer := conformance.HAPI(t)
	between := conformance.NewProxy(t, peer.Base)
	s := &siege{chart: chart{t, conformance.View{Base: peer.Base}}, storm: newStorm(t, 20261130)}
	between.Set(s.Fault)
	w := world.InTest(t, world.Options{Kind: harness.Dendrite, Patients: patients, FHIR: between.URL, NewRecords: true})
	ctx, cancel := context.WithTimeout(t.Context(), stormTime)
	defer cancel()
	var err error
	s.Practice, err = practice.Open(ctx, w)
	require.NoError(t, err)
	t.Logf("%d conversations are open after %v", patients, time.Since(began).Round(time.Second))
	began = time.Now()
	group, sending := errgroup.WithContext(ctx)
	for _, talk := range s.Talks {
		group.Go(func() error { return writes(sending, talk.Patient, talk.Consulting, "Bericht", perPatient) })
		group.Go(func() error { return writes(sending, s.Fatima, talk.Desk, "Antwoord", perStaff) })
	}
	for _, n := range killedAt {
		s.filed(ctx, n)
		t.Logf("%d are filed after %v: the bridge is killed", n, time.Since(began).Round(time.Second))
		require.NoError(t, w.Bridge().Kill())
		require.NoError(t, w.StartBridge(ctx))
	}
	require.NoError(t, group.Wait())
	t.Logf("all are sent after %v", time.Since(began).Round(time.Second))
	s.filed(ctx, filed)
	t.Logf("all are filed after %v", time.Since(began).Round(time.Second))
	s.tell(t)
	between.Set(nil)
	s.eachOnceInOrder()
	s.shared()
	s.onlyWhatWasRefused(ctx)
	nowhereElse(s, s.Practice)
}

func writes(ctx context.Context, c *client.Client, room, word string, messages int) error {
	for n := range messages {
		if _, err := c.SendText(ctx, room, numbered(word, n+1)); err != nil {
			return err
		}
	}
	return nil
}

func numbered(word string, n int) string { return fmt.Sprintf("%s %d.", word, n) }

// filed waits until so many messages are in the record. Staff have what was refused tried again.
func (s *siege) filed(ctx context.Context, n int) {
	s.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for s.count("Provenance") < n {
		if cards := len(s.cards()); cards > s.handled {
			s.handled = cards
			_, err := s.Fatima.SendText(ctx, s.Balie, "!opnieuw alles")
			require.NoError(s, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Fail(s, "too late", "%d of %d are filed\n%s", s.count("Provenance"), n, s.Bridge().LogTail())
		}
	}
}

// cards are what the Balie shows of refused messages.
func (s *siege) cards() (all []string) {
	for _, body := range s.Fatima.Room(s.Balie).Bodies() {
		if strings.Contains(body, ": een bericht van gesprek") {
			all = append(all, body)
		}
	}
	return all
}

// eachOnceInOrder: every message of every conversation is there once, was written once, and came after those
// that its sender had sent before. What was refused came when staff had it tried again.
func (s *siege) eachOnceInOrder() {
	late := s.late()
	byTalk := map[string][]conformance.Resource{}
	for _, m := range s.messages() {
		byTalk[m.Text("partOf.reference")] = append(byTalk[m.Text("partOf.reference")], m)
	}
	require.Len(s, byTalk, patients)
	for talk, all := range byTalk {
		var got, want []string
		reached := map[string]int{}
		for _, m := range all {
			text := m.Text("payload.contentString")
			assert.Equal(s, "1", m.Text("meta.versionId"), "%s %s", talk, text)
			if strings.HasPrefix(text, "Vraag van nummer ") {
				want = append(want, text)
			}
			got = append(got, text)
			var word string
			var n int
			if _, err := fmt.Sscanf(text, "%s %d.", &word, &n); err == nil && !late[path(m)] {
				assert.Greater(s, n, reached[word], "%s: %s", talk, text)
				reached[word] = n
			}
		}
		assert.Len(s, want, 1, "the question")
		for n := range perPatient {
			want = append(want, numbered("Bericht", n+1))
		}
		for n := range perStaff {
			want = append(want, numbered("Antwoord", n+1))
		}
		assert.ElementsMatch(s, want, got, talk)
	}
}

// late are the messages that the storm had refused.
func (s *siege) late() map[string]bool {
	refused, _ := s.refusals()
	late := map[string]bool{}
	for _, p := range s.All(s, "Provenance", map[string][]string{}) {
		if refused[p.Text("id")] {
			late[conformance.Relative(p.Text("target.reference"))] = true
		}
	}
	return late
}

// shared: what several messages have in common is there once.
func (s *siege) shared() {
	for kind, want := range map[string]int{
		"Organization": 1, "Practitioner": 1, "PractitionerRole": 1, "Patient": patients, "Task": patients,
		"Provenance": filed, "AuditEvent": filed, "Communication": filed + patients,
	} {
		assert.Equal(s, want, s.count(kind), kind)
	}
}

// onlyWhatWasRefused was shown in the Balie, and nothing is left there.
func (s *siege) onlyWhatWasRefused(ctx context.Context) {
	refused, times := s.refusals()
	cards := s.cards()
	s.Logf("%d messages were refused, %d times; the Balie had %d cards", len(refused), times, len(cards))
	assert.LessOrEqual(s, len(cards), times)
	for _, card := range cards {
		assert.True(s, strings.Contains(card, "neemt de inhoud niet aan") || strings.Contains(card, "staat meer dan een keer in"), card)
		assert.NotContains(s, card, "Jan de Vries", "the HIS's own words")
	}
	_, err := s.Fatima.SendText(ctx, s.Balie, "!openstaand")
	require.NoError(s, err)
	_, err = s.Fatima.WaitText(ctx, s.Balie, "Er is niets geweigerd.")
	require.NoError(s, err)
	log, err := os.ReadFile(s.LogFile())
	require.NoError(s, err)
	for _, word := range []string{"Jan de Vries", "Bericht 1", "Anneke"} {
		assert.NotContains(s, string(log), word)
	}
}
