package bridge

import (
	"context"
	"errors"
	"slices"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func (f *fakeMatrix) Send(_ context.Context, room id.RoomID, kind event.Type, content map[string]any, txn string, _ time.Time) (id.EventID, error) {
	defer f.mu.Unlock()
	if err := f.begin("send", room); err != nil {
		return "", err
	}
	if sent, ok := f.byTxn[txn]; ok {
		return sent, nil
	}
	if f.reacted(room, kind, content) { // as Synapse does
		return "", ErrThere
	}
	e := f.put(room, botID, kind, content, txn)
	f.byTxn[txn] = e.ID
	if !f.mute {
		f.echoes = append(f.echoes, e)
	}
	if f.lose != nil && f.lose(room) {
		return "", errors.New("the answer got lost")
	}
	return e.ID, nil
}

// reacted says that the bot has reacted so to an event.
func (f *fakeMatrix) reacted(room id.RoomID, kind event.Type, content map[string]any) bool {
	about, _ := content["m.relates_to"].(map[string]any)
	return kind == event.EventReaction && slices.ContainsFunc(f.room(room).events, func(e *fakeEvent) bool {
		r, is := e.Content.Parsed.(*event.ReactionEventContent)
		return is && !e.gone && e.Sender == botID && string(r.RelatesTo.EventID) == about["event_id"] && r.RelatesTo.Key == about["key"]
	})
}

func (f *fakeMatrix) Sent(_ context.Context, room id.RoomID, txn string, _ time.Time) (id.EventID, bool, error) {
	defer f.mu.Unlock()
	if err := f.begin("sent", room); err != nil {
		return "", false, err
	}
	sent, found := f.byTxn[txn]
	return sent, found, nil
}
