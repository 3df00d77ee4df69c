package world

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// InTest starts a world for a test, under its name and by default in a directory of its own, and
// ends it with the test. The test fails when the race detector found something in the bridge, which
// has it with `make races`.
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
		if found := races(w.LogFile()); found != "" {
			t.Error(found)
		}
	})
	return w
}

// races is what the race detector wrote into a log, from the first race on; "" = nothing.
func races(path string) string {
	log, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // no bridge was started
		return ""
	case err != nil:
		return err.Error()
	}
	from := bytes.Index(log, []byte("WARNING: DATA RACE"))
	if from < 0 {
		return ""
	}
	return string(log[from:min(len(log), from+8_000)])
}
