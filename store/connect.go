package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/lib/pq"
	"go.mau.fi/util/dbutil"
	_ "go.mau.fi/util/dbutil/litestream" // registers sqlite3-fk-wal-fullsync
)

const (
	sqliteDriver   = "sqlite3-fk-wal-fullsync" // write-ahead log, synced at every commit
	postgresDriver = "postgres"
	ownerName      = "spreekkamer"
	versionTable   = "spreekkamer_version"

	// postgresConns bounds what the pool opens; turns and deliveries together are fewer.
	postgresConns = 32
	idleConns     = 4
)

// connect opens the connections and claims the database.
func (s *Store) connect(ctx context.Context, o Options) error {
	switch o.Kind {
	case SQLite:
		return s.connectSQLite(o.URI)
	case Postgres:
		return s.connectPostgres(ctx, o.URI)
	}
	return fmt.Errorf("database of kind %q: want %s or %s", o.Kind, SQLite, Postgres)
}

// use makes a pool the one that transactions run on.
func (s *Store) use(pool *sql.DB, driver string) error {
	db, err := dbutil.NewWithDB(pool, driver)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	db.Owner, db.VersionTable, db.IgnoreForeignTables = ownerName, versionTable, false
	db.Log = quietLog{s.log}
	s.db = db
	return nil
}

// connectSQLite opens a file that only we may read, with one connection that writes, so that
// writers queue up in order, and any number that read.
func (s *Store) connectSQLite(uri string) error {
	path, err := sqlitePath(uri)
	if err != nil {
		return err
	}
	if err := s.claimFile(path); err != nil {
		return err
	}
	writing, reading, err := sqlitePools(path)
	if err == nil {
		err = s.use(writing, sqliteDriver)
	}
	if err != nil {
		s.release()
		return err
	}
	s.db.ReadOnlyDB = reading
	s.db.LoggingDB.UnderlyingExecable = split{reading: reading, writing: writing}
	return nil
}

// sqlitePath is the file that a URI names. Options in the URI are not taken: ours matter.
func sqlitePath(uri string) (string, error) {
	path, options, _ := strings.Cut(strings.TrimPrefix(uri, "file:"), "?")
	if path == "" || strings.HasPrefix(path, ":memory:") || options != "" {
		return "", errors.New("open database: want the path of a file, without options")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("open database: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // two names of one file share one lock
	}
	return path, nil
}

// statements lets each connection keep what it has prepared: there are some two hundred queries,
// each of which comes with every message.
const statements = "&_stmt_cache_size=256"

func sqlitePools(path string) (writing, reading *sql.DB, err error) {
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	if writing, err = sql.Open(sqliteDriver, file+"?_txlock=immediate&_secure_delete=on"+statements); err != nil {
		return nil, nil, fmt.Errorf("open database: %w", err)
	}
	writing.SetMaxOpenConns(1)
	if reading, err = sql.Open(sqliteDriver, file+"?_query_only=true"+statements); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open database for reading: %w", err), writing.Close())
	}
	// No upper bound: mautrix's crypto store waits for a lock while it holds a reading
	// connection, and its holder may want one too.
	reading.SetMaxIdleConns(idleConns)
	return writing, reading, nil
}

// claimFile makes the database file ours alone: its mode, and a lock that ends with the
// process.
func (s *Store) claimFile(path string) error {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("claim the database: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return fmt.Errorf("%s: %w", path, ErrInUse)
	}
	s.release = func() { lock.Close() }
	s.held = func(context.Context) error { return nil } // a file lock cannot get lost
	if err := ownerOnly(path); err != nil {
		s.release()
		return err
	}
	return nil
}

// ownerOnly makes the file before SQLite does; what SQLite puts beside it gets its mode.
func ownerOnly(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer file.Close()
	if err := file.Chmod(0o600); err != nil {
		return fmt.Errorf("keep the database from others: %w", err)
	}
	return nil
}

func (s *Store) connectPostgres(ctx context.Context, uri string) error {
	connector, err := pq.NewConnector(uri)
	if err != nil {
		return errors.New("open database: the URI cannot be read") // the cause may show the password
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(idleConns)
	if err := s.use(pool, postgresDriver); err != nil {
		return err
	}
	h := &hold{pool: pool}
	if err := h.take(ctx); err != nil {
		return errors.Join(err, pool.Close())
	}
	s.release = h.drop
	s.held = func(ctx context.Context) error { return h.keep(ctx, s.fence) }
	return nil
}

// A split sends what only reads to one pool and everything else to another. It serves
// statements outside of transactions; so no reader, however long it keeps its rows, holds
// up those who write.
type split struct{ reading, writing *sql.DB }

func (p split) pool(query string) *sql.DB {
	const verb = "SELECT"
	query = strings.TrimSpace(query)
	if len(query) >= len(verb) && strings.EqualFold(query[:len(verb)], verb) {
		return p.reading
	}
	return p.writing
}

// ExecContext runs a statement that has no rows; it writes.
func (p split) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return p.writing.ExecContext(ctx, query, args...)
}

// QueryContext runs a statement that has rows.
func (p split) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.pool(query).QueryContext(ctx, query, args...)
}

// QueryRowContext runs a statement that has at most one row.
func (p split) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.pool(query).QueryRowContext(ctx, query, args...)
}
