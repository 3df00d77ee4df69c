package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A conveyor brings the events of a few rooms to a store as homeservers do: /sync in order,
// now and then from an earlier place again; transactions whenever, with whatever, more than
// once; turns are taken in between.
type conveyor struct {
	t      *rapid.T
	s      *Store
	events []Event // in the order of the homeserver
	synced int     // how far /sync has come
	taken  []string
}

func newConveyor(t *rapid.T, s *Store) *conveyor {
	c := &conveyor{t: t, s: s}
	for i := range rapid.IntRange(1, 15).Draw(t, "events") {
		room := rapid.SampledFrom([]string{"!a", "!b"}).Draw(t, "room")
		event := wrote(fmt.Sprintf("$%02d", i), "@anna:test", room)
		event.OriginAt = noon.Add(time.Duration(rapid.IntRange(-9, 9).Draw(t, "minute")) * time.Minute)
		event.HasContent = rapid.Bool().Draw(t, "content")
		c.events = append(c.events, event)
	}
	return c
}

func (c *conveyor) keep(nextBatch string, events []Event) {
	_, err := c.s.Keep(c.t.Context(), Batch{NextBatch: nextBatch, Events: events, Now: noon, Due: month})
	require.NoError(c.t, err)
}

// sync brings what comes next, or something it has brought before.
func (c *conveyor) sync(*rapid.T) {
	from := rapid.IntRange(0, c.synced).Draw(c.t, "from")
	to := rapid.IntRange(from, len(c.events)).Draw(c.t, "to")
	c.keep("next", c.events[from:to])
	c.synced = max(c.synced, to)
}

// push brings any events in any order.
func (c *conveyor) push(*rapid.T) {
	c.keep("", rapid.SliceOfN(rapid.SampledFrom(c.events), 1, 5).Draw(c.t, "events"))
}

// take deals with the first turn of one of the queues, or postpones or fails to store it.
func (c *conveyor) take(*rapid.T) {
	turns := must[[]Turn](c.t)(c.s.HeadTurns(c.t.Context(), noon, 10))
	if len(turns) == 0 {
		return
	}
	turn := rapid.SampledFrom(turns).Draw(c.t, "turn")
	require.NoError(c.t, c.s.FinishTurn(c.t.Context(), turn.ID, noon))
	c.taken = append(c.taken, turn.EventID)
}

// drain brings the rest and takes everything that waits.
func (c *conveyor) drain() {
	c.keep("end", c.events[c.synced:])
	for {
		before := len(c.taken)
		c.take(nil)
		if len(c.taken) == before {
			return
		}
	}
}

// of is those of some event ids that are of a room.
func (c *conveyor) of(room string, ids []string) (mine []string) {
	for _, id := range ids {
		i := slices.IndexFunc(c.events, func(e Event) bool { return e.ID == id })
		if c.events[i].RoomID == room {
			mine = append(mine, id)
		}
	}
	return mine
}

func (c *conveyor) ids() (ids []string) {
	for _, e := range c.events {
		ids = append(ids, e.ID)
	}
	return ids
}

func (c *conveyor) checkLedger() {
	for _, e := range c.events {
		_, known, err := c.s.LedgerEvent(c.t.Context(), e.ID)
		require.NoError(c.t, err)
		require.Equal(c.t, e.HasContent, known, e.ID)
	}
}

func TestHoweverEventsComeEachIsTakenOnceAndInTheOrderOfSync(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		rapid.Check(t, func(t *rapid.T) {
			reset(t, s)
			require.NoError(t, s.SaveBot(t.Context(), Bot{UserID: testBot}))
			c := newConveyor(t, s)
			t.Repeat(map[string]func(*rapid.T){"sync": c.sync, "push": c.push, "take": c.take})
			c.drain()
			for _, room := range []string{"!a", "!b"} {
				require.Equal(t, c.of(room, c.ids()), c.of(room, c.taken))
			}
			c.checkLedger()
		})
	})
}

func TestHoweverLateSyncIsEachEventIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		rapid.Check(t, func(t *rapid.T) {
			reset(t, s)
			require.NoError(t, s.SaveBot(t.Context(), Bot{UserID: testBot}))
			c := newConveyor(t, s)
			place := func(*rapid.T) {
				_, err := s.PlaceOverdue(t.Context(), noon.Add(59*time.Minute))
				require.NoError(t, err)
			}
			t.Repeat(map[string]func(*rapid.T){"sync": c.sync, "push": c.push, "take": c.take, "place": place})
			c.drain()
			slices.Sort(c.taken)
			require.Equal(t, c.ids(), c.taken)
			c.checkLedger()
		})
	})
}
