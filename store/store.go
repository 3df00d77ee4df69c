// Package store keeps everything the bridge must remember, in SQLite or PostgreSQL. All SQL
// of Spreekkamer is here, one file per table, one SQL text for both databases.
//
// Start reading at store.go (Open) and transact.go (one transaction per turn). What came in
// is in keep.go and inbox.go, what has to go out in outbox.go and claim.go, and what must be
// gone one day in ledger.go and media.go.
//
// What people wrote is kept out: rows hold event ids, states and times. What they said about
// themselves (names, birth dates, numbers) is in sealed columns only; seal.go is the one
// place that can open them. Errors and logs of this package name our own ids, room ids and
// event ids, never a user, a name or a query's arguments.
//
// The context carries the transaction: every method works inside Transact and outside.
// Times are values handed in; they are stored as milliseconds in UTC.
package store

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
)

// The kinds of databases.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// keySize is the length of Options.Key in bytes.
const keySize = 32

// What can be wrong with a database as a whole.
var (
	ErrInUse     = errors.New("another Spreekkamer uses this database")
	ErrTakenOver = errors.New("another Spreekkamer has taken over this database: stop")
	ErrWrongKey  = errors.New("the sealing key does not fit this database")
	ErrNewer     = errors.New("a newer version of Spreekkamer has used this database: install that version or restore a backup")
	ErrBusy      = errors.New("the database is being read: try again later")
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options say which database to open.
type Options struct {
	Kind string // SQLite or Postgres
	URI  string // SQLite: a path, or file:PATH; PostgreSQL: as libpq takes it
	Key  []byte // 32 bytes, from outside the database; everything sealed needs it
	Log  zerolog.Logger
	Now  func() time.Time // nil: time.Now
}

// A Store is the bridge's database.
type Store struct {
	db       *dbutil.Database
	log      zerolog.Logger
	now      func() time.Time
	seal     sealer
	pickle   []byte
	instance int64  // which opening of the database this is; see fence
	release  func() // lets go of the claim on the whole database
	held     func(context.Context) error
}

// Open connects to a database, claims it for this process alone, brings its schema up to
// date and checks that the key fits. The errors above say what to do.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := newStore(o)
	if err != nil {
		return nil, err
	}
	if err := s.connect(ctx, o); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.upgrade, s.checkKey, s.beginInstance} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// newStore derives the keys; nothing is opened yet.
func newStore(o Options) (*Store, error) {
	if len(o.Key) != keySize {
		return nil, fmt.Errorf("sealing key: want %d bytes, got %d", keySize, len(o.Key))
	}
	s := &Store{log: o.Log, now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	sealKey, err := hkdf.Key(sha256.New, o.Key, nil, "seal", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive the sealing key: %w", err)
	}
	if s.pickle, err = hkdf.Key(sha256.New, o.Key, nil, "pickle", keySize); err != nil {
		return nil, fmt.Errorf("derive the pickle key: %w", err)
	}
	s.seal, err = newSealer(sealKey)
	return s, err
}

// upgrade brings the schema up to date. The claim on the database is held already, so no
// two processes upgrade at once.
func (s *Store) upgrade(ctx context.Context) error {
	s.db.UpgradeTable = dbutil.BuildUpgradeTable().WithFSPath(migrations, "migrations").Finish()
	err := s.db.Upgrade(ctx)
	if errors.Is(err, dbutil.ErrUnsupportedDatabaseVersion) {
		return fmt.Errorf("%w (%w)", ErrNewer, err)
	}
	if err != nil {
		return fmt.Errorf("upgrade the database: %w", err)
	}
	return nil
}

// DB is the database for mautrix's crypto store and state store, and for nothing else. They
// must not be used inside Transact: the crypto store waits for a lock of its own there.
func (s *Store) DB() *dbutil.Database { return s.db }

// PickleKey is what the crypto store's pickles are encrypted with.
func (s *Store) PickleKey() []byte { return s.pickle }

// Close closes the database and lets another process use it.
func (s *Store) Close() error {
	err := s.db.Close()
	s.release()
	if err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// Check says whether the database can be written to and is still ours.
func (s *Store) Check(ctx context.Context) error {
	if err := s.held(ctx); err != nil {
		return fmt.Errorf("check the claim on the database: %w", err)
	}
	if err := s.setMeta(ctx, metaChecked, s.now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("check that the database can be written to: %w", err)
	}
	return nil
}

const checkpoint = `PRAGMA wal_checkpoint(TRUNCATE)`

// Compact removes from the disk what was deleted before: on SQLite it moves the write-ahead
// log into the database, where deleted bytes are zeroed, and truncates it. ErrBusy means
// that somebody was reading. On PostgreSQL that is the server's own business (VACUUM). It is
// nothing for inside Transact.
func (s *Store) Compact(ctx context.Context) error {
	if txnOf(ctx) != nil {
		return errors.New("truncate the write-ahead log: not inside a transaction")
	}
	if s.db.Dialect != dbutil.SQLite {
		return nil
	}
	var busy, pages, moved int
	if err := s.db.RawDB.QueryRowContext(ctx, checkpoint).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("truncate the write-ahead log: %w", err)
	}
	if busy != 0 {
		return fmt.Errorf("truncate the write-ahead log: %w", ErrBusy)
	}
	return nil
}
