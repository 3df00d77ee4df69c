package appservice

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// missesSome is an answer of /sync that leaves out what was before the event of one room.
func missesSome(event, other, place string) reply {
	return ok(fmt.Sprintf(`{"next_batch":"n2","rooms":{"join":{
		"!broken:gp.example":{"timeline":{"events":[%s],"limited":true,"prev_batch":%q}},
		"!r:gp.example":{"timeline":{"events":[%s]}}}}}`, messageJSON(event), place, messageJSON(other)))
}

// withGap is a bot of which one room misses earlier events, that the homeserver answers with some
// replies to the question for.
func withGap(t *testing.T, messages ...reply) (*bot, *scripted) {
	t.Helper()
	b, s := scriptedBot(t, map[string][]reply{
		"/sync": {missesSome("$2", "$other", "p")}, "/messages": messages, "/keys/upload": {ok(keysUploaded)},
	})
	require.NoError(t, b.keep(t.Context(), "n1", nil))
	return b, s
}

// messages are those with a place in a queue, in its order, and those without.
func (b *bot) messages() (placed, waiting []string) {
	b.t.Helper()
	for _, r := range b.inbox("m.room.message") {
		waiting = append(waiting, r.Event)
	}
	waits := len(waiting) - b.placed() // SQLite puts them first
	return waiting[waits:], waiting[:waits]
}

// says changes what a path is answered.
func (s *scripted) says(path string, replies ...reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[path] = replies
}

// tries lets the bot try a gap once; false when none can be tried now.
func (b *bot) tries() bool {
	b.t.Helper()
	found, err := b.fillNext(b.t.Context())
	require.NoError(b.t, err)
	return found
}

func (b *bot) hasGap() bool {
	b.t.Helper()
	_, open, err := b.store.GapIn(b.t.Context(), "!broken:gp.example")
	require.NoError(b.t, err)
	return open
}

func TestARoomWhoseGapCannotBeReadYetHoldsUpNoOtherAndIsNeverGivenUp(t *testing.T) {
	for name, passing := range map[string]reply{
		"broken":    {http.StatusInternalServerError, `{"errcode":"M_UNKNOWN"}`},
		"away":      {http.StatusBadGateway, `<html>`},
		"too often": {http.StatusTooManyRequests, `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":3000}`},
	} {
		t.Run(name, func(t *testing.T) {
			page := ok(`{"chunk":[` + messageJSON("$1") + `,` + messageJSON("$0") + `]}`)
			b, s := withGap(t, append(slices.Repeat([]reply{passing}, 40), page)...)
			clock := now
			b.opts.Now = func() time.Time { return clock }
			require.NoError(t, b.syncOnce(t.Context(), 0), "intake goes on")
			placed, waiting := b.messages()
			assert.Equal(t, []string{"$other"}, placed)
			assert.Equal(t, []string{"$2"}, waiting, "it waits a while for what was before it")
			for range 39 {
				found, err := b.fillNext(t.Context())
				require.True(t, found)
				require.Error(t, err)
				require.False(t, b.tries(), "not again at once")
				clock = clock.Add(2 * lastBackoff)
			}
			require.True(t, b.tries())
			placed, _ = b.messages()
			assert.Equal(t, []string{"$other", "$0", "$1"}, placed)
			assert.Equal(t, 41, s.count("/messages"))
			_, err := b.store.PlaceOverdue(t.Context(), clock.Add(-time.Minute))
			require.NoError(t, err)
			placed, _ = b.messages()
			assert.Equal(t, []string{"$other", "$0", "$1", "$2"}, placed, "all of it, in order")
			assert.False(t, b.hasGap())
		})
	}
}

func TestOnlyAGapThatIsRefusedOrGoneIsGivenUp(t *testing.T) {
	for _, final := range []reply{{http.StatusForbidden, `{"errcode":"M_FORBIDDEN"}`}, {http.StatusNotFound, `{"errcode":"M_NOT_FOUND"}`}} {
		b, _ := withGap(t, final)
		require.NoError(t, b.syncOnce(t.Context(), 0))
		assert.False(t, b.hasGap())
		placed, _ := b.messages()
		assert.Len(t, placed, 2, "what is known of it is taken in at once")

		again, s := withGap(t, reply{http.StatusInternalServerError, `{}`}, final)
		require.NoError(t, again.syncOnce(t.Context(), 0))
		require.True(t, again.hasGap())
		require.True(t, again.tries())
		assert.False(t, again.hasGap())
		assert.Equal(t, 2, s.count("/messages"))
	}
}

