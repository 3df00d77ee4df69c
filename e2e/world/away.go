package world

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the bridge's own database
)

// ClosedNow are opening hours of a practice that is closed today, wherever the clock stands.
func ClosedNow() []string {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		amsterdam = time.UTC
	}
	day := time.Now().In(amsterdam).AddDate(0, 0, 3).Weekday() // not tomorrow either: a story may pass midnight
	return []string{[]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}[day] + " 09:00-17:00"}
}

// Away stops the bridge, lets something happen, and starts it as if it had been away for a
// time. Only with SQLite.
func (w *World) Away(ctx context.Context, d time.Duration, meanwhile func() error) error {
	if err := w.bridge.Stop(); err != nil {
		return err
	}
	if err := meanwhile(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", filepath.Join(w.bridgeDir(), "spreekkamer.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `UPDATE bot SET alive_at = alive_at - $1`, d.Milliseconds()); err != nil {
		return fmt.Errorf("age the bridge's last answer: %w", err)
	}
	if err := db.Close(); err != nil {
		return err
	}
	return w.StartBridge(ctx)
}
