package appservice

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/id"
)

// dendrite wipes redacted events at once and deletes no media: a file stays under the media
// path until the operator's sweeper takes it. It is unreadable, because its key is gone.
type dendrite struct{}

func (dendrite) media(_ context.Context, _ *Client, uri id.ContentURI) error {
	return fmt.Errorf("erase %s: %w", uri, ErrCannotErase)
}

// room could be done with an administrator's token, which the bot has no way to get.
func (dendrite) room(_ context.Context, _ *Client, room id.RoomID) error {
	return fmt.Errorf("delete room %s: %w", room, ErrCannotErase)
}

// admin is false: there is nothing the bot would use it for.
func (dendrite) admin(context.Context, *Client) (bool, error) { return false, nil }
