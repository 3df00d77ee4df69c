package appservice

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

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
	// gapTries is how often a gap is tried before one broken room may not stop all others any
	// longer. The homeserver's transactions and the daily walk are the other nets.
	gapTries = 8
)

// fillGap returns what a /sync answer leaves out before its timeline, oldest first: what
// happened since the last answer, or, of a room just entered, its history.
func (c *Client) fillGap(ctx context.Context, room id.RoomID, news roomNews, timeline []incoming, since string) ([]incoming, error) {
	var events []incoming
	var err error
	switch {
	case since == "":
		events, err = c.walkBack(ctx, room, news.Timeline.PrevBatch, "", longestHistory)
	case c.entered(timeline):
		events, err = c.walkBack(ctx, room, news.Timeline.PrevBatch, "", longestHistory)
		events = c.sinceLastStay(events)
	case news.Timeline.Limited:
		events, err = c.gap(ctx, room, news, timeline, since)
	}
	if err == nil {
		delete(c.gaps, room)
		return events, nil
	}
	c.gaps[room]++
	if !isRefused(err) && c.gaps[room] < gapTries {
		return nil, err
	}
	delete(c.gaps, room)
	c.log.Error().Str("error", said(err)).Stringer("room_id", room).Msg("A gap in a room's events stays open")
	return nil, nil
}

// gap asks /sync for the same again, for one room and with more events: that is exact, but
// Synapse gives no more than a hundred. So the rest comes from the room's history, which on
// Synapse ends exactly where the last answer did; Dendrite would go on to the room's start, and
// long done events would be taken for new.
func (c *Client) gap(ctx context.Context, room id.RoomID, news roomNews, timeline []incoming, since string) ([]incoming, error) {
	for _, limit := range widerLimits {
		answer, err := c.requestSync(ctx, since, 0, limit, room)
		if err != nil {
			return nil, err
		}
		wide := answer.room(room).Timeline
		events := c.parseAll(room, wide.Events)
		if !wide.Limited && len(events) > 0 {
			return before(events, timeline), nil
		}
		if len(wide.Events) < limit { // it has a limit of its own
			break
		}
	}
	return c.walkBack(ctx, room, news.Timeline.PrevBatch, since, longestGap)
}

// before returns the events that come before a timeline's first; what came after the timeline
// comes with the next answer.
func before(events, timeline []incoming) []incoming {
	if len(timeline) == 0 {
		return events
	}
	first := slices.IndexFunc(events, func(e incoming) bool { return e.ID == timeline[0].ID })
	if first < 0 {
		return events
	}
	return events[:first]
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
	var newestFirst []incoming
	for from != "" && from != until && len(newestFirst) < most {
		page, err := c.page(ctx, room, from, until)
		if err != nil {
			return nil, err
		}
		newestFirst = append(newestFirst, c.parseAll(room, page.Chunk)...)
		if len(page.Chunk) == 0 || page.End == from {
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
