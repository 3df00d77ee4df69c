package appservice

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// A homeserver that was restored from a backup, moved or given a new database may not know how far
// the bot has read. It refuses that place (HTTP 400), or takes one that lies in its future for its
// newest: then it passes over in silence what happened since, and its answer goes back. Either way
// the bot begins anew, as at its first start, but what the rooms hold that it has not seen is news.

const (
	refusalsOfStream = 3               // in a row,
	placePatience    = 3 * time.Minute // and for so long: a proxy refuses too, for a moment
	anewLimit        = 1               // events of each of thousands of rooms: the gaps give the others
)

var (
	errPlaceLost = errors.New("the homeserver does not know how far the bot has read")
	// errGoesBack is not waited for: Synapse forgets the message keys before the place that it is
	// asked for, each time.
	errGoesBack = fmt.Errorf("%w: its answer goes back", errPlaceLost)
)

// whatIsNew asks /sync what happened since a place in the stream.
func (c *Client) whatIsNew(ctx context.Context, since string, wait, limit int) (syncAnswer, error) {
	answer, err := c.requestSync(ctx, since, wait, limit)
	switch {
	case since != "" && isStatus(err, http.StatusBadRequest):
		return answer, fmt.Errorf("%w: %w", errPlaceLost, err)
	case err != nil:
		return answer, err
	case answer.NextBatch == "":
		return answer, errors.New("ask /sync what is new: the answer has no next_batch")
	case goesBack(since, answer.NextBatch):
		return answer, errGoesBack
	}
	return answer, nil
}

// goesBack says that a place in the stream lies before another, as far as that can be seen: Dendrite
// and Synapse count the events of a stream with one writer, and name that number first.
func goesBack(from, to string) bool {
	before, known := eventsUntil(from)
	after, comparable := eventsUntil(to)
	return known && comparable && after < before
}

func eventsUntil(place string) (n int64, known bool) {
	number, found := strings.CutPrefix(place, "s")
	if number, _, _ = strings.Cut(number, "_"); !found {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return n, err == nil
}

// A lostPlace is how often in a row a homeserver did not know how far the bot has read, and since
// when.
type lostPlace struct {
	times int
	since time.Time
}

// isFor counts, and says whether it is for good. What fails for another reason tells nothing.
func (l *lostPlace) isFor(good time.Duration, err error, now time.Time) bool {
	switch {
	case err == nil:
		*l = lostPlace{}
	case errors.Is(err, errPlaceLost):
		if l.times++; l.times == 1 || now.Before(l.since) { // or the clock was set back
			l.since = now
		}
		return l.times >= refusalsOfStream && (now.Sub(l.since) >= good || errors.Is(err, errGoesBack))
	}
	return false
}

// takeIn takes in one answer of /sync, and begins anew when the place in the stream is lost.
func (c *Client) takeIn(ctx context.Context, wait int) error {
	err := c.syncOnce(ctx, wait)
	if !c.lost.isFor(placePatience, err, c.opts.Now()) {
		return err
	}
	if err := c.beginAnew(ctx); err != nil {
		return err
	}
	c.lost = lostPlace{}
	return nil
}

// beginAnew takes a new place in the stream, in one transaction with what has to be read then: a gap
// in every room that the bot knew. Until that is stored everything is as it was, and it comes again.
func (c *Client) beginAnew(ctx context.Context) error {
	bot, err := c.store.Bot(ctx)
	if err != nil {
		return fmt.Errorf("load the place in the stream: %w", err)
	}
	// The first answer comes at once, whatever time there is. Synapse would give it again for two
	// minutes to the same question.
	answer, err := c.whatIsNew(ctx, "", 1+rand.N(longPoll), anewLimit)
	if err != nil {
		return err
	}
	if err := c.doubtDevices(ctx, answer); err != nil {
		return err
	}
	if err := c.take(ctx, answer, "", bot.NextBatch); err != nil {
		return err
	}
	c.log.Error().Int("rooms", len(answer.Rooms.Join)).Msg("The homeserver does not know how far the bot had read; the bot begins anew and reads every room from its newest event back")
	return nil
}

// doubtDevices notes that everybody may have other devices than is known: the news of that was lost
// with the place. They are looked up before the next message to them.
func (c *Client) doubtDevices(ctx context.Context, answer syncAnswer) error {
	var people []id.UserID
	for room, news := range answer.Rooms.Join {
		for _, e := range withoutCrowd(c.parseAll(room, news.State.Events)) {
			if e.StateKey != nil && e.membershipOf(id.UserID(*e.StateKey)) != "" {
				people = append(people, id.UserID(*e.StateKey))
			}
		}
	}
	if err := c.keys.MarkTrackedUsersOutdated(ctx, c.others(people)); err != nil {
		return fmt.Errorf("note that devices may have changed: %w", err)
	}
	return nil
}

// A past is what is known of what happened in a room before a timeline.
type past struct {
	events  []incoming
	gap     *store.Gap // what could not be read of it
	history []incoming // for the ledger only, also of the timeline
}

// pastOf finds out what happened in a room before a timeline. When the bot begins anew, a room that
// it knew is read later: what came in before tells how far.
func (c *Client) pastOf(ctx, patience context.Context, room id.RoomID, news roomNews, timeline []incoming, since, lost string) (p past, err error) {
	if lost != "" {
		known, found, err := c.store.Room(ctx, string(room))
		if err != nil {
			return p, err
		}
		if found && known.LeftAt.IsZero() {
			p.gap = &store.Gap{RoomID: string(room), Since: lost, Place: news.Timeline.PrevBatch, Newest: true}
			p.history = those(timeline, c.isOld(known.CreatedAt))
			return p, nil
		}
	}
	if p.events, p.gap, err = c.fillGap(ctx, patience, room, news, timeline, since); since == "" {
		p.history = p.events
	}
	return p, err
}

func those(events []incoming, are func(incoming) bool) (some []incoming) {
	for _, e := range events {
		if are(e) {
			some = append(some, e)
		}
	}
	return some
}

// oldIn says of the events of a room with a gap that they were dealt with, whether that is known or
// not.
func (c *Client) oldIn(ctx context.Context, g store.Gap) (func(incoming) bool, error) {
	if g.Entered { // all of it is news
		return c.isOld(time.Time{}), nil
	}
	room, _, err := c.store.Room(ctx, g.RoomID)
	return c.isOld(room.CreatedAt), err
}

// isOld says of an event that it was there before its room was ours, or is so old that it may have
// been dealt with and forgotten since.
func (c *Client) isOld(ours time.Time) func(incoming) bool {
	first := c.opts.Now().Add(-care.MaxRetention)
	if ours.After(first) {
		first = ours
	}
	return func(e incoming) bool { return e.OriginAt > 0 && time.UnixMilli(e.OriginAt).Before(first) }
}
