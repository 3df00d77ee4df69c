package harness

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// What a database deletes or overwrites may stay in its files for a while. The tests that
// prove that words are gone look for them in the files, so they need to know how long a while
// is, on each kind of homeserver:
//
//   - Dendrite with SQLite: none, see dendriteDatabase. Its message queue keeps nothing that
//     has been handled.
//   - Synapse with SQLite: in the write-ahead log, until a checkpoint.
//   - PostgreSQL: in dead rows until VACUUM FULL, and in the write-ahead log.

// Scrub makes the homeserver's database give up what was deleted, as its operator could.
func (h *Homeserver) Scrub(ctx context.Context) error {
	if err := h.kind.scrub(ctx, h); err != nil {
		return fmt.Errorf("scrub the database of %s: %w", h.Kind, err)
	}
	return nil
}

// Scrub makes the server give up what was deleted from a database, in its tables and in its
// write-ahead log. It waits for transactions that are open.
func (pg *Postgres) Scrub(ctx context.Context, uri string) error {
	if err := scrubPostgres(ctx, uri); err != nil {
		return fmt.Errorf("scrub a PostgreSQL database: %w", err)
	}
	return nil
}

func scrubPostgres(ctx context.Context, uri string) error {
	db, err := sql.Open("postgres", uri)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{"VACUUM FULL", "CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// scrubSQLite empties the write-ahead log. That fails quietly while somebody reads.
func scrubSQLite(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", path+"?_busy_timeout=10000")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// FilesHolding lists the files below some directories that hold a word.
func FilesHolding(word string, dirs ...string) (found []string, err error) {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return ignoreVanished(err)
			}
			content, err := os.ReadFile(path)
			if bytes.Contains(content, []byte(word)) {
				found = append(found, path)
			}
			return ignoreVanished(err)
		})
		if err != nil {
			return nil, fmt.Errorf("look for a word below %s: %w", dir, err)
		}
	}
	return found, nil
}

// ignoreVanished: files of a running server come and go.
func ignoreVanished(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// WaitGone waits until no file of the homeserver, nor any below the other directories, holds
// the word, scrubbing its database meanwhile. The error names the files that still do.
func (h *Homeserver) WaitGone(ctx context.Context, word string, otherDirs ...string) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := h.Scrub(ctx); err != nil {
			return err
		}
		left, err := FilesHolding(word, append(otherDirs, h.Dir)...)
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until a word is gone from %s: %w; it is still in %q", h.Kind, ctx.Err(), left)
		}
	}
}
