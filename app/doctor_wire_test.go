package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/store"
)

func TestALookAtTheDatabaseMakesNone(t *testing.T) {
	d, _ := wellPatient(t)
	ctx, uri := context.Background(), string(d.Config.Database.URI)
	require.ErrorIs(t, lookAtDatabase(ctx, d.Config), ErrCannotTell)
	assert.NoFileExists(t, uri)

	key, err := d.Config.MasterKey()
	require.NoError(t, err)
	s, err := store.Open(ctx, store.Options{Kind: store.SQLite, URI: uri, Key: key, Log: zerolog.Nop()})
	require.NoError(t, err)
	require.ErrorIs(t, lookAtDatabase(ctx, d.Config), ErrCannotTell, "a running Spreekkamer holds it")
	require.NoError(t, s.Close())
	require.NoError(t, lookAtDatabase(ctx, d.Config))

	require.NoError(t, os.Remove(d.Config.Secrets.KeyFile))
	require.ErrorContains(t, lookAtDatabase(ctx, d.Config), "does not exist")
	_, err = d.Config.CreateMasterKey()
	require.NoError(t, err)
	require.ErrorIs(t, lookAtDatabase(ctx, d.Config), store.ErrWrongKey)

	d.Config.Database.URIFile = filepath.Join(t.TempDir(), "none")
	require.ErrorContains(t, lookAtDatabase(ctx, d.Config), "database.uri_file")
}

func TestTheHISIsAskedThroughItsConnector(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "linde")
	p := config.Practice{HIS: config.HIS{Type: "folder", Path: dir}}
	require.Error(t, lookAtHIS(context.Background(), p), "the directory does not exist")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, lookAtHIS(context.Background(), p))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left, "a look leaves nothing behind")
	p.HIS.Type = "medicom"
	require.ErrorContains(t, lookAtHIS(context.Background(), p), "medicom")
}

func TestTheDiskHasSpace(t *testing.T) {
	free, err := freeBytes(t.TempDir())
	require.NoError(t, err)
	assert.Positive(t, free)
	_, err = freeBytes(filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
}

func TestHealthIsAskedWhereSpreekkamerListens(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/health", r.URL.Path)
		w.WriteHeader(status)
		_, _ = w.Write([]byte("the database is full\n"))
	}))
	defer server.Close()
	listen := strings.TrimPrefix(server.URL, "http://")
	_, port, _ := strings.Cut(listen, ":")

	for _, address := range []string{listen, "0.0.0.0:" + port, ":" + port, "localhost:" + port} {
		require.NoError(t, CheckHealth(context.Background(), address), address)
	}
	status = http.StatusServiceUnavailable
	require.EqualError(t, CheckHealth(context.Background(), listen), "not well: 503 the database is full")
	require.ErrorContains(t, CheckHealth(context.Background(), "127.0.0.1:1"), "no answer")
	require.ErrorContains(t, CheckHealth(context.Background(), "nowhere"), "listen: ")
}
