package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.mau.fi/util/dbutil"

	"github.com/spreekkamer/spreekkamer/internal/faultpoint"
)

const (
	nextInstance = `UPDATE counter SET n = n + 1 WHERE name = 'instance' RETURNING n`
	// lockInstance makes PostgreSQL take transactions one by one, as SQLite does, and tells
	// whether another process has opened the database since.
	lockInstance = `SELECT n FROM counter WHERE name = 'instance' FOR UPDATE`
)

// A txn is what a transaction of ours knows about itself.
type txn struct{ failed error }

type txnKey struct{}

func txnOf(ctx context.Context) *txn {
	t, _ := ctx.Value(txnKey{}).(*txn)
	return t
}

// Transact runs fn in one transaction: all it stores is stored, or nothing. A Transact inside
// another joins it. When anything in it fails — a statement, an inner Transact, a panic —
// nothing is stored, also if fn itself returns nil. Transactions follow each other, on both
// databases; so fn must be quick, and must not touch the network.
func (s *Store) Transact(ctx context.Context, fn func(ctx context.Context) error) error {
	if t := txnOf(ctx); t != nil {
		err := s.guard(ctx, fn)
		if err != nil && t.failed == nil {
			t.failed = err
		}
		return err
	}
	t := &txn{}
	return s.db.DoTxn(context.WithValue(ctx, txnKey{}, t), nil, func(ctx context.Context) error {
		return s.guard(ctx, func(ctx context.Context) error { return s.run(ctx, t, fn) })
	})
}

// run is what a transaction consists of.
func (s *Store) run(ctx context.Context, t *txn, fn func(ctx context.Context) error) error {
	if err := s.fence(ctx); err != nil {
		return err
	}
	if err := fn(ctx); err != nil {
		return err
	}
	if t.failed != nil {
		return fmt.Errorf("transaction: a part of it failed: %w", t.failed)
	}
	faultpoint.Here("before commit")
	return nil
}

// guard turns a panic into an error: dbutil would leave the transaction open. What was
// panicked with may be about a person, so neither error nor log repeat it.
func (s *Store) guard(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		s.log.Error().Str("panic", fmt.Sprintf("%T", cause)).Str("stack", stack()).Msg("Panic in a transaction")
		err = fmt.Errorf("transaction: panic (%T)", cause)
	}()
	return fn(ctx)
}

func stack() string { return string(debug.Stack()) }

// beginInstance makes this opening of the database the current one.
func (s *Store) beginInstance(ctx context.Context) error {
	if err := s.db.QueryRow(ctx, nextInstance).Scan(&s.instance); err != nil {
		return fmt.Errorf("take over the database: %w", err)
	}
	return nil
}

// fence stops a process that lost its claim and does not know: PostgreSQL ends the claim
// with its connection. A file lock lasts as long as the process.
func (s *Store) fence(ctx context.Context) error {
	if s.db.Dialect != dbutil.Postgres || s.instance == 0 {
		return nil
	}
	var current int64
	if err := s.db.QueryRow(ctx, lockInstance).Scan(&current); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if current != s.instance {
		return ErrTakenOver
	}
	return nil
}

// write runs fn in the transaction of ctx, or in one of its own. Unlike with Transact an
// error that fn finds before it changed anything leaves the outer transaction usable.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context) error) error {
	if txnOf(ctx) != nil {
		return fn(ctx)
	}
	return s.Transact(ctx, fn)
}

// exec runs one statement and says how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.write(ctx, func(ctx context.Context) error {
		result, err := s.db.Exec(ctx, query, args...)
		if err != nil {
			return fail(ctx, err)
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// fail remembers that a statement failed: PostgreSQL gives the transaction up then, and
// SQLite must not do otherwise.
func fail(ctx context.Context, err error) error {
	if t := txnOf(ctx); t != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// A scanner reads one row.
type scanner[T any] func(dbutil.Scannable) (T, error)

// one is the row that a query finds, if there is one.
func one[T any](ctx context.Context, s *Store, scan scanner[T], query string, args ...any) (T, bool, error) {
	v, err := scan(s.db.QueryRow(ctx, query, args...))
	if err == nil {
		return v, true, nil
	}
	var none T
	if errors.Is(err, sql.ErrNoRows) {
		return none, false, nil
	}
	return none, false, fail(ctx, err)
}

// list is every row that a query finds.
func list[T any](ctx context.Context, s *Store, scan scanner[T], query string, args ...any) ([]T, error) {
	rows, err := s.db.Query(ctx, query, args...)
	found, err := dbutil.NewRowIterWithError(rows, dbutil.ConvertRowFn[T](scan), err).AsList()
	if err != nil {
		return nil, fail(ctx, err)
	}
	return found, nil
}

// tally reads rows of a state and how many are in it.
func tally[State ~string](ctx context.Context, s *Store, query string) (map[State]int, error) {
	counts := map[State]int{}
	_, err := list(ctx, s, func(row dbutil.Scannable) (state State, err error) {
		var n int
		err = row.Scan(&state, &n)
		counts[state] = n
		return state, err
	}, query)
	return counts, err
}

// scalar reads rows of one column.
func scalar[T any](row dbutil.Scannable) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

// ms is how a time is stored; 0 = none.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is a stored time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
