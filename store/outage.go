package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	addOutage   = `INSERT INTO outage (from_at, until_at) VALUES ($1, $2) ON CONFLICT (from_at) DO NOTHING`
	listOutages = `SELECT from_at, until_at FROM outage ORDER BY from_at`
	endOutage   = `DELETE FROM outage WHERE from_at = $1`
	// waitedIn counts what was written before the end of an outage and came in only since it
	// began. It is asked once per outage.
	waitedIn = `
		SELECT room.kind, room.person, room.conversation, room.practice, COUNT(*)
		FROM inbox JOIN room ON room.room_id = inbox.room_id
		WHERE inbox.received_at > $1 AND inbox.origin_at < $2 AND inbox.step = 0
			AND inbox.type IN ('m.room.encrypted', 'm.room.message', 'm.sticker')
			AND room.kind IN ('consulting', 'conversation') AND room.person <> ''
		GROUP BY room.room_id, room.kind, room.person, room.conversation, room.practice
		ORDER BY room.kind, room.person, room.conversation
	`
)

// An Outage is a time in which nothing came in: Spreekkamer or the homeserver was away.
type Outage struct{ From, Until time.Time }

// A Waited is how many messages of one room waited for the end of an outage.
type Waited struct {
	Kind         RoomKind // RoomConsulting or RoomConversation
	Person       string
	Conversation string // of a conversation room
	Practice     string // of a conversation room
	Messages     int
}

// alive notes that /sync has answered, and how long it had not when that is longer than the
// batch says. It is the database that knows, so a restart changes nothing.
func (k *keeper) alive(ctx context.Context, last time.Time) error {
	if k.batch.Away <= 0 || last.IsZero() || k.batch.Now.Sub(last) < k.batch.Away {
		return nil
	}
	_, err := k.store.exec(ctx, addOutage, ms(last), ms(k.batch.Now))
	return err
}

// Outages are those that nobody has been told about.
func (s *Store) Outages(ctx context.Context) ([]Outage, error) {
	found, err := list(ctx, s, scanOutage, listOutages)
	if err != nil {
		return nil, fmt.Errorf("list outages: %w", err)
	}
	return found, nil
}

// WaitedIn is what waited for the end of an outage, by room.
func (s *Store) WaitedIn(ctx context.Context, o Outage) ([]Waited, error) {
	found, err := list(ctx, s, scanWaited, waitedIn, ms(o.From), ms(o.Until))
	if err != nil {
		return nil, fmt.Errorf("count what waited in an outage: %w", err)
	}
	return found, nil
}

// EndOutage forgets an outage: people have been told.
func (s *Store) EndOutage(ctx context.Context, o Outage) error {
	return s.mark(ctx, "end an outage", endOutage, ms(o.From))
}

func scanOutage(row dbutil.Scannable) (o Outage, err error) {
	var from, until int64
	err = row.Scan(&from, &until)
	o.From, o.Until = at(from), at(until)
	return o, err
}

func scanWaited(row dbutil.Scannable) (w Waited, err error) {
	err = row.Scan(&w.Kind, &w.Person, &w.Conversation, &w.Practice, &w.Messages)
	return w, err
}
