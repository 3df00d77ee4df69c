package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// claimClass and claimKey are the numbers of our advisory lock; PostgreSQL counts them per
// database.
const claimClass, claimKey = 1397772357, 1

const (
	tryClaim  = `SELECT pg_try_advisory_lock($1, $2)`
	giveClaim = `SELECT pg_advisory_unlock($1, $2)`
	// giveLimit is how long giving the claim back may take when the server hangs.
	giveLimit = 5 * time.Second
)

// A hold is our claim on the database: an advisory lock of PostgreSQL, on a connection that is
// kept for nothing else. When that connection breaks the lock is gone; then fence keeps us from
// writing as soon as another process has taken over.
type hold struct {
	pool *sql.DB
	mu   sync.Mutex
	conn *sql.Conn
}

// take claims the database; ErrInUse when another process has it.
func (h *hold) take(ctx context.Context) error {
	conn, err := h.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	var claimed bool
	if err := conn.QueryRowContext(ctx, tryClaim, claimClass, claimKey).Scan(&claimed); err != nil {
		return errors.Join(fmt.Errorf("claim the database: %w", err), conn.Close())
	}
	if !claimed {
		return errors.Join(ErrInUse, conn.Close())
	}
	h.conn = conn
	return nil
}

// keep looks whether the claim holds, and takes it again where the server was restarted meanwhile.
// That nobody had the database in between is for ours to say: fence.
func (h *hold) keep(ctx context.Context, ours func(context.Context) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn != nil && h.conn.PingContext(ctx) == nil {
		return nil
	}
	h.close()
	switch err := h.take(ctx); {
	case errors.Is(err, ErrInUse):
		return ErrTakenOver
	case err != nil:
		return err
	}
	if err := ours(ctx); err != nil {
		h.close()
		return err
	}
	return nil
}

func (h *hold) close() {
	if h.conn != nil {
		h.conn.Close()
		h.conn = nil
	}
}

// drop lets another process have the database, from the moment it returns. The server would give
// the lock back when it sees that the connection has gone, which can be a moment later: too late
// for who is started again at once.
func (h *hold) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), giveLimit)
	defer cancel()
	_, _ = h.conn.ExecContext(ctx, giveClaim, claimClass, claimKey) // a broken connection holds nothing
	h.close()
}
