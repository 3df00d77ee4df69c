package world

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
)

// InTest starts a world for a test, under its name and by default in a directory of its own, and
// ends it with the test.
func InTest(t testing.TB, o Options) *World {
	t.Helper()
	here, err := os.Getwd() // the package of the test
	if err != nil {
		t.Fatal(err)
	}
	o.Name, o.Dir = filepath.Base(here)+"/"+t.Name(), cmp.Or(o.Dir, t.TempDir())
	w, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})
	return w
}
