package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	addMirror = `
		INSERT INTO mirror (source_event, source_room, target_event, target_room, conversation, at, kind)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source_event, target_event) DO NOTHING
	`
	mirrorOf = `
		SELECT event FROM (
			SELECT target_event AS event, at FROM mirror WHERE source_event = $1 AND target_room = $2
			UNION ALL
			SELECT source_event AS event, at FROM mirror WHERE target_event = $1 AND source_room = $2
		) AS found ORDER BY at, event LIMIT 1
	`
	mirrorColumns = `SELECT source_event, source_room, target_event, target_room, conversation, at, kind FROM mirror`
	mirrorsOf     = mirrorColumns + `
		WHERE source_event = $1 OR target_event = $1 ORDER BY at, target_event LIMIT 1
	`
)

// A MirrorKind says how it came that two events stand for each other.
type MirrorKind string

// The kinds of mirrors.
const (
	MirrorCarried MirrorKind = ""       // the target was made of what the source says
	MirrorAdvice  MirrorKind = "advice" // the source is a command, the target what it told the patient
	MirrorAnswer  MirrorKind = "answer" // an answer of the practice's system: the source is shown to staff, the target to the patient
)

// A Mirror says that an event in one room stands for an event in another.
type Mirror struct {
	SourceEvent, SourceRoom string
	TargetEvent, TargetRoom string
	Conversation            string
	At                      time.Time
	Kind                    MirrorKind
}

// AddMirror remembers which event was made for which. Adding it twice is adding it once. Who
// has read it already has now read what it stands for.
func (s *Store) AddMirror(ctx context.Context, m Mirror) error {
	err := s.write(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, addMirror, m.SourceEvent, m.SourceRoom, m.TargetEvent, m.TargetRoom, m.Conversation,
			ms(m.At), m.Kind); err != nil {
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

// MirrorOf is the event in a room that stands for another event, whichever of them was first. What
// repeats an event stands for what that one does.
func (s *Store) MirrorOf(ctx context.Context, event, room string) (string, bool, error) {
	other, found, err := one(ctx, s, scalar[string], mirrorOf, event, room)
	if err == nil && !found {
		other, found, err = s.mirrorOfRepeated(ctx, event, room)
	}
	if err != nil {
		return "", false, fmt.Errorf("find what mirrors event %s: %w", event, err)
	}
	return other, found, nil
}

func (s *Store) mirrorOfRepeated(ctx context.Context, event, room string) (string, bool, error) {
	of, repeats, err := s.Repeats(ctx, event)
	if err != nil || !repeats {
		return "", false, err
	}
	row, known, err := s.LedgerEvent(ctx, of)
	if err != nil || known && row.RoomID == room { // what it repeats was said there
		return of, err == nil, err
	}
	return one(ctx, s, scalar[string], mirrorOf, of, room)
}

// MirrorsOf is the first pair that an event is one of, or else what it repeats, in whatever room the
// other is.
func (s *Store) MirrorsOf(ctx context.Context, event string) (Mirror, bool, error) {
	m, found, err := one(ctx, s, scanMirror, mirrorsOf, event)
	if err == nil && !found {
		var of string
		if of, found, err = s.Repeats(ctx, event); err == nil && found {
			m, found, err = one(ctx, s, scanMirror, mirrorsOf, of)
		}
	}
	if err != nil {
		return Mirror{}, false, fmt.Errorf("find what event %s was carried as: %w", event, err)
	}
	return m, found, nil
}

func scanMirror(row dbutil.Scannable) (m Mirror, err error) {
	var made int64
	err = row.Scan(&m.SourceEvent, &m.SourceRoom, &m.TargetEvent, &m.TargetRoom, &m.Conversation, &made, &m.Kind)
	m.At = at(made)
	return m, err
}
