package world

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func put(t *testing.T, text string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

// inFolder are the texts of the files in a directory.
func inFolder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all[filepath.Base(file)] = string(text)
	}
	return all
}

func TestTheBundlesOfEveryPatientAreLeftAndNothingElse(t *testing.T) {
	folder, to := t.TempDir(), filepath.Join(t.TempDir(), "bundles", "story")
	put(t, "one", folder, "P-1", "1001", "0001-aa.json")
	put(t, "a letter", folder, "P-1", "1001", "0001-aa.txt")
	put(t, "another patient", folder, "P-2", "1002", "0001-aa.json")
	put(t, "an answer", folder, "antwoorden", "x.txt")
	require.NoError(t, copyBundles(folder, to))
	assert.Equal(t, map[string]string{"00000-0001-aa.json": "one", "00001-0001-aa.json": "another patient"}, inFolder(t, to))
}

func TestARunReplacesWhatTheOneBeforeLeft(t *testing.T) {
	to := filepath.Join(t.TempDir(), "story")
	for _, said := range []string{"of yesterday", "of today"} {
		folder := t.TempDir()
		put(t, said, folder, "P-1", "1001", said+".json")
		require.NoError(t, copyBundles(folder, to))
	}
	assert.Equal(t, map[string]string{"00000-of today.json": "of today"}, inFolder(t, to))
	require.NoError(t, copyBundles(t.TempDir(), to))
	assert.NoDirExists(t, to, "nothing was filed this time")
}

func TestAWorldWithoutANameLeavesNothing(t *testing.T) {
	w := &World{HIS: filepath.Join(t.TempDir(), "\x00")} // could not be read
	assert.NoError(t, w.Stop())
}

func TestWhatCannotBeLeftIsAnErrorOfTheEnd(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "P-1", "1001", "0001-aa.json"), 0o700)) // no file
	assert.ErrorContains(t, copyBundles(folder, filepath.Join(t.TempDir(), "story")), "leave a Bundle")
}

func TestTheNameOfATestIsThatOfOneFolder(t *testing.T) {
	assert.Equal(t, "story-TestTheDesk-on_Synapse", folderName("story/TestTheDesk/on Synapse"))
}
