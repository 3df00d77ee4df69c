package store

import (
	"context"
	"fmt"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

const (
	readerOf = `
		SELECT room.kind, COALESCE(person.user_id, ''), COALESCE(staff.role, '')
		FROM room LEFT JOIN person ON person.id = room.person
			LEFT JOIN staff ON staff.user_id = $2 AND staff.practice IN (room.practice, '') AND staff.removed_at = 0
		WHERE room.room_id = $1
	`
	readingColumns = `SELECT room_id, thread, event_id, sent_at, attempt FROM reading`
	getReading     = readingColumns + ` WHERE room_id = $1 AND thread = $2`
	dueReadings    = readingColumns + ` WHERE pending AND next_at <= $1 ORDER BY next_at, room_id LIMIT $2`
	putReading     = `
		INSERT INTO reading (room_id, thread, event_id, sent_at, pending) VALUES ($1, $2, $3, $4, true)
		ON CONFLICT (room_id, thread) DO UPDATE SET
			event_id = excluded.event_id, sent_at = excluded.sent_at, pending = true, attempt = 0, next_at = 0
	`
	endReading   = `UPDATE reading SET pending = false WHERE room_id = $1 AND thread = $2 AND event_id = $3`
	retryReading = `UPDATE reading SET attempt = attempt + 1, next_at = $4 WHERE room_id = $1 AND thread = $2 AND event_id = $3`
	// awaited finds who has read an event before it was known what it stands for.
	awaited     = `UPDATE reading SET pending = true, attempt = 0, next_at = 0 WHERE room_id = $1 AND event_id = $2`
	standsExact = mirrorColumns + ` WHERE target_event = $1 AND target_room = $2 AND ` + inStep + ` ORDER BY at LIMIT 1`
	// inStep leaves out an answer that came to staff long after it came to the patient, or with words of staff
	// before it that the patient did not have yet: who has read the one has not read the others. It looks back
	// a minute, for what was on its way, and for clocks that differ.
	inStep = `(mirror.kind <> 'answer' OR EXISTS (SELECT 1 FROM ledger AS here, ledger AS there
		WHERE here.event_id = mirror.source_event AND there.event_id = mirror.target_event AND here.sent_at <= there.sent_at + 60000
			AND NOT EXISTS (SELECT 1 FROM ledger AS said
				WHERE said.room_id = mirror.source_room AND said.state IN ('kept', 'redacted', 'failed') AND NOT said.own
					AND said.sent_at BETWEEN there.sent_at - 60000 AND here.sent_at
					AND NOT EXISTS (SELECT 1 FROM mirror AS carried JOIN ledger AS copy ON copy.event_id = carried.target_event
						WHERE carried.source_event = said.event_id AND carried.target_room = mirror.target_room
							AND copy.sent_at <= there.sent_at))))`
	// standsUpTo are the events carried into a room that were sent before a time, newest first.
	standsUpTo = `
		SELECT mirror.source_event, mirror.source_room, mirror.target_event, mirror.target_room, mirror.conversation, mirror.at, mirror.kind
		FROM mirror JOIN ledger ON ledger.event_id = mirror.target_event
		WHERE mirror.target_room = $1 AND ledger.sent_at < $2 AND ` + inStep + ` ORDER BY mirror.at DESC LIMIT $3
	`
	getShown = `SELECT sent_at FROM shown WHERE room_id = $1 AND thread = $2`
	putShown = `
		INSERT INTO shown (room_id, thread, sent_at) VALUES ($1, $2, $3)
		ON CONFLICT (room_id, thread) DO UPDATE SET sent_at = excluded.sent_at WHERE shown.sent_at < excluded.sent_at
	`
)

// A Read says that someone has read a room up to an event, as a public receipt tells.
type Read struct {
	Room, User, Event string
	Thread            string // "" = everything, "main", or the root of a thread
}

// A Reading is how far a room has been read by those on its side. There is one row per room and
// thread, whatever the number of messages and readers: only the newest counts.
type Reading struct {
	Room, Thread, Event string
	SentAt              time.Time // of the event; zero = not known here
	Attempt             int
}

// A reader is what has to be known about who reads in a room.
type reader struct {
	kind RoomKind
	user string    // the patient, in rooms of one
	role care.Role // of a member of staff of the room's practice
}

// counts says whether the reading of a user means that the other side's words were read: by the
// patient, or by staff who may answer.
func (r reader) counts(user string) bool {
	switch r.kind {
	case RoomConsulting:
		return r.user == user
	case RoomConversation:
		return r.role.May(care.MayAnswer)
	}
	return false
}

// read keeps how far someone has read; anyone whose reading says nothing is left out.
func (k *keeper) read(ctx context.Context, r Read) error {
	s := k.store
	who, known, err := one(ctx, s, scanReader, readerOf, r.Room, r.User)
	if err != nil || !known || r.User == k.bot || !who.counts(r.User) {
		return err
	}
	event, _, err := s.LedgerEvent(ctx, r.Event)
	if err != nil || event.RoomID != "" && event.RoomID != r.Room {
		return err
	}
	before, _, err := one(ctx, s, scanReading, getReading, r.Room, r.Thread)
	if err != nil || before.Event == r.Event || !event.SentAt.IsZero() && event.SentAt.Before(before.SentAt) {
		return err
	}
	_, err = s.exec(ctx, putReading, r.Room, r.Thread, r.Event, ms(event.SentAt))
	return err
}

// DueReadings is what has been read and not been shown at the other side.
func (s *Store) DueReadings(ctx context.Context, now time.Time, limit int) ([]Reading, error) {
	due, err := list(ctx, s, scanReading, dueReadings, ms(now), limit)
	if err != nil {
		return nil, fmt.Errorf("list what has been read: %w", err)
	}
	return due, nil
}

// EndReading records that there is nothing more to show of a reading. One that has gone further
// meanwhile is left alone.
func (s *Store) EndReading(ctx context.Context, r Reading) error {
	return s.mark(ctx, "end the reading of room "+r.Room, endReading, r.Room, r.Thread, r.Event)
}

// RetryReading lets a reading be shown again at a time.
func (s *Store) RetryReading(ctx context.Context, r Reading, next time.Time) error {
	return s.mark(ctx, "retry the reading of room "+r.Room, retryReading, r.Room, r.Thread, r.Event, ms(next))
}

// ReadEvents is what a reading means at the other side: the event that the read one stands for,
// or else what was carried into the room before the read one was sent, newest first. Of a
// thread it is the first only.
func (s *Store) ReadEvents(ctx context.Context, r Reading, limit int) ([]Mirror, error) {
	exact, err := list(ctx, s, scanMirror, standsExact, r.Event, r.Room)
	if err == nil && len(exact) == 0 && (r.Thread == "" || r.Thread == "main") {
		exact, err = list(ctx, s, scanMirror, standsUpTo, r.Room, ms(r.SentAt), limit)
	}
	if err != nil {
		return nil, fmt.Errorf("find what was read in room %s: %w", r.Room, err)
	}
	return exact, nil
}

// ShownUpTo is when the last event was sent that the bot has shown as read in a room.
func (s *Store) ShownUpTo(ctx context.Context, room, thread string) (time.Time, error) {
	sent, _, err := one(ctx, s, scalar[int64], getShown, room, thread)
	if err != nil {
		return time.Time{}, fmt.Errorf("find what was shown as read in room %s: %w", room, err)
	}
	return at(sent), nil
}

// SetShown remembers how far the bot has shown that a room was read; it never goes back.
func (s *Store) SetShown(ctx context.Context, room, thread string, sent time.Time) error {
	return s.mark(ctx, "note what was shown as read in room "+room, putShown, room, thread, ms(sent))
}

func scanReader(row dbutil.Scannable) (r reader, err error) {
	err = row.Scan(&r.kind, &r.user, &r.role)
	return r, err
}

func scanReading(row dbutil.Scannable) (r Reading, err error) {
	var sent int64
	err = row.Scan(&r.Room, &r.Thread, &r.Event, &sent, &r.Attempt)
	r.SentAt = at(sent)
	return r, err
}