func TestAGapThatGrowsIsReadFromItsBeginning(t *testing.T) {
	b, s := withGap(t, reply{http.StatusInternalServerError, `{}`})
	require.NoError(t, b.syncOnce(t.Context(), 0))
	s.says("/sync", missesSome("$4", "$other2", "q"))
	require.NoError(t, b.syncOnce(t.Context(), 0))
	assert.Equal(t, 1, s.count("/messages"), "intake does not ask a second time")
	g, _, err := b.store.GapIn(t.Context(), "!broken:gp.example")
	require.NoError(t, err)
	assert.Equal(t, store.Gap{RoomID: "!broken:gp.example", Since: "n1", Place: "q", KnownAt: now}, g)
}

func TestAGapIsFilledBesideIntake(t *testing.T) {
	b, s := withGap(t, reply{http.StatusInternalServerError, `{}`})
	require.NoError(t, b.syncOnce(t.Context(), 0))
	s.says("/messages", ok(`{"chunk":[`+messageJSON("$1")+`,`+messageJSON("$0")+`]}`))
	done := make(chan struct{})
	b.opts.Wake = func() { close(done) }
	go b.fillGaps(t.Context())
	<-done
	placed, _ := b.messages()
	assert.Equal(t, []string{"$other", "$0", "$1"}, placed)
}

// saidBefore is a message that was sent some time before now.
func saidBefore(event string, ago time.Duration) string {
	return strings.Replace(messageJSON(event), "1700000000000", fmt.Sprint(now.Add(-ago).UnixMilli()), 1)
}

func page(end string, newestFirst ...string) reply {
	return ok(fmt.Sprintf(`{"chunk":[%s],"end":%q}`, strings.Join(newestFirst, ","), end))
}

var badPlace = reply{http.StatusBadRequest, `{"errcode":"M_UNKNOWN","error":"invalid from parameter"}`}

// forgetful is a bot of which one room misses events whose place the homeserver does not know.
func forgetful(t *testing.T, messages ...reply) (b *bot, s *scripted, later func()) {
	t.Helper()
	const before = `{"next_batch":"n1","rooms":{"join":{"!broken:gp.example":{"timeline":{"events":[%s,%s]}}}}}`
	b, s = scriptedBot(t, map[string][]reply{
		"/sync":     {ok(fmt.Sprintf(before, saidBefore("$a", 2*time.Hour), saidBefore("$b", 2*time.Hour)))},
		"/messages": messages, "/keys/upload": {ok(keysUploaded)},
	})
	require.NoError(t, b.store.SaveRoom(t.Context(), store.Room{ID: "!broken:gp.example", Kind: store.RoomConsulting, Person: "anna", CreatedAt: now.AddDate(0, -3, 0)}))
	clock := now.Add(-time.Hour)
	b.opts.Now = func() time.Time { return clock }
	require.NoError(t, b.syncOnce(t.Context(), 0))
	clock = now
	s.says("/sync", missesSome("$2", "$other", "p"))
	require.NoError(t, b.syncOnce(t.Context(), 0))
	require.True(t, b.hasGap())
	return b, s, func() { clock = clock.Add(2 * lastBackoff) }
}

func (b *bot) lost() []store.Trouble {
	b.t.Helper()
	lost, err := b.store.LostGaps(b.t.Context(), time.Time{})
	require.NoError(b.t, err)
	return lost
}

