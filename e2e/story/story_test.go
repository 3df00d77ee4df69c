package story_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

func TestMain(m *testing.M) {
	code := m.Run()
	world.RemoveBinary()
	os.Exit(code)
}

// The story is told on both homeservers and both databases; once by a patient of another,
// federated homeserver.
func TestTheWholeStory(t *testing.T) {
	for _, told := range []struct {
		name      string
		kind      harness.Kind
		postgres  bool
		federated bool
	}{
		{"on Dendrite with SQLite", harness.Dendrite, false, false},
		{"on Dendrite with PostgreSQL, by a federated patient", harness.Dendrite, true, true},
		{"on Synapse with SQLite", harness.Synapse, false, false},
		{"on Synapse with PostgreSQL", harness.Synapse, true, false},
	} {
		t.Run(told.name, func(t *testing.T) {
			o := world.Options{Kind: told.kind, Patients: 2, Second: told.federated}
			if told.postgres {
				o.Database = database(t)
			}
			w := world.InTest(t, o)
			people := w.Patients
			if told.federated {
				people = w.SecondPatients
			}
			s := &story.Story{World: w, Tell: t.Logf}
			steps := story.All(people[0], people[1])
			if held, err := s.Play(t.Context(), steps); err != nil {
				t.Fatalf("%d of %d steps held: %v\n%s", held, len(steps), err, w.Bridge().LogTail())
			}
		})
	}
}

func database(t *testing.T) string {
	t.Helper()
	pg, err := harness.StartPostgres(t.Context(), filepath.Join(t.TempDir(), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pg.Stop() })
	uri, err := pg.NewDatabase(t.Context(), "spreekkamer")
	if err != nil {
		t.Fatal(err)
	}
	return uri
}
