package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.mau.fi/util/dbutil"
)

func TestWhatIsStoredIsThereAfterReopening(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		require.NoError(t, s.SavePerson(t.Context(), anna()))
		require.NoError(t, s.Close())
		got := found[any](t)
		p, ok, err := d.open(t).Person(t.Context(), anna().ID)
		require.Equal(t, anna(), got(p, ok, err))
	})
}

func TestASecondStoreInTheSameProcessIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		first := d.open(t)
		_, err := Open(t.Context(), d.options())
		require.ErrorIs(t, err, ErrInUse)
		require.NoError(t, first.Check(t.Context()), "the first is not disturbed")
		require.NoError(t, first.Close())
		d.open(t)
	})
}

const childVariable = "SPREEKKAMER_STORE_TEST_CHILD"

// openInChild is the main function of a second process; what it prints is the outcome.
func openInChild(where string) int {
	kind, uri, _ := strings.Cut(where, " ")
	_, err := Open(context.Background(), Options{Kind: kind, URI: uri, Key: testKey, Log: zerolog.Nop()})
	switch {
	case errors.Is(err, ErrInUse):
		fmt.Print("in use")
	case err != nil:
		fmt.Print(err)
	default:
		fmt.Print("opened") // and ends without Close, as a crash would
	}
	return 0
}

func TestASecondProcessIsRefusedUntilTheFirstEnds(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		child := func() string {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"="+d.kind+" "+d.uri)
			out, err := cmd.Output()
			require.NoError(t, err)
			return string(out)
		}
		s := d.open(t)
		require.Equal(t, "in use", child())
		require.NoError(t, s.Close())
		require.Equal(t, "opened", child())
		require.Eventually(t, func() bool { // PostgreSQL has to notice that the child is gone
			s, err := Open(t.Context(), d.options())
			return err == nil && s.Close() == nil
		}, waitAtMost, tick)
	})
}

func TestAnotherNameOfTheSameFileIsTheSameDatabase(t *testing.T) {
	d := sqliteDatabase(t)
	d.open(t)
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(d.uri, link))
	_, err := Open(t.Context(), database{SQLite, "file:" + link, ""}.options())
	require.ErrorIs(t, err, ErrInUse)
}

func TestTheWrongKeyIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		require.NoError(t, d.open(t).Close())
		other := d.options()
		other.Key = bytes.Repeat([]byte{8}, keySize)
		_, err := Open(t.Context(), other)
		require.ErrorIs(t, err, ErrWrongKey)
		d.open(t) // the right one still fits, and the claim was given back
	})
}

func TestADamagedKeyCheckIsAWrongKey(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		require.NoError(t, s.setMeta(t.Context(), metaKeyCheck, "no hex"))
		require.NoError(t, s.Close())
		_, err := Open(t.Context(), d.options())
		require.ErrorIs(t, err, ErrWrongKey)
	})
}

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		_, err := s.exec(t.Context(), `UPDATE `+versionTable+` SET version = 99, compat = 99`)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		_, err = Open(t.Context(), d.options())
		require.ErrorIs(t, err, ErrNewer)
		require.ErrorContains(t, err, "v99")
	})
}

func TestADatabaseOfAnotherProgramIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		_, err := s.exec(t.Context(), `UPDATE database_owner SET owner = 'someone else'`)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		_, err = Open(t.Context(), d.options())
		require.ErrorIs(t, err, dbutil.ErrNotOwned)
	})
}

func TestOpeningAgainUpgradesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		require.NoError(t, d.open(t).Close())
		var log bytes.Buffer
		o := d.options()
		o.Log = zerolog.New(&log)
		s, err := Open(t.Context(), o)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		require.Empty(t, log.String())
	})
}

func TestOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options Options
		want    string
	}{
		{"a short key", Options{Kind: SQLite, URI: "x.db", Key: []byte("short")}, "want 32 bytes, got 5"},
		{"an unknown kind", Options{Kind: "oracle", URI: "x", Key: testKey}, `kind "oracle"`},
		{"no path", Options{Kind: SQLite, URI: "file:", Key: testKey}, "want the path of a file"},
		{"a database in memory", Options{Kind: SQLite, URI: ":memory:", Key: testKey}, "want the path of a file"},
		{"options in the URI", Options{Kind: SQLite, URI: "file:x.db?mode=ro", Key: testKey}, "without options"},
		{"a directory that is not there", Options{Kind: SQLite, URI: "/nowhere/at/all.db", Key: testKey}, "claim the database"},
		{"a server that is not there", Options{Kind: Postgres, URI: "postgres://127.0.0.1:1/x?sslmode=disable", Key: testKey}, "connect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Log = zerolog.Nop()
			_, err := Open(t.Context(), tt.options)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAPasswordInTheURIStaysOutOfErrors(t *testing.T) {
	for _, uri := range []string{
		"postgres://user:geheim%zz@127.0.0.1:1/x", "postgres://user:geheim@127.0.0.1:1/x?sslmode=disable",
		"postgres://user:geheim@127.0.0.1:notaport/x", "host=127.0.0.1 password=geheim sslmode='",
	} {
		_, err := Open(t.Context(), Options{Kind: Postgres, URI: uri, Key: testKey, Log: zerolog.Nop()})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "geheim")
	}
}

func TestOnlyTheOwnerCanReadTheFiles(t *testing.T) {
	d := sqliteDatabase(t)
	require.NoError(t, os.WriteFile(d.uri, nil, 0o644), "such as a restored backup")
	s := d.open(t)
	require.NoError(t, s.SavePerson(t.Context(), anna()))
	files, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	require.Len(t, files, 4, "database, log, index of the log, lock")
	for _, file := range files {
		info, err := file.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), file.Name())
	}
}

func TestAPathMayHoldCharactersThatURIsDoNot(t *testing.T) {
	d := sqliteDatabase(t)
	d.uri = filepath.Join(d.dir, "met #1 100% ruimte.db")
	d.open(t)
	_, err := os.Stat(d.uri)
	require.NoError(t, err)
}

func TestSQLiteIsSetUpNotToLoseOrLeakAnything(t *testing.T) {
	s := sqliteDatabase(t).open(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1",
	} {
		var got string
		require.NoError(t, s.db.RawDB.QueryRow("PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got, pragma)
	}
	require.Equal(t, 1, s.db.RawDB.Stats().MaxOpenConnections)
	_, err := s.db.ReadOnlyDB.Exec(`DELETE FROM person`)
	require.Error(t, err, "the pool for reading must not write")
}

func TestThePickleKeyDependsOnTheKeyAndIsNotTheSealingKey(t *testing.T) {
	key := func(b byte) []byte {
		s, err := newStore(Options{Key: bytes.Repeat([]byte{b}, keySize)})
		require.NoError(t, err)
		return s.PickleKey()
	}
	require.Len(t, key(1), keySize)
	require.Equal(t, key(1), key(1))
	require.NotEqual(t, key(1), key(2))
	require.NotEqual(t, key(1), bytes.Repeat([]byte{1}, keySize))
}

func TestCheckFailsOnceClosed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		require.NoError(t, s.Check(t.Context()))
		require.NoError(t, s.Close())
		require.Error(t, s.Check(t.Context()))
	})
}

func TestCompactEmptiesTheWriteAheadLog(t *testing.T) {
	d := sqliteDatabase(t)
	s := d.open(t)
	require.NoError(t, s.SavePerson(t.Context(), anna()))
	require.NotZero(t, size(t, d.uri+"-wal"))
	require.NoError(t, s.Compact(t.Context()))
	require.Zero(t, size(t, d.uri+"-wal"))
}

func TestCompactSaysThatSomebodyIsReading(t *testing.T) {
	s := sqliteDatabase(t).open(t)
	reader, err := s.db.ReadOnlyDB.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	defer reader.Rollback()
	require.NoError(t, reader.QueryRow(`SELECT COUNT(*) FROM person`).Scan(new(int)))
	require.NoError(t, s.SavePerson(t.Context(), anna()))
	_, err = s.db.RawDB.Exec(`PRAGMA busy_timeout = 1`)
	require.NoError(t, err)
	require.ErrorIs(t, s.Compact(t.Context()), ErrBusy)
}

func TestCompactInsideATransactionIsAMistake(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.ErrorContains(t, s.Transact(t.Context(), s.Compact), "not inside a transaction")
	})
}

func TestCompactLeavesPostgresAlone(t *testing.T) {
	require.NoError(t, postgresDatabase(t).open(t).Compact(t.Context()))
}

func size(t *testing.T, path string) int64 {
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}
