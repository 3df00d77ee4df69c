package appservice

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// mostReaders bounds what is taken of one room's receipts and typing in one answer: our rooms
// have a few people in them, and a room with thousands is none of ours.
const mostReaders = 200

// ephemeral is what /sync tells of receipts and typing, and nothing else.
var ephemeral = map[string]any{"types": []string{event.EphemeralEventReceipt.Type, event.EphemeralEventTyping.Type}}

// readsIn are the public receipts of one room. A private one (m.read.private) is only for the
// reader's own devices, and never leaves them.
func readsIn(room id.RoomID, events []json.RawMessage) (all []store.Read) {
	for _, content := range ofType(events, event.EphemeralEventReceipt) {
		var byEvent map[string]struct {
			Read map[string]json.RawMessage `json:"m.read"`
		}
		if json.Unmarshal(content, &byEvent) != nil || len(byEvent) > mostReaders {
			continue
		}
		for read, by := range byEvent {
			for user, receipt := range by.Read {
				thread := text(inside(receipt, "thread_id"))
				if len(all) < mostReaders && usable(read, '$') && usable(user, '@') && len(thread) <= longestID {
					all = append(all, store.Read{Room: string(room), User: user, Event: read, Thread: thread})
				}
			}
		}
	}
	return all
}

// typingIn is who types in a room now; nil when the answer says nothing about it.
func typingIn(events []json.RawMessage) (users []id.UserID) {
	for _, content := range ofType(events, event.EphemeralEventTyping) {
		var typing struct {
			Users []id.UserID `json:"user_ids"`
		}
		if json.Unmarshal(content, &typing) == nil {
			users = append([]id.UserID{}, typing.Users[:min(len(typing.Users), mostReaders)]...)
			users = slices.DeleteFunc(users, func(user id.UserID) bool { return !usable(string(user), '@') })
		}
	}
	return users
}

func ofType(events []json.RawMessage, kind event.Type) (contents []json.RawMessage) {
	for _, raw := range events {
		if text(inside(raw, "type")) == kind.Type {
			contents = append(contents, inside(raw, "content"))
		}
	}
	return contents
}

// OnTyping sets what is called from the /sync loop with everyone who types in a room, also when
// nobody does any more. Set it before Run. It must not wait.
func (c *Client) OnTyping(listen func(room id.RoomID, users []id.UserID)) { c.typing = listen }

// announceTyping tells who types; what does not get there is not missed.
func (c *Client) announceTyping(rooms map[id.RoomID]roomNews) {
	for room, news := range rooms {
		if users := typingIn(news.Ephemeral.Events); users != nil && c.typing != nil {
			c.typing(room, users)
		}
	}
}

// MarkRead shows in a room that the bot has read up to an event. thread is as in a receipt: "",
// "main", or the root of a thread. The bot does so for what people have read, and never by itself.
func (c *Client) MarkRead(ctx context.Context, room id.RoomID, read id.EventID, thread string) error {
	body := map[string]any{}
	if thread != "" {
		body["thread_id"] = thread
	}
	path := c.matrix.BuildClientURL("v3", "rooms", room, "receipt", string(event.ReceiptTypeRead), read)
	_, err := c.matrix.MakeRequest(c.quiet(ctx), http.MethodPost, path, body, nil)
	return failed(err, "show that %s was read", read)
}

// Typing shows in a room that the bot types, for some time, or not any more.
func (c *Client) Typing(ctx context.Context, room id.RoomID, typing bool, most time.Duration) error {
	_, err := c.matrix.UserTyping(c.quiet(ctx), room, typing, most)
	return failed(err, "show typing in %s", room)
}

// SentAt is when an event was sent.
func (c *Client) SentAt(ctx context.Context, room id.RoomID, event id.EventID) (time.Time, error) {
	e, err := c.fetch(c.quiet(ctx), room, event)
	if err != nil {
		return time.Time{}, err
	}
	return e.at(c.opts.Now()), nil
}
