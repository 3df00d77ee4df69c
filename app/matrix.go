package app

import (
	"context"
	"errors"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/appservice"
	"github.com/spreekkamer/spreekkamer/bridge"
	"github.com/spreekkamer/spreekkamer/store"
)

// chat lets the bridge use the Matrix side: it says in the bridge's words what the
// homeserver answered, and knows how each kind of room has to be.
type chat struct {
	*appservice.Client
	domain    string
	retention time.Duration
}

var _ bridge.Matrix = chat{}

// meanings translates what the Matrix side says about an error. The first that fits
// counts; what is not listed is tried again.
var meanings = []struct{ theirs, ours error }{
	{appservice.ErrNoKey, bridge.ErrNoKey},
	{appservice.ErrUndecryptable, bridge.ErrUnreadable},
	{appservice.ErrRedacted, bridge.ErrRedacted},
	{appservice.ErrCannotErase, bridge.ErrCannotErase},
	{appservice.ErrNotFound, bridge.ErrNotFound},
	{appservice.ErrTooLarge, bridge.ErrTooLarge},
	{appservice.ErrPermanent, bridge.ErrRefused},
	{appservice.ErrThere, bridge.ErrThere},
}

// meant joins an error with the bridge's word for it.
func meant(err error) error {
	for _, m := range meanings {
		if errors.Is(err, m.theirs) {
			return errors.Join(m.ours, err)
		}
	}
	return err
}

func (c chat) Read(ctx context.Context, room id.RoomID, eventID id.EventID) (*event.Event, error) {
	evt, err := c.Client.Read(ctx, room, eventID)
	return evt, meant(err)
}

func (c chat) Send(ctx context.Context, room id.RoomID, kind event.Type, content map[string]any, txn string, since time.Time) (id.EventID, error) {
	if since.IsZero() {
		sent, err := c.Client.Send(ctx, room, kind, content, txn)
		return sent, meant(err)
	}
	sent, err := c.Resend(ctx, room, kind, content, txn, since)
	return sent, meant(err)
}

func (c chat) Sent(ctx context.Context, room id.RoomID, txn string, since time.Time) (id.EventID, bool, error) {
	sent, found, err := c.Client.Sent(ctx, room, txn, since)
	return sent, found, meant(err)
}

// Identity is the cross-signing identity of a user, as the bot last saw it.
func (c chat) Identity(ctx context.Context, user id.UserID) (bridge.Identity, error) {
	key, first, err := c.MasterKey(ctx, user)
	return bridge.Identity{Key: string(key), First: string(first)}, err
}

func (c chat) Join(ctx context.Context, room id.RoomID) error { return meant(c.Client.Join(ctx, room)) }
func (c chat) Joined(ctx context.Context, room id.RoomID) (int, error) {
	n, err := c.Client.Joined(ctx, room)
	return n, meant(err)
}

func (c chat) Leave(ctx context.Context, room id.RoomID) error {
	return meant(c.Client.Leave(ctx, room))
}

func (c chat) Redact(ctx context.Context, room id.RoomID, eventID id.EventID, txn string) error {
	return meant(c.Client.Redact(ctx, room, eventID, txn))
}

func (c chat) Gone(ctx context.Context, room id.RoomID, eventID id.EventID) (bool, error) {
	gone, err := c.Client.Gone(ctx, room, eventID)
	return gone, meant(err)
}

func (c chat) History(ctx context.Context, room id.RoomID, place string) (bridge.Page, error) {
	events, next, err := c.Client.History(ctx, room, place)
	return bridge.Page{Events: events, Next: next}, meant(err)
}

func (c chat) Download(ctx context.Context, file *event.EncryptedFileInfo, uri id.ContentURIString, most int64) ([]byte, error) {
	if file != nil {
		uri = file.URL
	}
	data, err := c.Client.Download(ctx, uri, file, most)
	if errors.Is(err, appservice.ErrUndecryptable) { // a broken file never gets better
		return nil, errors.Join(bridge.ErrNotFound, err)
	}
	return data, meant(err)
}

func (c chat) Upload(ctx context.Context, data []byte, before func(uri string) error) (*event.EncryptedFileInfo, error) {
	file, err := c.Client.Upload(ctx, data, func(uri id.ContentURIString) error { return before(string(uri)) })
	return file, meant(err)
}

func (c chat) ForgetKey(ctx context.Context, key store.SpentKey) error {
	return meant(c.Client.ForgetKey(ctx, key))
}

// Dissolve counts whom it removed also when the homeserver cannot delete the room.
func (c chat) Dissolve(ctx context.Context, room, space id.RoomID, alias string) (removed int, err error) {
	if space != "" {
		if err := c.Unhang(ctx, room, space); err != nil {
			return 0, meant(err)
		}
	}
	// after a deletion whose answer was lost the bot is in no room any more
	if removed, err = c.keepOnly(ctx, room, nil); err != nil && !errors.Is(err, appservice.ErrForbidden) && !errors.Is(err, appservice.ErrNotFound) {
		return removed, meant(err)
	}
	if err := c.DropAlias(ctx, alias); err != nil {
		return removed, meant(err)
	}
	deleted := c.DeleteRoom(ctx, room)
	if deleted == nil {
		deleted = c.ForgetRoomKeys(ctx, room)
	}
	return removed, meant(deleted)
}

func (c chat) EraseMedia(ctx context.Context, uri string) error {
	return meant(c.Client.EraseMedia(ctx, id.ContentURIString(uri)))
}

func (c chat) MarkRead(ctx context.Context, room id.RoomID, read id.EventID, thread string) error {
	return meant(c.Client.MarkRead(ctx, room, read, thread))
}

func (c chat) Typing(ctx context.Context, room id.RoomID, typing bool, most time.Duration) error {
	return meant(c.Client.Typing(ctx, room, typing, most))
}

func (c chat) SentAt(ctx context.Context, room id.RoomID, eventID id.EventID) (time.Time, error) {
	sent, err := c.Client.SentAt(ctx, room, eventID)
	return sent, meant(err)
}

func (c chat) Rename(ctx context.Context, room id.RoomID, name string) error {
	return meant(c.SetState(ctx, room, event.StateRoomName, "", map[string]any{"name": name}))
}

// Gate lets the patient in a consulting room speak, or mutes the room.
func (c chat) Gate(ctx context.Context, room id.RoomID, open bool) error {
	return meant(c.SetState(ctx, room, event.StatePowerLevels, "", consultingLevels(c.UserID(), open)))
}

// EnsureRoom makes or mends a room, and removes who does not belong there.
func (c chat) EnsureRoom(ctx context.Context, room bridge.Room) (id.RoomID, error) {
	made, err := c.Client.EnsureRoom(ctx, c.spec(room))
	if err != nil {
		return made, meant(err)
	}
	return made, c.KeepOnly(ctx, made, room.Invite)
}

// KeepOnly keeps a room to the people it is for.
func (c chat) KeepOnly(ctx context.Context, room id.RoomID, belong []id.UserID) error {
	_, err := c.keepOnly(ctx, room, belong)
	return meant(err)
}

// keepOnly also counts whom it removed.
func (c chat) keepOnly(ctx context.Context, room id.RoomID, belong []id.UserID) (removed int, err error) {
	members, err := c.Members(ctx, room)
	if err != nil {
		return 0, err
	}
	keep := map[id.UserID]bool{c.UserID(): true}
	for _, user := range belong {
		keep[user] = true
	}
	for user, m := range members {
		present := m.Membership == event.MembershipJoin || m.Membership == event.MembershipInvite
		if present && !keep[user] {
			if err := c.Kick(ctx, room, user, ""); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}
