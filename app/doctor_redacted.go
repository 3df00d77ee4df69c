package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	lookInRooms = 20 // rooms that are looked into for something redacted
	lookAtPage  = "100"
)

// RedactedFor is known by kind of homeserver: none tells its setting. On Synapse an event that
// was redacted long enough ago can show that its original is really dropped.
func (p *serverProbe) RedactedFor(ctx context.Context) (time.Duration, error) {
	kind, _, err := p.Version(ctx)
	if err != nil {
		return 0, err
	}
	switch strings.ToLower(kind) {
	case "dendrite": // wipes at once, found by reading its database
		return 0, nil
	case "synapse":
		return p.seenDropped(ctx)
	default:
		return 0, fmt.Errorf("%w: look in the documentation of %s (tuwunel's default keeps them for 60 days)", ErrCannotTell, kind)
	}
}

// seenDropped looks at an event that was redacted longer ago than originals may stay. That its
// original is gone is proof. That it is there is none: Synapse may show it from memory.
func (p *serverProbe) seenDropped(ctx context.Context) (time.Duration, error) {
	const look = "look for redaction_retention_period: 0 in homeserver.yaml (its default keeps them for 7 days)"
	event, found, err := p.redactedLongAgo(ctx)
	if err != nil || !found {
		return 0, fmt.Errorf("%w: Synapse does not tell, and nothing was redacted long enough ago to see it; %s", ErrCannotTell, look)
	}
	var answer struct {
		Event struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"event"`
	}
	if err := p.closed(ctx, http.MethodGet, "/_synapse/admin/v1/fetch_event/"+url.PathEscape(event), nil, &answer); err != nil {
		return 0, fmt.Errorf("%w: only an administrator sees what Synapse keeps; %s", ErrCannotTell, look)
	}
	if len(answer.Event.Content) > 0 {
		return 0, fmt.Errorf("%w: the original of %s, redacted over a day ago, is still there, if only in memory; %s", ErrCannotTell, event, look)
	}
	return 0, nil
}

// redactedLongAgo finds a message in one of our rooms that was redacted before originalsFor.
func (p *serverProbe) redactedLongAgo(ctx context.Context) (event string, found bool, err error) {
	now, err := p.Clock(ctx)
	if err != nil {
		return "", false, err
	}
	rooms, err := p.OwnRooms(ctx)
	if err != nil {
		return "", false, err
	}
	for _, room := range rooms[:min(len(rooms), lookInRooms)] {
		page, err := p.history(ctx, room.Room)
		if err != nil {
			return "", false, err
		}
		i := slices.IndexFunc(page, func(e pastEvent) bool {
			at := e.Unsigned.Because.At
			return e.StateKey == nil && at > 0 && now.Sub(time.UnixMilli(at)) > originalsFor
		})
		if i >= 0 {
			return page[i].ID, true, nil
		}
	}
	return "", false, nil
}

// A pastEvent is an event as far as it tells whether and when it was redacted.
type pastEvent struct {
	ID       string  `json:"event_id"`
	StateKey *string `json:"state_key"`
	Unsigned struct {
		Because struct {
			At int64 `json:"origin_server_ts"`
		} `json:"redacted_because"`
	} `json:"unsigned"`
}

func (p *serverProbe) history(ctx context.Context, room string) ([]pastEvent, error) {
	query := url.Values{"dir": {"b"}, "limit": {lookAtPage}, "user_id": {p.user}}
	var page struct {
		Chunk []pastEvent `json:"chunk"`
	}
	path := "/_matrix/client/v3/rooms/" + url.PathEscape(room) + "/messages?" + query.Encode()
	_, err := p.do(ctx, http.MethodGet, path, nil, p.token, &page)
	return page.Chunk, err
}
