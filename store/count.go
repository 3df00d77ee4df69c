package store

import (
	"context"
	"fmt"
)

const (
	addCount = `
		INSERT INTO count (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = count.n + excluded.n
	`
	getCount = `SELECT n FROM count WHERE name = $1`
)

// Count adds to a figure that is kept for ever and is about no one.
func (s *Store) Count(ctx context.Context, name string, delta int64) error {
	if _, err := s.exec(ctx, addCount, name, delta); err != nil {
		return fmt.Errorf("count %s: %w", name, err)
	}
	return nil
}

// CountOf is such a figure; 0 when it was never counted.
func (s *Store) CountOf(ctx context.Context, name string) (int64, error) {
	n, _, err := one(ctx, s, scalar[int64], getCount, name)
	if err != nil {
		return 0, fmt.Errorf("get the count of %s: %w", name, err)
	}
	return n, nil
}
