package harness

import (
	"testing"
	"time"
)

func start(t *testing.T, opts Options) *Homeserver {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	began := time.Now()
	h, err := StartHomeserver(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s started in %v", h.Kind, time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func TestSmoke(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			h := start(t, Options{Kind: kind})
			id, err := h.CreateUser(t.Context(), "anna", "secret-anna", false)
			t.Log(id, err)
			t.Log(h.MakeAdmin(t.Context(), id))
			h.Stop()
			t.Log(h.Start(t.Context()))
		})
	}
	b := time.Now()
	pg, err := StartPostgres(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Log("postgres", time.Since(b))
	uri, err := pg.NewDatabase(t.Context(), "synapse-1")
	t.Log(uri, err)
	start(t, Options{Kind: Synapse, PostgresURI: uri})
	b = time.Now()
	t.Log(pg.Restart(t.Context()), time.Since(b))
	pg.Stop()
}
