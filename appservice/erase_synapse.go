package appservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// synapse erases through its admin API, which the as_token opens once the bot's user is a
// server admin.
type synapse struct{}

// media removes the file and its thumbnails at once.
func (synapse) media(ctx context.Context, c *Client, uri id.ContentURI) error {
	url := c.matrix.BuildURL(mautrix.SynapseAdminURLPath{"v1", "media", uri.Homeserver, uri.FileID})
	_, err := c.matrix.MakeRequest(ctx, http.MethodDelete, url, nil, nil)
	if classOf(err) == ErrNotFound {
		return nil
	}
	return failed(err, "erase %s", uri)
}

// errDeleting says that Synapse is busy deleting.
var errDeleting = errors.New("the room is being deleted")

// room starts the deletion, which goes on by itself, and looks whether the room is gone. It is
// asked again until it is.
func (s synapse) room(ctx context.Context, c *Client, room id.RoomID) error {
	if gone, err := s.roomGone(ctx, c, room); err != nil || gone {
		return err
	}
	url := c.matrix.BuildURL(mautrix.SynapseAdminURLPath{"v2", "rooms", room})
	_, err := c.matrix.MakeRequest(ctx, http.MethodDelete, url, map[string]any{"purge": true, "block": false}, nil)
	if err != nil && !isStatus(err, http.StatusBadRequest) { // 400: it is at it already
		return failed(err, "delete room %s", room)
	}
	if gone, err := s.roomGone(ctx, c, room); err != nil || gone {
		return err
	}
	return fmt.Errorf("delete room %s: %w", room, errDeleting)
}

func (synapse) roomGone(ctx context.Context, c *Client, room id.RoomID) (bool, error) {
	url := c.matrix.BuildURL(mautrix.SynapseAdminURLPath{"v1", "rooms", room})
	_, err := c.matrix.MakeRequest(ctx, http.MethodGet, url, nil, nil)
	switch {
	case classOf(err) == ErrNotFound:
		return true, nil
	case classOf(err) == ErrForbidden: // the bot is no administrator
		return false, fmt.Errorf("delete room %s: %w", room, ErrCannotErase)
	}
	return false, failed(err, "look whether %s is gone", room)
}

func (synapse) admin(ctx context.Context, c *Client) (bool, error) {
	var answer struct {
		Admin bool `json:"admin"`
	}
	url := c.matrix.BuildURL(mautrix.SynapseAdminURLPath{"v1", "users", c.user, "admin"})
	_, err := c.matrix.MakeRequest(ctx, http.MethodGet, url, nil, &answer)
	if errors.Is(classOf(err), ErrForbidden) {
		return false, nil
	}
	return answer.Admin, failed(err, "ask whether the bot is a server admin")
}
