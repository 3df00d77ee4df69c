package appservice

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"
)

func rowsNamed(names ...string) (rows []row) {
	for _, name := range names {
		rows = append(rows, row{event: incoming{ID: id.EventID(name)}})
	}
	return rows
}

func eventsNamed(names ...string) (events []incoming) {
	for _, r := range rowsNamed(names...) {
		events = append(events, r.event)
	}
	return events
}

func TestATransactionOfWhatSyncHasKeptStoresNothing(t *testing.T) {
	answer := `{"next_batch":"n2","rooms":{"join":{"!r:gp.example":{"timeline":{"events":[` + messageJSON("$1") + `]}}}}}`
	b, _ := scriptedBot(t, map[string][]reply{"/sync": {ok(answer)}, "/keys/upload": {ok(keysUploaded)}})
	require.NoError(t, b.keep(t.Context(), "n1", nil))
	require.NoError(t, b.syncOnce(t.Context(), 0))
	b.Client.store = &flaky{b.store, 1}
	assert.Equal(t, http.StatusOK, push(t, b, "hs-secret", "1", events("$1")), "it is kept, and nothing has to be written")
	assert.Len(t, b.inbox("m.room.message"), 1)
	assert.Equal(t, http.StatusServiceUnavailable, push(t, b, "hs-secret", "2", events("$2")), "not kept by anybody yet")
	assert.Equal(t, http.StatusOK, push(t, b, "hs-secret", "2", events("$1", "$2")), "sent again, grown")
}

func TestATransactionWaitsAMomentForSync(t *testing.T) {
	s := newSeen()
	s.add(nil) // /sync works
	done := make(chan []incoming)
	go func() { done <- s.notKept(context.Background(), eventsNamed("$1", "$2"), time.Hour) }()
	s.add(rowsNamed("$2"))
	select {
	case <-done:
		t.Fatal("answered before all of it was kept")
	default:
	}
	s.add(rowsNamed("$1"))
	assert.Empty(t, <-done)
	assert.Equal(t, eventsNamed("$3"), s.notKept(t.Context(), eventsNamed("$1", "$3"), time.Millisecond), "but not for ever")
	ended, end := context.WithCancel(t.Context())
	end()
	assert.Len(t, s.notKept(ended, eventsNamed("$3"), time.Hour), 1, "nor when nobody waits any more")
}

func TestATransactionWaitsForNoSyncThatHasNotBegun(t *testing.T) {
	assert.Len(t, newSeen().notKept(t.Context(), eventsNamed("$1"), time.Hour), 1)
}

func TestWhatIsOnlyHistoryForSyncMayBeNewsForATransaction(t *testing.T) {
	s := newSeen()
	rows := rowsNamed("$old")
	rows[0].history = true
	s.add(rows)
	assert.Len(t, s.notKept(t.Context(), eventsNamed("$old"), time.Millisecond), 1)
}

func TestHowMuchIsRememberedAsKeptIsBounded(t *testing.T) {
	s := newSeen()
	for i := range 3 * seenSize {
		s.add(rowsNamed(fmt.Sprint(i)))
	}
	assert.Len(t, s.events, seenSize)
	assert.Len(t, s.order, seenSize)
	left, _ := s.missing(eventsNamed("0", fmt.Sprint(3*seenSize-1)))
	assert.Equal(t, eventsNamed("0"), left)
}
