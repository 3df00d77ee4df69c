package app

import (
	"context"
	"net/http"
	"time"
)

// handler answers the homeserver, and whoever asks for our health. Anyone who can reach
// the address may ask for that: it says nothing about anyone.
func (i *instance) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", i.health)
	mux.HandleFunc("GET /ready", i.isReady)
	i.hooks(mux)
	mux.Handle("/", i.matrix.Handler())
	return mux
}

// health is 200 while the database can be written.
func (i *instance) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := i.store.Check(ctx); err != nil {
		i.log.Err(err).Msg("Health check failed")
		http.Error(w, "the database cannot be written", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// isReady is 200 once the practice's rooms are there and messages are handled.
func (i *instance) isReady(w http.ResponseWriter, _ *http.Request) {
	if !i.ready.Load() {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}
