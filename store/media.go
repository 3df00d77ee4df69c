package store

import (
	"context"
	"fmt"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

// A MediaState is how far a file in the media repository is on its way out.
type MediaState string

// The states of a file.
const (
	MediaKept       MediaState = "kept"       // has to be erased when due
	MediaErased     MediaState = "erased"     // the homeserver says it is gone
	MediaUnerasable MediaState = "unerasable" // the homeserver cannot erase; the key is gone
	MediaFailed     MediaState = "failed"     // could not be erased; tried again
)

// openMedia is the predicate of the index on due times, word by word.
const openMedia = `state IN ('kept', 'failed')`

const (
	mediaColumns = `SELECT uri, room_id, event_id, own, sent_at, due_at, state, attempt, next_at, error FROM media `
	getMedia     = mediaColumns + `WHERE uri = $1`
	mediaOf      = mediaColumns + `WHERE event_id = $1 AND event_id <> '' ORDER BY uri`
	mediaDue     = mediaColumns + `WHERE ` + openMedia + ` AND next_at <= $1 ORDER BY next_at LIMIT $2`
	mediaReport  = `SELECT state, COUNT(*) FROM media GROUP BY state`
	addMedia     = `
		INSERT INTO media (uri, room_id, event_id, own, sent_at, due_at, next_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (uri) DO UPDATE SET
			room_id  = CASE WHEN excluded.room_id = '' THEN media.room_id ELSE excluded.room_id END,
			event_id = CASE WHEN excluded.event_id = '' THEN media.event_id ELSE excluded.event_id END
	`
	markMedia = `
		UPDATE media SET state = $2, done_at = $3, next_at = 0, error = '' WHERE uri = $1 AND ` + openMedia
	hurryMedia      = `UPDATE media SET due_at = $2, next_at = $2 WHERE event_id = $1 AND event_id <> '' AND due_at > $2 AND ` + openMedia
	markMediaFailed = `
		UPDATE media SET state = 'failed', attempt = attempt + 1, next_at = $2, error = $3 WHERE uri = $1 AND ` + openMedia
)

// Media is a file in the media repository of a homeserver.
type Media struct {
	URI     string // mxc://…
	RoomID  string
	EventID string // "" while the event that shows it is not known
	Own     bool   // uploaded by the bot
	SentAt  time.Time
	DueAt   time.Time
	State   MediaState
	Attempt int
	NextAt  time.Time
	Error   string
}

// AddMedia remembers a file, before it is uploaded. Adding it again says which event shows it.
func (s *Store) AddMedia(ctx context.Context, m Media) error {
	if _, err := s.exec(ctx, addMedia, m.URI, m.RoomID, m.EventID, m.Own, ms(m.SentAt), ms(m.DueAt),
		ms(eraseAt(m.SentAt, m.DueAt))); err != nil {
		return fmt.Errorf("add media %s: %w", m.URI, err)
	}
	return nil
}

// eraseAt is when a file is erased: before the limit, but after the messages that show it, since
// what the HIS has not taken yet needs it to be sealed.
func eraseAt(sent, due time.Time) time.Time {
	begin := care.Begin(sent, due)
	return begin.Add(due.Sub(begin) / 2)
}

// Media finds a file.
func (s *Store) Media(ctx context.Context, uri string) (Media, bool, error) {
	m, found, err := one(ctx, s, scanMedia, getMedia, uri)
	if err != nil {
		return Media{}, false, fmt.Errorf("get media %s: %w", uri, err)
	}
	return m, found, nil
}

// MediaOf is the files that an event shows.
func (s *Store) MediaOf(ctx context.Context, event string) ([]Media, error) {
	files, err := list(ctx, s, scanMedia, mediaOf, event)
	if err != nil {
		return nil, fmt.Errorf("list the media of event %s: %w", event, err)
	}
	return files, nil
}

// MediaDue is what has to be erased now, most urgent first.
func (s *Store) MediaDue(ctx context.Context, now time.Time, limit int) ([]Media, error) {
	due, err := list(ctx, s, scanMedia, mediaDue, ms(now), limit)
	if err != nil {
		return nil, fmt.Errorf("list media that must be gone: %w", err)
	}
	return due, nil
}

// HurryMedia makes the files that an event shows due now: the event was removed.
func (s *Store) HurryMedia(ctx context.Context, event string, now time.Time) error {
	return s.mark(ctx, "hurry the media of event "+event, hurryMedia, event, ms(now))
}

// MarkMedia records how a file ended: MediaErased or MediaUnerasable.
func (s *Store) MarkMedia(ctx context.Context, uri string, state MediaState, now time.Time) error {
	return s.mark(ctx, "mark media "+uri+" "+string(state), markMedia, uri, state, ms(now))
}

// RetryMedia records that a file could not be erased; it is tried again at next.
func (s *Store) RetryMedia(ctx context.Context, uri string, next time.Time, reason string) error {
	return s.mark(ctx, "mark media "+uri+" failed", markMediaFailed, uri, ms(next), short(reason))
}

func scanMedia(row dbutil.Scannable) (m Media, err error) {
	var sent, due, next int64
	err = row.Scan(&m.URI, &m.RoomID, &m.EventID, &m.Own, &sent, &due, &m.State, &m.Attempt, &next, &m.Error)
	m.SentAt, m.DueAt, m.NextAt = at(sent), at(due), at(next)
	return m, err
}
