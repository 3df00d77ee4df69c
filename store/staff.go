package store

import (
	"context"
	"fmt"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"go.mau.fi/util/dbutil"
)

const (
	staffColumns = `SELECT user_id, name, role, practice, source, own_name FROM staff `
	getStaff     = staffColumns + `WHERE user_id = $1 AND removed_at = 0`
	staffOf      = staffColumns + `WHERE practice = $1 AND removed_at = 0 ORDER BY user_id`
	allStaff     = staffColumns + `WHERE removed_at = 0 ORDER BY practice, user_id`
	putStaff     = `
		INSERT INTO staff (user_id, name, role, practice, source, own_name) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (user_id) DO UPDATE SET
			name = excluded.name, role = excluded.role, practice = excluded.practice, source = excluded.source,
			own_name = excluded.own_name, removed_at = 0
	`
	removeStaff = `UPDATE staff SET removed_at = $2, name = $3 WHERE user_id = $1 AND removed_at = 0`
)

// SaveStaff stores a member of staff, also one that was removed before. The name is sealed.
func (s *Store) SaveStaff(ctx context.Context, m care.Member) error {
	name, err := s.seal.close("staff.name", m.UserID, m.Name)
	if err == nil {
		_, err = s.exec(ctx, putStaff, m.UserID, name, m.Role, m.Practice, m.Source, m.OwnName)
	}
	if err != nil {
		return fmt.Errorf("save a member of staff: %w", err)
	}
	return nil
}

// Staff finds a member of staff by Matrix user id; false also for one that was removed.
func (s *Store) Staff(ctx context.Context, user string) (care.Member, bool, error) {
	m, found, err := one(ctx, s, s.scanStaff, getStaff, user)
	if err != nil {
		return care.Member{}, false, fmt.Errorf("get a member of staff: %w", err)
	}
	return m, found, nil
}

// StaffOf is everyone who works at a practice ("" = any).
func (s *Store) StaffOf(ctx context.Context, practice string) ([]care.Member, error) {
	query, args := allStaff, []any(nil)
	if practice != "" {
		query, args = staffOf, []any{practice}
	}
	members, err := list(ctx, s, s.scanStaff, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list the staff of %s: %w", practice, err)
	}
	return members, nil
}

// RemoveStaff ends the rights of a member of staff; the name goes, that there was one stays.
func (s *Store) RemoveStaff(ctx context.Context, user string, now time.Time) error {
	nameless, err := s.seal.close("staff.name", user, "")
	if err != nil {
		return fmt.Errorf("remove a member of staff: %w", err)
	}
	return s.change(ctx, "remove a member of staff", removeStaff, user, ms(now), nameless)
}

func (s *Store) scanStaff(row dbutil.Scannable) (m care.Member, err error) {
	var name []byte
	if err = row.Scan(&m.UserID, &name, &m.Role, &m.Practice, &m.Source, &m.OwnName); err != nil {
		return care.Member{}, err
	}
	return m, s.seal.open("staff.name", m.UserID, name, &m.Name)
}
