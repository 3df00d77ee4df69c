package appservice

import (
	"context"
	"maps"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/sqlstatestore"
)

// The library's two stores would keep display names, avatars and the names people give their
// phones. The bridge has no use for them, so they are dropped on the way in.

// stateStore knows who is in which room and how rooms are set up, without names.
type stateStore struct{ *sqlstatestore.SQLStateStore }

func newStateStore(db *dbutil.Database) stateStore {
	s := sqlstatestore.NewSQLStateStore(db, nil, false)
	s.DisableNameDisambiguation = true
	return stateStore{s}
}

// SetMember keeps the membership only.
func (s stateStore) SetMember(ctx context.Context, room id.RoomID, user id.UserID, m *event.MemberEventContent) error {
	return s.SQLStateStore.SetMember(ctx, room, user, &event.MemberEventContent{Membership: m.Membership})
}

// ReplaceCachedMembers keeps the memberships only.
func (s stateStore) ReplaceCachedMembers(ctx context.Context, room id.RoomID, events []*event.Event, only ...event.Membership) error {
	bare := make([]*event.Event, 0, len(events))
	for _, e := range events {
		if m, ok := e.Content.Parsed.(*event.MemberEventContent); ok && e.StateKey != nil {
			content := event.Content{Parsed: &event.MemberEventContent{Membership: m.Membership}}
			bare = append(bare, &event.Event{RoomID: room, Type: e.Type, StateKey: e.StateKey, Content: content})
		}
	}
	if len(bare) == 0 { // the library builds no valid statement for none
		return s.ClearCachedMembers(ctx, room, only...)
	}
	return s.SQLStateStore.ReplaceCachedMembers(ctx, room, bare, only...)
}

// cryptoStore keeps keys and sessions, encrypted with a key from outside the database.
type cryptoStore struct{ *crypto.SQLCryptoStore }

func newCryptoStore(db *dbutil.Database, user id.UserID, device id.DeviceID, pickleKey []byte) cryptoStore {
	return cryptoStore{crypto.NewSQLCryptoStore(db, nil, string(user), device, pickleKey)}
}

// PutDevice keeps a device without the name its owner gave it.
func (s cryptoStore) PutDevice(ctx context.Context, user id.UserID, device *id.Device) error {
	return s.SQLCryptoStore.PutDevice(ctx, user, nameless(device))
}

// PutDevices keeps a user's devices without the names their owner gave them.
func (s cryptoStore) PutDevices(ctx context.Context, user id.UserID, devices map[id.DeviceID]*id.Device) error {
	bare := maps.Clone(devices)
	for key, device := range bare {
		bare[key] = nameless(device)
	}
	return s.SQLCryptoStore.PutDevices(ctx, user, bare)
}

func nameless(device *id.Device) *id.Device {
	bare := *device
	bare.Name = ""
	return &bare
}
