package store

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

const (
	waitAtMost = 10 * time.Second
	tick       = 5 * time.Millisecond
)

var errTest = errors.New("as the test wants")

func TestATransactionIsStoredAsAWhole(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			if err := s.Count(ctx, "a", 1); err != nil {
				return err
			}
			return s.Count(ctx, "b", 1)
		})
		require.NoError(t, err)
		requireCounts(t, s, 1, 1)
	})
}

func TestNothingIsStoredWhenATransactionFails(t *testing.T) {
	// Each of these fails after it has counted a and b.
	for name, end := range map[string]func(ctx context.Context, s *Store) error{
		"by an error": func(context.Context, *Store) error { return errTest },
		"by a panic":  func(context.Context, *Store) error { panic(errTest) },
		"by a statement whose error is swallowed": func(ctx context.Context, s *Store) error {
			_, _ = s.exec(ctx, `INSERT INTO count (name) VALUES ('no number')`)
			return nil
		},
		"by a query whose error is swallowed": func(ctx context.Context, s *Store) error {
			_, _, _ = one(ctx, s, scalar[int], `SELECT no_such_column FROM count`)
			return nil
		},
		"by a list whose error is swallowed": func(ctx context.Context, s *Store) error {
			_, _ = list(ctx, s, scalar[int], `SELECT no_such_column FROM count`)
			return nil
		},
		"by an inner transaction whose error is swallowed": func(ctx context.Context, s *Store) error {
			_ = s.Transact(ctx, func(context.Context) error { return errTest })
			return nil
		},
		"by an inner transaction whose panic is swallowed": func(ctx context.Context, s *Store) error {
			_ = s.Transact(ctx, func(context.Context) error { panic("somewhere deep") })
			return nil
		},
		"by a context that ends": func(ctx context.Context, _ *Store) error {
			ctx.Value(cancelKey{}).(context.CancelFunc)()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ctx = context.WithValue(ctx, cancelKey{}, cancel)
				err := s.Transact(ctx, func(ctx context.Context) error {
					require.NoError(t, s.Count(ctx, "a", 1))
					require.NoError(t, s.Transact(ctx, func(ctx context.Context) error { return s.Count(ctx, "b", 1) }))
					return end(ctx, s)
				})
				require.Error(t, err)
				requireCounts(t, s, 0, 0)
				require.NoError(t, s.Count(t.Context(), "a", 1), "the connection is usable again")
			})
		})
	}
}

type cancelKey struct{}

func requireCounts(t *testing.T, s *Store, a, b int64) {
	t.Helper()
	require.Equal(t, a, must[int64](t)(s.CountOf(t.Context(), "a")))
	require.Equal(t, b, must[int64](t)(s.CountOf(t.Context(), "b")))
}

func TestAnErrorOfTheCallerPassesUnchanged(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.Transact(t.Context(), func(context.Context) error { return errTest })
		require.Equal(t, errTest, err)
	})
}

func TestAPanicIsLoggedWithoutWhatItSays(t *testing.T) {
	d := sqliteDatabase(t)
	var log bytes.Buffer
	o := d.options()
	o.Log = zerolog.New(&log)
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	defer s.Close()
	err = s.Transact(t.Context(), func(context.Context) error { panic("Annabel Zeldenrust") })
	require.ErrorContains(t, err, "panic (string)")
	require.NotContains(t, err.Error(), "Annabel")
	require.NotContains(t, log.String(), "Annabel")
	require.Contains(t, log.String(), "TestAPanicIsLoggedWithoutWhatItSays", "the stack says where")
}

func TestReadingInATransactionSeesWhatItWrote(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.Count(ctx, "a", 5))
			require.Equal(t, int64(5), must[int64](t)(s.CountOf(ctx, "a")))
			return nil
		})
		require.NoError(t, err)
	})
}

func TestReadingWithoutTheTransactionInItsGoroutineIsAMistakeThatTestsFind(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.Transact(t.Context(), func(context.Context) error {
			_, err := s.CountOf(t.Context(), "a")
			return err
		})
		require.ErrorContains(t, err, "panic")
	})
}

func TestReadersDoNotWaitForATransactionAndDoNotSeeIt(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.Transact(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.Count(ctx, "a", 1))
			elsewhere(func() { requireCounts(t, s, 0, 0) })
			return nil
		})
		require.NoError(t, err)
		requireCounts(t, s, 1, 0)
	})
}

// elsewhere runs f in another goroutine, to its end.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func TestTransactionsFollowEachOther(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const writers, turns = 8, 25
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				for range turns {
					if err := readThenWrite(t.Context(), s); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		require.Equal(t, int64(writers*turns), must[int64](t)(s.CountOf(t.Context(), "a")), "no update was lost")
	})
}

// readThenWrite loses an update unless transactions follow each other.
func readThenWrite(ctx context.Context, s *Store) error {
	return s.Transact(ctx, func(ctx context.Context) error {
		n, err := s.CountOf(ctx, "a")
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO count (name, n) VALUES ('a', $1) ON CONFLICT (name) DO UPDATE SET n = excluded.n`, n+1)
		return err
	})
}

// breakClaim ends the connection that holds the claim, as a restart of PostgreSQL does.
func breakClaim(t *testing.T, s *Store) {
	t.Helper()
	_, err := s.db.RawDB.Exec(`
		SELECT pg_terminate_backend(pid) FROM pg_locks
		WHERE locktype = 'advisory' AND classid = $1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
	`, claimClass)
	require.NoError(t, err)
}

// After a restart of PostgreSQL a process that nobody replaced is well again, and still alone.
func TestALostClaimIsTakenAgain(t *testing.T) {
	d := postgresDatabase(t)
	s := d.open(t)
	breakClaim(t, s)
	require.Eventually(t, func() bool { return s.Check(t.Context()) == nil }, waitAtMost, tick)
	_, err := Open(t.Context(), d.options())
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, s.Close())
	require.NoError(t, d.open(t).Close(), "and it is given back")
}

func TestAProcessThatLostItsClaimCannotWriteAnyMore(t *testing.T) {
	d := postgresDatabase(t)
	old := d.open(t)
	require.NoError(t, old.Count(t.Context(), "a", 1))
	breakClaim(t, old)
	var successor *Store
	require.Eventually(t, func() (opened bool) {
		var err error
		successor, err = Open(t.Context(), d.options())
		return err == nil
	}, waitAtMost, tick)
	defer successor.Close()

	require.ErrorIs(t, old.Count(t.Context(), "a", 1), ErrTakenOver)
	require.ErrorIs(t, old.Check(t.Context()), ErrTakenOver)
	require.NoError(t, successor.Count(t.Context(), "a", 1))
	require.Equal(t, int64(2), must[int64](t)(successor.CountOf(t.Context(), "a")))
	require.NoError(t, successor.Close())
	require.ErrorIs(t, old.Check(t.Context()), ErrTakenOver, "another had the database in between")
}

func TestTimesAreStoredInMillisecondsAndNoneIsNone(t *testing.T) {
	require.Zero(t, ms(time.Time{}))
	require.True(t, at(0).IsZero())
	amsterdam := time.FixedZone("CEST", 2*60*60)
	in := time.Date(2026, 7, 1, 14, 0, 0, 123456789, amsterdam)
	require.Equal(t, time.Date(2026, 7, 1, 12, 0, 0, 123000000, time.UTC), at(ms(in)))
}
