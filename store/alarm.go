package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

// practiceOf is the practice that answers for a room: its own, else its patient's.
const practiceOf = ` COALESCE(NULLIF(room.practice, ''), person.practice, '') `

const ofRoom = `
	LEFT JOIN room ON room.room_id = t.room_id LEFT JOIN person ON person.id = room.person AND person.id <> ''
`

// fromOutbox and perConversation are around what is looked for of what waits for other systems.
const (
	fromOutbox      = ` FROM outbox o JOIN conversation c ON c.id = o.conversation `
	perConversation = ` GROUP BY c.practice, c.number ORDER BY c.practice, c.number`
	conversations   = `SELECT c.practice, CAST(c.number AS TEXT), 1, MIN(o.created_at)` + fromOutbox
)

const (
	unfiled = `SELECT c.practice, CAST(c.number AS TEXT), COUNT(*), MIN(o.created_at)` + fromOutbox + `
		WHERE o.state IN ('queued', 'failed') AND o.created_at <= $1 AND o.lane NOT IN ('', $2) AND o.kind LIKE 'file%'` + perConversation
	unaccepted = conversations + `
		WHERE o.state = 'queued' AND o.error <> '' AND o.created_at <= $1 AND o.lane NOT IN ('', $2) AND o.kind LIKE 'file%'` + perConversation
	unclosed = conversations + `
		WHERE o.state = 'queued' AND o.created_at <= $1 AND o.lane = $2 AND c.state = 'open' AND o.kind <> 'file.answer'` + perConversation
	unremoved = `
		SELECT` + practiceOf + `, '', COUNT(*), MIN(t.due_at) FROM ledger t` + ofRoom + `
		WHERE t.state = 'failed' AND t.attempt >= $1 GROUP BY 1
		UNION ALL
		SELECT` + practiceOf + `, '', COUNT(*), MIN(t.due_at) FROM media t` + ofRoom + `
		WHERE t.state = 'failed' AND t.attempt >= $1 GROUP BY 1
	`
	stuckTurns = `
		SELECT` + practiceOf + `, COALESCE(person.id, ''), 1, t.received_at FROM inbox t` + ofRoom + `
		WHERE t.head AND (t.error = '` + TurnFailed + `' AND t.attempt >= $1
			OR t.error = '` + TurnAway + `' AND t.attempt >= $2 AND t.received_at <= $3)
		ORDER BY t.received_at
	`
	lostGaps = `
		SELECT` + practiceOf + `, COALESCE(person.id, ''), 1, t.lost_at FROM room t` + ofRoom + `
		WHERE t.lost_at > 0 AND t.lost_at > $1 AND t.left_at = 0 AND t.kind <> 'contact' ORDER BY t.lost_at
	`
	getAlarm = `SELECT told_at, size FROM alarm WHERE kind = $1 AND practice = $2`
	putAlarm = `
		INSERT INTO alarm (kind, practice, told_at, size) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, practice) DO UPDATE SET told_at = excluded.told_at, size = excluded.size
	`
)

// Trouble is what keeps going wrong in a practice.
type Trouble struct {
	Practice string // "" = it cannot be told which
	Count    int
	Since    time.Time // of the oldest: when it was said, had to be gone or came in
	About    []string  // numbers of conversations, or ids of persons; as the query has it
}

// Unfiled is what waits since a time to be filed in other systems than Matrix, or was refused; what is
// kept in a lane that nobody works in does not count. About has the numbers of the conversations.
func (s *Store) Unfiled(ctx context.Context, since time.Time, kept string) ([]Trouble, error) {
	return s.troubles(ctx, "list what is not filed", unfiled, ms(since), kept)
}

// Unaccepted are the conversations of which something was tried in vain, since a time, for other systems
// than Matrix and what is kept. About has their numbers.
func (s *Store) Unaccepted(ctx context.Context, since time.Time, kept string) ([]Trouble, error) {
	return s.troubles(ctx, "list what no system takes", unaccepted, ms(since), kept)
}

// Unclosed are the open conversations of which something is kept since a time until they are closed; what
// came from the system does not count. About has their numbers.
func (s *Store) Unclosed(ctx context.Context, since time.Time, kept string) ([]Trouble, error) {
	return s.troubles(ctx, "list what is kept until it is closed", unclosed, ms(since), kept)
}

// Unremoved is what could not be removed or erased so many times.
func (s *Store) Unremoved(ctx context.Context, attempts int) ([]Trouble, error) {
	return s.troubles(ctx, "list what cannot be removed", unremoved, attempts)
}

// StuckTurns are turns that failed so many times, or whose event could not be fetched since a time;
// About has the ids of the persons.
func (s *Store) StuckTurns(ctx context.Context, attempts int, since time.Time) ([]Trouble, error) {
	return s.troubles(ctx, "list turns that are stuck", stuckTurns, attempts, mostPassing, ms(since))
}

// LostGaps are the rooms of which, since a time, it turned out that a part will never be read;
// About has the ids of the persons.
func (s *Store) LostGaps(ctx context.Context, since time.Time) ([]Trouble, error) {
	return s.troubles(ctx, "list what could not be read", lostGaps, ms(since))
}

// troubles adds up the rows of each practice.
func (s *Store) troubles(ctx context.Context, what, query string, args ...any) (all []Trouble, err error) {
	rows, err := list(ctx, s, func(row dbutil.Scannable) (t Trouble, err error) {
		var about string
		var since int64
		err = row.Scan(&t.Practice, &about, &t.Count, &since)
		if t.Since = at(since); about != "" {
			t.About = []string{about}
		}
		return t, err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	place := map[string]int{}
	for _, row := range rows {
		i, known := place[row.Practice]
		if !known {
			place[row.Practice] = len(all)
			all = append(all, row)
			continue
		}
		t := &all[i]
		t.Count += row.Count
		t.About = append(t.About, row.About...)
		if row.Since.Before(t.Since) {
			t.Since = row.Since
		}
	}
	return all, nil
}

// An Alarm is what staff of a practice were told.
type Alarm struct {
	Kind, Practice string
	ToldAt         time.Time // zero: never
	Size           int       // how many things it was about
}

// Alarm is what staff of a practice were told last about a kind of trouble.
func (s *Store) Alarm(ctx context.Context, kind, practice string) (Alarm, error) {
	a, _, err := one(ctx, s, func(row dbutil.Scannable) (a Alarm, err error) {
		var told int64
		err = row.Scan(&told, &a.Size)
		a.ToldAt = at(told)
		return a, err
	}, getAlarm, kind, practice)
	if err != nil {
		return a, fmt.Errorf("get alarm %s of practice %s: %w", kind, practice, err)
	}
	a.Kind, a.Practice = kind, practice
	return a, nil
}

// SaveAlarm remembers what staff were told.
func (s *Store) SaveAlarm(ctx context.Context, a Alarm) error {
	if _, err := s.exec(ctx, putAlarm, a.Kind, a.Practice, ms(a.ToldAt), a.Size); err != nil {
		return fmt.Errorf("save alarm %s of practice %s: %w", a.Kind, a.Practice, err)
	}
	return nil
}
