package appservice

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/id"
)

// An eraser removes what redaction leaves, in the way of one kind of homeserver.
type eraser interface {
	// media erases a file of our own homeserver. One that is gone already is no error.
	media(ctx context.Context, c *Client, uri id.ContentURI) error
	// room deletes a room with everything in it, and returns nil when it is gone.
	room(ctx context.Context, c *Client, room id.RoomID) error
	// admin reports whether the bot may do this.
	admin(ctx context.Context, c *Client) (bool, error)
}

// erasers are the homeservers that we know how to make erase, by the name they give themselves.
var erasers = map[string]eraser{
	"Synapse":  synapse{},
	"Dendrite": dendrite{},
}

// EraseMedia removes a file from the media repository. ErrCannotErase says that the homeserver
// has no way to: the file stays, but nobody has its key any more.
func (c *Client) EraseMedia(ctx context.Context, uri id.ContentURIString) error {
	ctx = c.quiet(ctx)
	address, err := uri.Parse()
	if err != nil || address.IsEmpty() {
		return fmt.Errorf("erase media: the address is no media address: %w", ErrPermanent)
	}
	if address.Homeserver != c.opts.Domain {
		return fmt.Errorf("erase %s of another homeserver: %w", uri, ErrCannotErase)
	}
	kind, err := c.eraser(ctx)
	if err != nil {
		return err
	}
	return kind.media(ctx, c, address)
}

// IsAdmin reports whether the bot may use the homeserver's admin requests.
func (c *Client) IsAdmin(ctx context.Context) (bool, error) {
	ctx = c.quiet(ctx)
	kind, err := c.eraser(ctx)
	if err != nil {
		return false, err
	}
	return kind.admin(ctx, c)
}

func (c *Client) eraser(ctx context.Context) (eraser, error) {
	server, err := c.Server(ctx)
	if err != nil {
		return nil, err
	}
	kind, ok := erasers[server.Name]
	if !ok {
		return nil, fmt.Errorf("homeserver %q: %w", server.Name, ErrCannotErase)
	}
	return kind, nil
}
