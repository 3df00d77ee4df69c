package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

const (
	pageSize = 100
	// longestHistory bounds what is read of a room that the bot has just entered, in events.
	longestHistory = 1_000
	// longestGap bounds what is read of one room after an outage, in events.
	longestGap = 50_000
	// gapPatience is how long intake waits for what is missing, all rooms together: what takes
	// longer is read beside it.
	gapPatience = 30 * time.Second
	gapLook     = time.Second // between looks for a gap that can be tried again

	// A homeserver may not know a place in its stream any more (HTTP 400). After some tries what is
	// missing is read from the newest event back; when that is refused too, for a quarter of an
	// hour, it is given up: all that comes after it has to wait for its place that long.
	refusalsOfPlace = 3
	refusalsOfAll   = 20
)

// fillGap returns what a /sync answer leaves out of its timeline, oldest first and perhaps with what it
// holds: what happened since the last answer, or, of a room just entered, its history. What cannot be read
// now, while patience lasts, is returned as a gap to be kept with the answer: it holds up no other
// room.
func (c *Client) fillGap(ctx, patience context.Context, room id.RoomID, news roomNews, timeline []incoming, since string) ([]incoming, *store.Gap, error) {
	g := store.Gap{RoomID: string(room), Since: since, Place: news.Timeline.PrevBatch, Entered: since != "" && c.entered(timeline)}
	if since != "" && !g.Entered && !news.Timeline.Limited {
		return nil, nil, nil
	}
	if _, open, err := c.store.GapIn(ctx, g.RoomID); err != nil || open {
		return nil, &g, err // it grows, and is tried again when its time has come
	}
	events, err := c.readGap(patience, g)
	switch {
	case err == nil:
		return events, nil, nil
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case c.isLost(g, err):
		g.Lost = true
		return nil, &g, nil
	}
	c.log.Warn().Str("error", said(err)).Stringer("room_id", room).Msg("Earlier events of a room cannot be read yet")
	return nil, &g, nil
}

// isLost says that nothing will ever give what is missing in a room: the bot may not see it, or
// it is gone, or the homeserver has refused to look for it too often. Every other error may pass.
func (c *Client) isLost(g store.Gap, err error) bool {
	lost := isStatus(err, http.StatusForbidden) || isStatus(err, http.StatusNotFound) ||
		isStatus(err, http.StatusBadRequest) && g.Attempt+1 >= refusalsOfAll
	if lost {
		c.log.Error().Str("error", said(err)).Str("room_id", g.RoomID).Msg("A gap in a room's events stays open")
	}
	return lost
}

// readGap reads what is missing, oldest first. What came after it may be among it.
func (c *Client) readGap(ctx context.Context, g store.Gap) ([]incoming, error) {
	room := id.RoomID(g.RoomID)
	switch {
	case g.Entered:
		events, err := c.walkBack(ctx, room, g.Place, "", longestHistory)
		return c.sinceLastStay(events), err
	case g.Since == "":
		return c.walkBack(ctx, room, g.Place, "", longestHistory)
	}
	return c.gap(ctx, g)
}

// fillGaps reads what is missing in rooms, beside intake and for as long as it takes.
func (c *Client) fillGaps(ctx context.Context) {
	for ctx.Err() == nil {
		found, err := c.fillNext(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.Warn().Str("error", said(err)).Msg("Filling a gap in a room's events failed")
		}
		if !found || err != nil {
			pause(ctx, gapLook)
		}
	}
}

// fillNext tries the next gap whose time has come. One that fails waits longer each time, and is
// then given more time: a long history may be read by a slow homeserver.
func (c *Client) fillNext(ctx context.Context) (found bool, err error) {
	g, found, err := c.store.NextGap(ctx, c.opts.Now())
	if err != nil || !found {
		return false, err
	}
	patient, done := context.WithTimeout(ctx, gapPatience<<min(g.Attempt, 5))
	defer done()
	old, err := c.oldIn(ctx, g)
	if err != nil {
		return true, err
	}
	events, newest, err := c.readMissing(patient, g, old)
	if ctx.Err() != nil {
		return true, ctx.Err()
	}
	g.Lost = err != nil && c.isLost(g, err)
	if err != nil && !g.Lost {
		again := delay(err, min(firstBackoff<<min(g.Attempt, 6), lastBackoff))
		return true, errors.Join(err, c.store.PostponeGap(ctx, g.RoomID, c.opts.Now().Add(again)))
	}
	var rows []row
	for _, e := range events {
		rows = append(rows, c.rowOf(ctx, e, g.Since == "" || newest && old(e)))
	}
	if err := c.keepBatch(ctx, store.Batch{Fills: &g}, rows); err != nil {
		return true, err
	}
	c.seen.add(rows)
	return true, nil
}

// readMissing reads what is missing, oldest first, without what came after it; newest says that this
// was done from the newest event back.
func (c *Client) readMissing(ctx context.Context, g store.Gap, old func(incoming) bool) (events []incoming, newest bool, err error) {
	if newest = g.Newest; !newest {
		events, err = c.readGap(ctx, g)
		newest = isStatus(err, http.StatusBadRequest) && g.Attempt+1 >= refusalsOfPlace
	}
	if newest {
		events, err = c.readNewest(ctx, g, old)
	}
	return events, newest, err
}