func TestAGapWhosePlaceIsNotKnownAnyMoreIsReadFromTheNewestEventBack(t *testing.T) {
	b, s, later := forgetful(t,
		badPlace, badPlace, badPlace, badPlace,
		page("p1", saidBefore("$2", 0), saidBefore("$1", time.Minute)),
		page("p2", saidBefore("$0", 2*time.Minute), saidBefore("$old", 40*24*time.Hour), saidBefore("$b", 2*time.Hour)),
		page("p3", saidBefore("$a", 2*time.Hour)),
		page("p4", saidBefore("$never read", time.Minute)),
	)
	for range refusalsOfPlace - 1 {
		_, err := b.fillNext(t.Context())
		require.Error(t, err)
		later()
	}
	require.True(t, b.tries())
	assert.False(t, b.hasGap())
	assert.Equal(t, 7, s.count("/messages"), "it stops where everything was known before")
	placed, waiting := b.messages()
	assert.Equal(t, []string{"$a", "$b", "$other", "$0", "$1", "$2"}, placed, "nothing lost, nothing twice, in order")
	assert.Empty(t, waiting)
	assert.Contains(t, b.ledger("!broken:gp.example"), "$old", "what may have been dealt with and forgotten is removed in time, and no more")
	assert.Empty(t, b.lost())
}

func TestAGapThatIsRefusedInEveryWayIsGivenUpAndToldOf(t *testing.T) {
	b, s, later := forgetful(t, badPlace)
	for n := 1; b.hasGap(); n++ {
		require.LessOrEqual(t, n, refusalsOfAll)
		assert.Empty(t, b.lost())
		_, err := b.fillNext(t.Context())
		assert.Equal(t, n < refusalsOfAll, err != nil)
		later()
	}
	asked := s.count("/messages")
	require.False(t, b.tries())
	assert.Equal(t, asked, s.count("/messages"))
	lost := b.lost()
	require.Len(t, lost, 1)
	assert.Equal(t, 1, lost[0].Count)
}

func TestAHomeserverThatIsAwayMeanwhileLosesNothing(t *testing.T) {
	b, _, later := forgetful(t, slices.Repeat([]reply{badPlace, {http.StatusBadGateway, `<html>`}}, 50)...)
	for range 2 * refusalsOfAll {
		_, err := b.fillNext(t.Context())
		require.Error(t, err)
		later()
	}
	assert.True(t, b.hasGap())
	assert.Empty(t, b.lost())
}

// The bot had just come into the room, or the database was lost: then what is missing is its history.
func TestAHistoryWhosePlaceIsNotKnownIsReadFromTheNewestEventBack(t *testing.T) {
	history := page("", saidBefore("$2", 0), saidBefore("$1", time.Minute), saidBefore("$0", 2*time.Minute))
	for name, g := range map[string]store.Gap{"entered": {Since: "n1", Entered: true}, "a lost database": {}} {
		b, _ := scriptedBot(t, map[string][]reply{"/messages": {badPlace, history}})
		g.RoomID, g.Place = "!broken:gp.example", "p"
		require.NoError(t, b.keepBatch(t.Context(), store.Batch{NextBatch: "n2", Gaps: []store.Gap{g}}, nil))
		for range refusalsOfPlace - 1 {
			require.NoError(t, b.store.PostponeGap(t.Context(), g.RoomID, now))
		}
		require.True(t, b.tries(), name)
		assert.False(t, b.hasGap(), name)
		assert.Len(t, b.ledger("!broken:gp.example"), 3, name)
		placed, _ := b.messages()
		assert.Len(t, placed, map[bool]int{true: 3, false: 0}[g.Entered], name)
	}
}

// Dendrite, killed while it told of $2, counts it as the newest event, and shows it where it was sent.
func TestWhatIsToldLateAtTheHeadOfATimelineHidesNothingThatWasLeftOut(t *testing.T) {
	timeline := func(limited bool, events ...string) reply {
		for i, e := range events {
			events[i] = messageJSON(e)
		}
		return ok(fmt.Sprintf(`{"next_batch":"n2","rooms":{"join":{"!r:gp.example":{"timeline":
			{"events":[%s],"limited":%v,"prev_batch":"p"}}}}}`, strings.Join(events, ","), limited))
	}
	b, _ := scriptedBot(t, map[string][]reply{
		"/sync": {timeline(true, "$2", "$5", "$6"), timeline(false, "$1", "$2", "$3", "$4", "$5", "$6", "$7")},
	})
	require.NoError(t, b.keep(t.Context(), "n1", nil))
	require.NoError(t, b.syncOnce(t.Context(), 0))
	placed, waiting := b.messages()
	assert.Equal(t, []string{"$1", "$2", "$3", "$4", "$5", "$6", "$7"}, placed)
	assert.Empty(t, waiting)
}
