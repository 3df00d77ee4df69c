package appservice

import (
	"context"
	"errors"
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