// readNewest reads what is missing, oldest first, without its place in the stream: from the room's
// newest event back to where everything had come in before. What is known already is among it.
func (c *Client) readNewest(ctx context.Context, g store.Gap, old func(incoming) bool) ([]incoming, error) {
	room := id.RoomID(g.RoomID)
	switch {
	case g.Entered:
		events, err := c.readBack(ctx, room, "", "", longestHistory, nothingKnown)
		return c.sinceLastStay(events), err
	case g.Since == "":
		return c.readBack(ctx, room, "", "", longestHistory, nothingKnown)
	}
	return c.readBack(ctx, room, "", "", longestGap, func(page []incoming) (all bool, err error) {
		for _, e := range page {
			if !e.forInbox(c.user) { // it has no turn, known or not
				continue
			}
			if all = old(e); !all {
				all, err = c.store.KnownBefore(ctx, string(e.ID), g.KnownAt)
			}
			if err != nil || !all {
				return false, err
			}
		}
		return all, nil
	})
}

func nothingKnown([]incoming) (bool, error) { return false, nil }

// gap asks /sync for the same again, for one room and with more events: that is exact, but
// Synapse gives no more than a hundred. So the rest comes from the room's history, which on
// Synapse ends exactly where the last answer did; Dendrite would go on to the room's start, and
// long done events would be taken for new.
func (c *Client) gap(ctx context.Context, g store.Gap) ([]incoming, error) {
	room := id.RoomID(g.RoomID)
	for _, limit := range widerLimits {
		answer, err := c.requestSync(ctx, g.Since, 0, limit, room)
		if err != nil {
			return nil, err
		}
		wide := answer.room(room).Timeline
		events := c.parseAll(room, wide.Events)
		if !wide.Limited && len(events) > 0 {
			return events, nil
		}
		if len(wide.Events) < limit { // it has a limit of its own
			break
		}
	}
	return c.walkBack(ctx, room, g.Place, g.Since, longestGap)
}

// whole is what was read of a room's past and the timeline after it, each event once. The past may hold the
// timeline, in its order: Dendrite sorts by when events were sent, and counts as new what it tells late, so
// that what was left out need not come before the timeline.
func whole(past, timeline []incoming) []incoming {
	known := make(map[id.EventID]bool, len(past))
	for _, e := range past {
		known[e.ID] = true
	}
	return append(past, those(timeline, func(e incoming) bool { return !known[e.ID] })...)
}

// entered reports whether the bot came into the room within this answer.
func (c *Client) entered(timeline []incoming) bool {
	return slices.ContainsFunc(timeline, func(e incoming) bool {
		before := text(inside(e.Raw, "unsigned", "prev_content", "membership"))
		return e.membershipOf(c.user) == "join" && before != "join"
	})
}

// sinceLastStay leaves out what the bot saw when it was in the room before.
func (c *Client) sinceLastStay(events []incoming) []incoming {
	for i, e := range slices.Backward(events) {
		if is := e.membershipOf(c.user); is == "leave" || is == "ban" {
			return events[i+1:]
		}
	}
	return events
}

// walkBack reads a room's events from one place in the stream back to another ("" for the
// room's start), and returns them oldest first.
func (c *Client) walkBack(ctx context.Context, room id.RoomID, from, until string, most int) ([]incoming, error) {
	if from == "" || from == until {
		return nil, nil
	}
	return c.readBack(ctx, room, from, until, most, nothingKnown)
}

// readBack reads a room's events from one place ("" for the newest) back to another ("" for the
// room's start), or to a page of which everything is known, and returns them oldest first.
func (c *Client) readBack(ctx context.Context, room id.RoomID, from, until string, most int, known func(page []incoming) (bool, error)) ([]incoming, error) {
	var newestFirst []incoming
	for len(newestFirst) < most {
		page, err := c.page(ctx, room, from, until)
		if err != nil {
			return nil, err
		}
		events := c.parseAll(room, page.Chunk)
		newestFirst = append(newestFirst, events...)
		if len(page.Chunk) == 0 || page.End == "" || page.End == from || page.End == until {
			break
		}
		all, err := known(events)
		if err != nil {
			return nil, err
		}
		if all {
			break
		}
		from = page.End
	}
	if len(newestFirst) >= most {
		c.log.Warn().Stringer("room_id", room).Int("events", len(newestFirst)).Msg("A room's history is longer than is read at once")
	}
	slices.Reverse(newestFirst)
	return newestFirst, nil
}

// History is a page of a room's events, newest first and without what they say, from a place on
// ("" = the newest), and the place where it goes on; "" after the room's first event.
func (c *Client) History(ctx context.Context, room id.RoomID, place string) (events []store.Event, next string, err error) {
	page, err := c.page(c.quiet(ctx), room, place, "")
	if err != nil {
		return nil, "", err
	}
	for _, e := range c.parseAll(room, page.Chunk) {
		events = append(events, e.row(c.user, c.opts.Now()))
	}
	if len(page.Chunk) > 0 && page.End != place {
		next = page.End
	}
	return events, next, nil
}

// widerLimits are how many events of one room are asked for when a timeline left some out.
var widerLimits = []int{1_000, 10_000, longestGap}

type messagePage struct {
	Chunk []json.RawMessage `json:"chunk"`
	End   string            `json:"end"`
}

func (c *Client) page(ctx context.Context, room id.RoomID, from, until string) (page messagePage, err error) {
	query := map[string]string{"dir": "b", "from": from, "limit": strconv.Itoa(pageSize)}
	if until != "" {
		query["to"] = until
	}
	url := c.matrix.BuildURLWithQuery(mautrix.ClientURLPath{"v3", "rooms", room, "messages"}, query)
	_, err = c.matrix.MakeFullRequest(ctx, mautrix.FullRequest{Method: http.MethodGet, URL: url, ResponseJSON: &page})
	return page, failed(err, "read earlier events of %s", room)
}
