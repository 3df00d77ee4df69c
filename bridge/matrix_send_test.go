package bridge

import (
	"context"
	"errors"
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

func (f *fakeMatrix) Sent(_ context.Context, room id.RoomID, txn string, _ time.Time) (id.EventID, bool, error) {
	defer f.mu.Unlock()
	if err := f.begin("sent", room); err != nil {
		return "", false, err
	}
	sent, found := f.byTxn[txn]
	return sent, found, nil
}
