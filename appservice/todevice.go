package appservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// What comes for the bot's device: other people's message keys, requests for ours, and the news
// that someone has other devices than before. All of it is processed before the batch is kept;
// a batch that comes again after a crash is recognised by the crypto store (see olmwrites.go).

// deviceNews is the part of a /sync answer that is about encryption.
type deviceNews struct {
	ToDevice eventList           `json:"to_device"`
	Lists    mautrix.DeviceLists `json:"device_lists"`
	OTKs     *mautrix.OTKCount   `json:"device_one_time_keys_count"`
}

// takeDeviceNews is ended by the end of the program only between two events. What is left then
// comes again, as does everything when the database could not be read.
func (c *Client) takeDeviceNews(ctx context.Context, news deviceNews) error {
	whole := context.WithoutCancel(ctx)
	if err := c.takeDeviceLists(whole, news.Lists.Changed); err != nil {
		return err
	}
	for _, raw := range news.ToDevice.Events {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var held olmWrites
		if err := guard(func() error { return c.takeToDevice(holdingBack(whole, &held), raw) }); err != nil {
			c.log.Warn().Str("error", said(err)).Msg("Skipped something sent to the bot's device")
		}
		if held.unread != nil {
			return fmt.Errorf("look up the sessions of the bot's device: %w", held.unread)
		}
		if err := held.flush(ctx, c.keyNotStored); err != nil {
			return err
		}
	}
	c.countKeys(whole, news.OTKs)
	c.machine.MarkOlmHashSavePoint(whole)
	return ctx.Err()
}

func (c *Client) keyNotStored(err error) {
	c.log.Error().Str("error", said(err)).Msg("Storing a message key failed, will be tried again")
}

// countKeys publishes new one-time keys before others run out of them. Dendrite leaves the count
// out when none is left, so then the homeserver is asked.
func (c *Client) countKeys(ctx context.Context, left *mautrix.OTKCount) {
	if left != nil {
		c.machine.HandleOTKCounts(ctx, left)
		return
	}
	if err := c.machine.ShareKeys(ctx, -1); err != nil {
		c.log.Warn().Str("error", said(err)).Msg("Publishing one-time keys failed")
	}
}

// takeToDevice takes what someone else's device sent. The bot has one device only, so what claims to
// be from another of its own is nothing to it.
func (c *Client) takeToDevice(ctx context.Context, raw json.RawMessage) error {
	var evt event.Event
	if err := json.Unmarshal(raw, &evt); err != nil {
		return fmt.Errorf("to-device event is malformed: %w", ErrPermanent)
	}
	if evt.Sender == c.user {
		return nil
	}
	evt.Type.Class = event.ToDeviceEventType
	if err := evt.Content.ParseRaw(evt.Type); err != nil {
		return nil // a type or form we do not know
	}
	c.machine.HandleToDeviceEvent(ctx, &evt)
	return nil
}

// takeDeviceLists looks up the devices of people who changed theirs. It is written down first
// that the old list is wrong: if the look-up fails, the next message to that room tries again
// (freshDevices), instead of leaving a new phone without keys until the list changes once more.
func (c *Client) takeDeviceLists(ctx context.Context, changed []id.UserID) error {
	if changed = c.others(changed); len(changed) == 0 {
		return nil
	}
	if err := c.keys.MarkTrackedUsersOutdated(ctx, changed); err != nil {
		return fmt.Errorf("note changed devices: %w", err)
	}
	if err := c.fetchKeys(ctx, changed); errors.Is(err, errNotTold) {
		return err
	} else if err != nil {
		c.log.Warn().Str("error", said(err)).Int("users", len(changed)).Msg("Looking up changed devices failed; trying again before the next message")
		for _, user := range changed {
			c.machine.OnDevicesChanged(ctx, user)
		}
	}
	return nil
}

// freshDevices looks up again whose device list is known to be wrong. Someone whose homeserver
// is down stays as known: a message must not wait for that.
func (c *Client) freshDevices(ctx context.Context, members []id.UserID) error {
	outdated, err := c.keys.GetOutdatedTrackedUsers(ctx)
	if err != nil {
		return fmt.Errorf("look for changed devices: %w", err)
	}
	stale := intersect(outdated, members)
	if len(stale) == 0 {
		return nil
	}
	return failed(c.fetchKeysToShare(ctx, stale), "look up changed devices")
}

func intersect(some, others []id.UserID) (both []id.UserID) {
	in := make(map[id.UserID]bool, len(others))
	for _, user := range others {
		in[user] = true
	}
	for _, user := range some {
		if in[user] {
			both = append(both, user)
		}
	}
	return both
}

// arrivals collects the rooms whose keys arrived while a batch is processed; who waits for them
// is woken when the batch is kept.
type arrivals struct {
	mu     sync.Mutex
	rooms  map[id.RoomID]bool
	keys   [][2]string // room and session
	listen func(room id.RoomID)
}

// OnRoomKey sets what is called when a key of a room has arrived: once per room and batch, from
// the /sync loop. A turn that got ErrNoKey a moment earlier may miss it, so retry on a timer too.
func (c *Client) OnRoomKey(listen func(room id.RoomID)) {
	c.arrived.mu.Lock()
	defer c.arrived.mu.Unlock()
	c.arrived.listen = listen
}

// sessionReceived is called by the library for every session, also those the bot makes itself
// for sending; waking someone for nothing costs one look.
func (c *Client) sessionReceived(_ context.Context, room id.RoomID, session id.SessionID, _ uint32) {
	c.arrived.mu.Lock()
	defer c.arrived.mu.Unlock()
	if c.arrived.rooms == nil {
		c.arrived.rooms = map[id.RoomID]bool{}
	}
	c.arrived.rooms[room] = true
	c.arrived.keys = append(c.arrived.keys, [2]string{string(room), string(session)})
}

func (c *Client) announceArrivals(ctx context.Context) {
	c.arrived.mu.Lock()
	rooms, listen, keys := c.arrived.rooms, c.arrived.listen, c.arrived.keys
	c.arrived.rooms, c.arrived.keys = nil, nil
	c.arrived.mu.Unlock()
	for _, key := range keys {
		if err := c.store.KeyCame(ctx, key[0], key[1]); err != nil {
			c.log.Warn().Str("error", said(err)).Str("room_id", key[0]).Msg("Looking again at a key failed")
		}
	}
	for room := range rooms {
		if listen != nil {
			listen(room)
		}
	}
}

// limiter lets the same thing happen only once in a while. It forgets everything when it has
// grown large: then something happens once more than needed.
type limiter struct {
	mu    sync.Mutex
	every time.Duration
	now   func() time.Time
	last  map[string]time.Time
}

const limiterSize = 10_000

func newLimiter(every time.Duration, now func() time.Time) *limiter {
	return &limiter{every: every, now: now, last: map[string]time.Time{}}
}

func (l *limiter) allow(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if last, ok := l.last[what]; ok && now.Sub(last) < l.every {
		return false
	}
	if len(l.last) >= limiterSize {
		clear(l.last)
	}
	l.last[what] = now
	return true
}
