package store

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/stretchr/testify/require"
	"go.mau.fi/util/dbutil"
)

// noon is the time of all tests that need only one.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var testKey = bytes.Repeat([]byte{7}, keySize)

// TestMain runs the tests with one PostgreSQL, started by the first test that wants it, or
// plays the second process of TestASecondProcessIsRefused.
func TestMain(m *testing.M) {
	if child := os.Getenv(childVariable); child != "" {
		os.Exit(openInChild(child))
	}
	dbutil.ForceDeadlockDetection = true
	code := m.Run()
	if postgres.server != nil {
		if err := postgres.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.RemoveAll(postgres.server.Dir)
	}
	os.Exit(code)
}

// postgres is the server of this test process.
var postgres struct {
	once      sync.Once
	server    *harness.Postgres
	err       error
	databases int
	used      []database // empty again
}

func startPostgres() {
	dir, err := os.MkdirTemp("", "store-postgres-")
	if err == nil {
		postgres.server, err = harness.StartPostgres(context.Background(), dir)
	}
	postgres.err = err
}

// A database is where a test opens its store, once or again.
type database struct {
	kind string
	uri  string
	dir  string // where its files are; of PostgreSQL those of the whole server
}

func sqliteDatabase(t *testing.T) database {
	dir := t.TempDir()
	return database{SQLite, filepath.Join(dir, "spreekkamer.db"), dir}
}

func postgresDatabase(t *testing.T) database {
	postgres.once.Do(startPostgres)
	require.NoError(t, postgres.err, "PostgreSQL does not start: run e2e/tools/install.sh")
	postgres.databases++
	name := fmt.Sprintf("test%d", postgres.databases)
	uri, err := postgres.server.NewDatabase(t.Context(), name)
	require.NoError(t, err)
	return database{Postgres, uri, postgres.server.Dir}
}

// options are those of a test: a fixed clock, and no log.
func (d database) options() Options {
	return Options{Kind: d.kind, URI: d.uri, Key: testKey, Log: zerolog.Nop(), Now: func() time.Time { return noon }}
}

func (d database) open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), d.options())
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() }) // closed already in tests that open it again
	return s
}

// eachDatabase runs a test on every kind of database.
func eachDatabase(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	t.Run(SQLite, func(t *testing.T) { test(t, sqliteDatabase(t)) })
	t.Run(Postgres, func(t *testing.T) { test(t, postgresDatabase(t)) })
}

// each runs a test on an empty store of every kind. It may be one that another test has used:
// making a database takes PostgreSQL longer than most tests.
func each(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	t.Run(SQLite, func(t *testing.T) { test(t, sqliteDatabase(t).open(t)) })
	t.Run(Postgres, func(t *testing.T) {
		d, used := usedDatabase()
		if !used {
			d = postgresDatabase(t)
		}
		s := d.open(t)
		test(t, s)
		reset(t, s)
		postgres.used = append(postgres.used, d) // not after a failure, so that it can be looked at
	})
}

func usedDatabase() (d database, found bool) {
	if n := len(postgres.used); n > 0 {
		d, postgres.used = postgres.used[n-1], postgres.used[:n-1]
		return d, true
	}
	return database{}, false
}

// notRows are the tables that say what the database is.
var notRows = []string{"meta", "counter", versionTable, "database_owner"}

// tables are those of our own.
func tables(ctx context.Context, t require.TestingT, s *Store) []string {
	query := `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name`
	if s.db.Dialect == dbutil.SQLite {
		query = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	}
	return must[[]string](t)(list(ctx, s, scalar[string], query))
}

// reset empties a store.
func reset(t require.TestingT, s *Store) {
	err := s.Transact(context.Background(), func(ctx context.Context) error {
		for _, table := range tables(ctx, t, s) {
			if slices.Contains(notRows, table) {
				continue
			}
			if _, err := s.exec(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
		_, err := s.exec(ctx, `UPDATE counter SET n = 0 WHERE name <> 'instance'`)
		return err
	})
	require.NoError(t, err)
}

// must is the value of a call that does not fail.
func must[T any](t require.TestingT) func(T, error) T {
	return func(v T, err error) T {
		require.NoError(t, err)
		return v
	}
}

// found is the value of a call that finds something.
func found[T any](t *testing.T) func(T, bool, error) T {
	return func(v T, ok bool, err error) T {
		t.Helper()
		require.NoError(t, err)
		require.True(t, ok, "nothing found")
		return v
	}
}

// missing checks that a call finds nothing.
func missing[T any](t *testing.T) func(T, bool, error) {
	return func(v T, ok bool, err error) {
		t.Helper()
		require.NoError(t, err)
		require.False(t, ok, "found %v", v)
	}
}

const testBot = "@bot:test"

// withBot saves the bot, which Keep needs.
func withBot(t *testing.T, s *Store) {
	t.Helper()
	require.NoError(t, s.SaveBot(t.Context(), Bot{UserID: testBot, DeviceID: "DEVICE", Token: "token"}))
}

// anna is an account with everything filled in.
func anna() care.Person {
	return care.Person{
		ID: "person-anna", UserID: "@anna:test", Language: "nl", State: care.Registering, Question: care.AskPhone,
		Misses: 1, Correcting: true, Current: "conversation-anna", Key: "master", NewKey: "other", Left: true, CreatedAt: noon, ChangedAt: noon.Add(time.Minute),
		Answers: care.Answers{
			FirstName: "Annabel", LastName: "Zeldenrust", Phone: "+31612345678", Email: "annabel@zeldenrust.example",
			BirthDate: care.Date{Year: 1980, Month: 5, Day: 31}, Practice: "zuid", OptIn: true,
		},
		Identity: care.Identity{PatientNumber: "P-4711", BSN: "123456782"},
		Draft: care.Derde{
			Name: "Kwebbel Zeldenrust", BirthDate: care.Date{Year: 2015, Month: 2, Day: 28}, Relation: "child",
		},
	}
}
