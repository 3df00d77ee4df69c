package store

import (
	"context"
	"time"
)

const (
	markOvertaken = `UPDATE inbox SET overtaken = true WHERE id = $1`
	overtakeEvent = `UPDATE inbox SET overtaken = true WHERE event_id = $1 AND step = 0`
	// toldAfter looks for what the same person sent later in the same room and has its place already.
	toldAfter = `
		SELECT EXISTS (
			SELECT 1 FROM inbox WHERE sender = $1 AND origin_at BETWEEN $2 AND $3 AND room_id = $4 AND step = 0
				AND (position IS NOT NULL OR state <> 'open'))
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

// overtaken says whether an event gets its place only now, after what was sent later.
func (k *keeper) overtaken(ctx context.Context, e Event) (overtaken bool, err error) {
	if e.OriginAt.Before(k.latest) {
		return true, nil
	}
	if k.batch.Fills != nil || k.batch.Now.Sub(e.OriginAt) < seenAtOnce {
		return false, nil
	}
	from, until := ms(e.OriginAt.Add(sameMoment)), ms(e.OriginAt.Add(comesBack))
	overtaken, _, err = one(ctx, k.store, scalar[bool], toldAfter, e.Sender, from, until, e.RoomID)
	return overtaken, err
}
