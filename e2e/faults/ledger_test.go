package faults

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// The database of a stopped bridge loses every row about what is to be removed. At the start all
// rooms are walked, and what has become too old meanwhile goes as well.
func TestTheLedgerIsLost(t *testing.T) {
	each(t, world.Options{}, func(t *testing.T, s *story.Story) {
		saysCanaries(t, s)
		must(t, s.World.Bridge().Stop())
		lose(t, filepath.Join(filepath.Dir(s.World.ConfigFile()), "spreekkamer.db"))
		must(t, s.World.Restart(t.Context(), "SPREEKKAMER_RETENTION_MESSAGES=1s"))
		all, asked := places(s), 0
		for _, p := range all {
			must(t, p.who.WaitFor(bounded(t), "everything in "+p.name+" to be redacted", func(c *client.Client) bool {
				return !slices.ContainsFunc(c.Room(p.room).Timeline, says)
			}))
		}
		for _, p := range all {
			n, _ := p.readBack(t)
			asked += n
		}
		erased(t, s.World.Home)
		t.Logf("%d events that the ledger had lost read back empty", asked)
	})
}

// lose deletes what the bridge knows about events and files.
func lose(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite3", file+"?_busy_timeout=10000")
	must(t, err)
	defer db.Close()
	for _, table := range []string{"ledger", "media"} {
		result, err := db.ExecContext(t.Context(), "DELETE FROM "+table)
		must(t, err)
		n, err := result.RowsAffected()
		must(t, err)
		t.Logf("%d rows of %s are lost", n, table)
		if n == 0 {
			t.Errorf("there was nothing in %s to lose", table)
		}
	}
}
