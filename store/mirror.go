package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	addMirror = `
		INSERT INTO mirror (source_event, source_room, target_event, target_room, conversation, at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source_event, target_event) DO NOTHING
	`
	mirrorOf = `
		SELECT event FROM (
			SELECT target_event AS event, at FROM mirror WHERE source_event = $1 AND target_room = $2
			UNION ALL
			SELECT source_event AS event, at FROM mirror WHERE target_event = $1 AND source_room = $2
		) AS found ORDER BY at, event LIMIT 1
	`
	mirrorColumns = `SELECT source_event, source_room, target_event, target_room, conversation, at FROM mirror`
	mirrorsOf     = mirrorColumns + `
		WHERE source_event = $1 OR target_event = $1 ORDER BY at, target_event LIMIT 1
	`
)

// A Mirror says that an event in one room stands for an event in another.
type Mirror struct {
	SourceEvent, SourceRoom string
	TargetEvent, TargetRoom string
	Conversation            string
	At                      time.Time
}

// AddMirror remembers which event was made for which. Adding it twice is adding it once. Who
// has read it already has now read what it stands for.
func (s *Store) AddMirror(ctx context.Context, m Mirror) error {
	err := s.write(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, addMirror, m.SourceEvent, m.SourceRoom, m.TargetEvent, m.TargetRoom, m.Conversation,
			ms(m.At)); err != nil {
			return err
		}
		_, err := s.exec(ctx, awaited, m.TargetRoom, m.TargetEvent)
		return err
	})
	if err != nil {
		return fmt.Errorf("add that event %s mirrors %s: %w", m.TargetEvent, m.SourceEvent, err)
	}
	return nil
}

// MirrorOf is the event in a room that stands for another event, whichever of them was first.
func (s *Store) MirrorOf(ctx context.Context, event, room string) (string, bool, error) {
	other, found, err := one(ctx, s, scalar[string], mirrorOf, event, room)
	if err != nil {
		return "", false, fmt.Errorf("find what mirrors event %s: %w", event, err)
	}
	return other, found, nil
}

// MirrorsOf is the first pair that an event is one of, in whatever room the other is.
func (s *Store) MirrorsOf(ctx context.Context, event string) (Mirror, bool, error) {
	m, found, err := one(ctx, s, scanMirror, mirrorsOf, event)
	if err != nil {
		return Mirror{}, false, fmt.Errorf("find what event %s was carried as: %w", event, err)
	}
	return m, found, nil
}

func scanMirror(row dbutil.Scannable) (m Mirror, err error) {
	var made int64
	err = row.Scan(&m.SourceEvent, &m.SourceRoom, &m.TargetEvent, &m.TargetRoom, &m.Conversation, &made)
	m.At = at(made)
	return m, err
}
