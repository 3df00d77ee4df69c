package app

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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

func TestTheDoctorAsksTheScannerWhetherItLooksAtLargeFiles(t *testing.T) {
	for answer, want := range map[string]string{
		"stream: OK":                           "",
		"INSTREAM size limit exceeded. ERROR":  "raise StreamMaxLength",
		"stream: Can't allocate memory. ERROR": "Can't allocate memory",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		go func() {
			for said := range slices.Values([]string{"ClamAV 1.4.6\x00", answer + "\x00"}) {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.ReadFull(conn, make([]byte, len("zVERSION\x00")))
				_, _ = io.WriteString(conn, said)
				_ = conn.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}
		}()
		version, err := askScanner(t.Context(), "tcp:"+l.Addr().String(), 3e6)
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, "ClamAV 1.4.6", version)
		} else {
			assert.ErrorContains(t, err, want)
		}
	}
}
