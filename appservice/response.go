package appservice

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// syncAnswer is what /sync says, with every event still raw: one event of an unexpected form
// must not make the whole answer unreadable, or nothing would ever come in again.
type syncAnswer struct {
	NextBatch string `json:"next_batch"`
	deviceNews
	Rooms struct {
		Join   map[id.RoomID]roomNews `json:"join"`
		Leave  map[id.RoomID]roomNews `json:"leave"`
		Invite map[id.RoomID]struct {
			State eventList `json:"invite_state"`
		} `json:"invite"`
	} `json:"rooms"`
}

type eventList struct {
	Events []json.RawMessage `json:"events"`
}

type roomNews struct {
	State     eventList `json:"state"`
	Ephemeral eventList `json:"ephemeral"`
	Timeline  struct {
		eventList
		Limited   bool   `json:"limited"`
		PrevBatch string `json:"prev_batch"`
	} `json:"timeline"`
}

// room is the news of one room, whether the bot is in it or just left.
func (a syncAnswer) room(room id.RoomID) roomNews {
	if news, ok := a.Rooms.Join[room]; ok {
		return news
	}
	return a.Rooms.Leave[room]
}

// timelineLimit is how many events of one room a /sync answer holds; the rest is asked for.
const timelineLimit = 50

// nothing is "no types" as a type that does not exist: Dendrite on SQLite ignores not_types.
var nothing = map[string]any{"types": []string{"none"}}

// syncFilter asks for rooms only: for all, with receipts and typing, or for the history of
// those given.
func syncFilter(limit int, only []id.RoomID) string {
	room := map[string]any{
		"account_data": nothing, "ephemeral": ephemeral,
		"state":    map[string]any{"lazy_load_members": false},
		"timeline": map[string]any{"limit": limit},
	}
	if len(only) > 0 {
		room["rooms"], room["ephemeral"] = only, nothing
	}
	return string(marshal(map[string]any{"presence": nothing, "account_data": nothing, "room": room}))
}

// requestSync asks for what is new since a place in the stream ("" for everything), and waits
// for something up to the given milliseconds.
func (c *Client) requestSync(ctx context.Context, since string, wait, limit int, only ...id.RoomID) (answer syncAnswer, err error) {
	req := mautrix.ReqSync{Timeout: wait, Since: since, FilterID: syncFilter(limit, only)}
	_, err = c.matrix.MakeFullRequest(ctx, mautrix.FullRequest{
		Method: http.MethodGet, MaxAttempts: 1, ResponseJSON: &answer,
		URL: c.matrix.BuildURLWithQuery(mautrix.ClientURLPath{"v3", "sync"}, req.BuildQuery()),
	})
	return answer, failed(err, "ask /sync what is new")
}

// merged puts the events of several rooms into one order: within a room as the homeserver gave
// them, between rooms by time, so that what one person writes in two rooms stays in order.
func merged(rooms [][]incoming) (all []incoming) {
	rooms = slices.DeleteFunc(rooms, func(r []incoming) bool { return len(r) == 0 })
	for len(rooms) > 0 {
		first := slices.MinFunc(rooms, func(a, b []incoming) int {
			return cmp.Or(cmp.Compare(a[0].OriginAt, b[0].OriginAt), cmp.Compare(a[0].Room, b[0].Room))
		})
		i := slices.IndexFunc(rooms, func(r []incoming) bool { return r[0].ID == first[0].ID && r[0].Room == first[0].Room })
		all = append(all, first[0])
		if rooms[i] = first[1:]; len(rooms[i]) == 0 {
			rooms = slices.Delete(rooms, i, i+1)
		}
	}
	return all
}

// parseAll reads the events of one room; what cannot be kept is left out and counted.
func (c *Client) parseAll(room id.RoomID, raws []json.RawMessage) (all []incoming) {
	for _, raw := range raws {
		if e, ok := parse(raw, room); ok {
			all = append(all, e)
		} else {
			c.log.Warn().Stringer("room_id", room).Msg("Skipped an event without usable identifiers")
		}
	}
	return all
}
