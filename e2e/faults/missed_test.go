package faults

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/proxy"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// The bridge believes that it has read what was written while it was down, and no transaction
// reaches it: neither way of intake brings it ever. The walk at the start does, once and in order.
func TestWhatTheHomeserverNeverTellsIsFoundByAWalk(t *testing.T) {
	clock := filepath.Join(t.TempDir(), "clock")
	each(t, world.Options{Faults: true, Env: []string{"FAULTPOINT_CLOCK=" + clock}}, func(t *testing.T, s *story.Story) {
		ctx := bounded(t)
		patient, staff := sides(s)
		s.World.Proxy.Make(proxy.Plan{Share: 1, Faults: []proxy.Fault{proxy.CutBefore}, Classes: []proxy.Class{proxy.Transaction}})
		must(t, s.World.Bridge().Stop())
		for _, from := range []side{patient, staff} {
			for n := range 12 {
				speaks(ctx, t, from.who, from.room, fmt.Sprintf("gemist van %s %02d.", from.word, n))
			}
		}
		passOver(ctx, t, s)
		must(t, os.WriteFile(clock, []byte("1h"), 0o600)) // what was just written may be on its way
		defer os.Remove(clock)
		must(t, s.World.Restart(ctx))
		for _, to := range [][2]side{{patient, staff}, {staff, patient}} {
			from, to := to[0], to[1]
			sees(ctx, t, to.who, to.room, fmt.Sprintf("gemist van %s 11.", from.word))
			inHIS(t, s, fmt.Sprintf("gemist van %s 11.", from.word))
			speaks(ctx, t, from.who, from.room, "en nu verder van "+from.word)
			sees(ctx, t, to.who, to.room, "en nu verder van "+from.word)
			var got []string
			for _, e := range to.who.Room(to.room).Messages() {
				if i := strings.Index(e.Body(), "gemist van "+from.word); i >= 0 {
					got = append(got, e.Body()[i:])
					if !strings.Contains(e.Body(), "[te laat ontvangen, gestuurd op ") {
						t.Errorf("%q does not say that it is late", e.Body())
					}
				}
			}
			if len(got) != 12 || !slices.IsSorted(got) {
				t.Errorf("%q, want twelve, each once and in order", got)
			}
		}
	})
}

// passOver has the stopped bridge believe that it has read everything up to now.
func passOver(ctx context.Context, t *testing.T, s *story.Story) {
	t.Helper()
	var now struct {
		NextBatch string `json:"next_batch"`
	}
	must(t, s.Patient.Request(ctx, http.MethodGet, "", "/sync", nil, &now))
	db, err := sql.Open("sqlite3", filepath.Join(filepath.Dir(s.World.ConfigFile()), "spreekkamer.db")+"?_busy_timeout=10000")
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(ctx, "UPDATE bot SET next_batch = ?", now.NextBatch)
	must(t, err)
}
