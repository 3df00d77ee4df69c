package store

import (
	"context"
	"time"
)

const (
	markOvertaken = `UPDATE inbox SET overtaken = true WHERE id = $1`
	overtakeEvent = `UPDATE inbox SET overtaken = true WHERE event_id = $1 AND step = 0`
	// lastTold is when the last was sent of what someone sent in a room after a time and has its place.
	lastTold = `
		SELECT COALESCE(MAX(origin_at), 0) FROM inbox
		WHERE sender = $1 AND origin_at > $2 AND room_id = $3 AND step = 0 AND (position IS NOT NULL OR state <> 'open')
	`
)

// A homeserver that was killed may tell of a message only after what was sent after it: Dendrite does so
// half a minute later (docs/homeservers.md). That shows by the time at which it was sent, by the clock
// of the sender's homeserver. What was sent at the same moment, or is seen at once, says nothing of the order;
// nor does a clock that was set back by more than a homeserver needs to come back.
const (
	sameMoment = 300 * time.Millisecond
	seenAtOnce = 10 * time.Second
	comesBack  = 15 * time.Minute
)

// A lateness says, within one transaction, what gets its place only after what the same person sent
// later in the same room. It asks once for each of them: thousands may wait for their place.
type lateness struct {
	store *Store
	told  map[inRoom]time.Time // when the last was sent of what has its place
}

type inRoom struct{ sender, room string }

func (s *Store) lateness() lateness { return lateness{s, map[inRoom]time.Time{}} }

// mark notes an event that gets its place now, and marks it when it is late.
func (l lateness) mark(ctx context.Context, turn int64, sender, room string, sent time.Time) error {
	who := inRoom{sender, room}
	last, asked := l.told[who]
	if !asked {
		told, _, err := one(ctx, l.store, scalar[int64], lastTold, sender, ms(sent), room)
		if err != nil {
			return err
		}
		last = at(told)
	}
	if l.told[who] = last; sent.After(last) {
		l.told[who] = sent
	}
	if after := last.Sub(sent); after < sameMoment || after > comesBack {
		return nil
	}
	return l.store.overtake(ctx, turn)
}

// seen notes an event that gets its place now and is not late.
func (l lateness) seen(e Event) {
	who := inRoom{e.Sender, e.RoomID}
	if last, asked := l.told[who]; asked && e.OriginAt.After(last) { // not asked: it is found then
		l.told[who] = e.OriginAt
	}
}

// overtake marks an event as late.
func (s *Store) overtake(ctx context.Context, turn int64) error {
	_, err := s.exec(ctx, markOvertaken, turn)
	return err
}

// late marks an event that gets its place now, when it is late.
func (k *keeper) late(ctx context.Context, e Event, turn int64) error {
	if k.batch.Fills != nil {
		if e.OriginAt.Before(k.latest) {
			return k.store.overtake(ctx, turn)
		}
		return nil
	}
	if k.batch.Now.Sub(e.OriginAt) < seenAtOnce {
		k.lateness.seen(e)
		return nil
	}
	return k.lateness.mark(ctx, turn, e.Sender, e.RoomID, e.OriginAt)
}
