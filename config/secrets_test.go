package config

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheMasterKeyIsMadeOnceAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	c := Config{Secrets: Secrets{KeyFile: path}}

	_, err := c.MasterKey()
	require.ErrorContains(t, err, "make it with `spreekkamer keys`")

	created, err := c.CreateMasterKey()
	require.NoError(t, err)
	assert.True(t, created)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	first, err := c.MasterKey()
	require.NoError(t, err)
	assert.Len(t, first, KeySize)

	created, err = c.CreateMasterKey()
	require.NoError(t, err)
	assert.False(t, created, "a key that exists is never replaced")
	again, err := c.MasterKey()
	require.NoError(t, err)
	assert.Equal(t, first, again)
}

func TestAKeyInTheSettingsWinsOverTheFile(t *testing.T) {
	key := make([]byte, KeySize)
	key[0] = 7
	c := Config{Secrets: Secrets{Key: Secret(base64.StdEncoding.EncodeToString(key)), KeyFile: "none"}}
	got, err := c.MasterKey()
	require.NoError(t, err)
	assert.Equal(t, key, got)
}

func TestAWrongKeyIsRefusedWithoutRepeatingIt(t *testing.T) {
	path := file(t, "hunter2\n")
	_, err := Config{Secrets: Secrets{KeyFile: path}}.MasterKey()
	require.ErrorContains(t, err, "not 32 bytes")
	assert.NotContains(t, err.Error(), "hunter2")
	_, err = Config{Secrets: Secrets{Key: "hunter2"}}.MasterKey()
	require.ErrorContains(t, err, "secrets.key: not 32 bytes")
	_, err = Config{Secrets: Secrets{KeyFile: t.TempDir()}}.MasterKey()
	require.ErrorContains(t, err, "secrets.key_file: ")
	_, err = Config{Secrets: Secrets{KeyFile: filepath.Join(path, "below")}}.CreateMasterKey()
	require.ErrorContains(t, err, "make the master key")
}

func TestTheDatabaseMayStandInAFile(t *testing.T) {
	uri, err := Config{Database: Database{Type: SQLite, URI: "a.db"}}.DatabaseURI()
	require.NoError(t, err)
	assert.Equal(t, "a.db", uri)

	path := file(t, "postgres://h/d\n")
	uri, err = Config{Database: Database{Type: Postgres, URI: "a.db", URIFile: path}}.DatabaseURI()
	require.NoError(t, err)
	assert.Equal(t, "postgres://h/d", uri)

	_, err = Config{Database: Database{Type: SQLite, URIFile: path}}.DatabaseURI()
	require.ErrorContains(t, err, "database.uri_file: is an address of PostgreSQL")
	_, err = Config{Database: Database{URIFile: path + "x"}}.DatabaseURI()
	require.ErrorContains(t, err, "database.uri_file: ")
}
