package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
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
	from, until, most := news.Timeline.PrevBatch, since, longestGap
	entered := since == "" || c.entered(news, timeline)
	if entered {
		until, most = "", longestHistory
	}
	if from == "" || !entered && !news.Timeline.Limited {
		return nil, nil
	}
	events, err := c.walkBack(ctx, room, from, until, most)
	if err == nil {
		delete(c.gaps, room)
		return events, nil
	}
	c.gaps[room]++
	hopeless := errors.Is(err, ErrForbidden) || errors.Is(err, ErrNotFound)
	if !hopeless && c.gaps[room] < gapTries {
		return nil, err
	}
	delete(c.gaps, room)
	c.log.Error().Str("error", scrubbed(err)).Stringer("room_id", room).Msg("A gap in a room's events stays open")
	return nil, nil
}

// entered reports whether the bot came into the room within this answer.
func (c *Client) entered(news roomNews, timeline []incoming) bool {
	return slices.ContainsFunc(timeline, func(e incoming) bool {
		if e.Type != event.StateMember.Type || e.StateKey == nil || *e.StateKey != string(c.user) {
			return false
		}
		before := text(inside(e.Raw, "unsigned", "prev_content", "membership"))
		return text(inside(e.Content, "membership")) == "join" && before != "join"
	})
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
