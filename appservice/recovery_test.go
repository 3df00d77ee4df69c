package appservice

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecoveryKeyIsWrittenOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recovery.key")
	_, found, err := readRecoveryKey(path)
	require.NoError(t, err)
	assert.False(t, found)

	made, err := createRecoveryKey(path)
	require.NoError(t, err)
	read, found, err := readRecoveryKey(path)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, made, read)
	assert.Len(t, decodeRecoveryKey(read), 32)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	_, err = createRecoveryKey(path)
	assert.ErrorIs(t, err, os.ErrExist, "a key that is there is never replaced")
	again, _, err := readRecoveryKey(path)
	require.NoError(t, err)
	assert.Equal(t, made, again)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no half-written file stays behind")
}

func TestAFileWithoutKeyIsNotTakenForNone(t *testing.T) {
	for name, text := range map[string]string{
		"empty":        "",
		"only remarks": recoveryNote,
		"cut off":      recoveryNote + "EsTb abcd\n",
		"other text":   "hello\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "recovery.key")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, _, err := readRecoveryKey(path)
			assert.ErrorContains(t, err, "backup")
		})
	}
	_, err := createRecoveryKey(filepath.Join(t.TempDir(), "missing", "recovery.key"))
	assert.Error(t, err)
}
