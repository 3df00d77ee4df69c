package his_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

func folderConforms(t *testing.T) {
	histest.Run(t, func(t testing.TB) histest.Fixture {
		dir := filepath.Join(t.TempDir(), "his")
		require.NoError(t, os.Mkdir(dir, 0o700))
		return histest.Fixture{
			Connector: open(t, dir),
			Filed:     func(t testing.TB) []histest.Filed { return watch(t, dir) },
			Break:     func(t testing.TB) func() { return unmount(t, dir) },
			Interrupt: func(t testing.TB, item his.Item, step int) (his.Connector, bool) {
				died := crash(t, his.OpenFaulty, dir, item, step)
				return open(t, dir), died
			},
			Streams:  true,
			Answer:   func(t testing.TB, w histest.Written) { answerInFolder(t, dir, w) },
			Reported: func(t testing.TB, a his.Answer) his.Delivery { return putAway(t, dir, a) },
		}
	})
}

var written int // answers so far; the tests of the suite follow each other

func answerInFolder(t testing.TB, dir string, w histest.Written) {
	written++
	c := w.InReplyTo.Conversation
	text := fmt.Sprintf("Gesprek: %d\nPatiënt: %s\nVan: %s (%s)\n\n%s\n", c.Number, c.Patient.Number, w.Author.Name, w.Author.Role, w.Text)
	drop(t, dir, fmt.Sprintf("%04d.txt", written), text, time.Unix(1_780_000_000+int64(written), 0))
}

// putAway finds an answer's words in the directory that says what became of it.
func putAway(t testing.TB, dir string, a his.Answer) his.Delivery {
	for _, path := range files(t, filepath.Join(dir, "antwoorden")) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if strings.Contains(string(text), a.Text) {
			return map[string]his.Delivery{"verzonden": his.DeliveryDelivered, "mislukt": his.DeliveryFailed}[filepath.Base(filepath.Dir(path))]
		}
	}
	return ""
}

func open(t testing.TB, dir string) his.Connector {
	t.Helper()
	c, err := his.Open("folder", his.Settings{Dir: dir})
	require.NoError(t, err)
	return c
}

// unmount takes the folder away, as when a share is not there.
func unmount(t testing.TB, dir string) (mount func()) {
	require.NoError(t, os.Rename(dir, dir+".away"))
	return func() { require.NoError(t, os.Rename(dir+".away", dir)) }
}

// crash files the item until the step; from there on nothing reaches the disk.
func crash(t testing.TB, open func(dir string, fault func(step string) error) his.Connector, dir string, item his.Item, step int) (died bool) {
	t.Helper()
	dead, steps := errors.New("power cut"), 0
	_, err := open(dir, func(string) error {
		if steps++; steps > step {
			return dead
		}
		return nil
	}).File(t.Context(), item)
	if err != nil {
		require.ErrorIs(t, err, dead)
	}
	return err != nil
}

// binaries leaves out the text of a closing.
func (b bundle) binaries(t testing.TB) (all [][]byte) {
	for _, e := range b.Entry {
		if e.Resource["resourceType"] == "Binary" && e.Resource["contentType"] != "text/plain" {
			encoded, _ := e.Resource["data"].(string)
			data, err := base64.StdEncoding.DecodeString(encoded)
			require.NoError(t, err)
			all = append(all, data)
		}
	}
	return all
}

func TestFolderNamesItsFiles(t *testing.T) {
	dir := t.TempDir()
	item := histest.Message(1)
	item.Attachments = []his.Attachment{histest.Photo("Uitslag 1.pdf", []byte("x")), histest.Photo("uitslag 1.PDF", []byte("y"))}
	receipt, err := open(t, dir).File(t.Context(), item)
	require.NoError(t, err)
	base := "0001-" + strings.ReplaceAll(item.ID.String(), "-", "")[:12]
	assert.Equal(t, "1042/"+base+".json", receipt.Reference)
	assert.Equal(t, []string{
		"20417/1042/" + base + "-Uitslag 1.pdf",
		"20417/1042/" + base + "-uitslag 1-2.PDF",
		"20417/1042/" + base + ".json",
		"20417/1042/" + base + ".txt",
	}, relative(t, dir))
}

// Who reads the letters, or a page of them, finds the answer of their own system in its place, and sees why it
// is there. What imports the Bundles does not see it.
func TestFolderCopiesAnAnswerForReadingOnly(t *testing.T) {
	dir := t.TempDir()
	item := histest.Message(2)
	item.Author, item.Text, item.InReplyTo = his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}, "Dat is niet erg.", histest.Message(1).ID
	receipt, err := open(t, dir).(his.Copier).Copy(t.Context(), item)
	require.NoError(t, err)
	name := "0002-" + his.Mark(item.ID) + ".txt"
	assert.Equal(t, "1042/"+name, receipt.Reference)
	bundle := strings.TrimSuffix(name, ".txt") + ".afschrift"
	assert.Equal(t, []string{"20417/1042/" + bundle, "20417/1042/" + name}, relative(t, dir))
	filed, err := os.ReadFile(filepath.Join(dir, "20417", "1042", bundle))
	require.NoError(t, err)
	assert.Contains(t, string(filed), "geschreven in het HIS, en zo gestuurd aan de patiënt; dit is een afschrift")
	text, err := os.ReadFile(filepath.Join(dir, "20417", "1042", name))
	require.NoError(t, err)
	for _, want := range []string{
		"Antwoord van de praktijk\n", "Van:         P. Bakker (huisarts)\n", "nummer 2 in dit gesprek",
		"Herkomst:    geschreven in het HIS, en zo gestuurd aan de patiënt; dit is een afschrift\n", "het bericht met kenmerk " + his.Mark(item.InReplyTo), "Dat is niet erg.",
	} {
		assert.Contains(t, string(text), want)
	}
	item.Conversation.Derde = histest.Child(histest.ChildPatient()) // who did not get it
	dir = t.TempDir()
	_, err = open(t, dir).(his.Copier).Copy(t.Context(), item)
	require.NoError(t, err)
	text, err = os.ReadFile(filepath.Join(dir, "20417", "1042", name))
	require.NoError(t, err)
	assert.Contains(t, string(text), "en zo gestuurd aan Jan de Vries, die over de patiënt schrijft;")
}

func relative(t testing.TB, dir string) (all []string) {
	t.Helper()
	for _, path := range files(t, dir) {
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		all = append(all, name)
	}
	return all
}

func TestFolderIsOnlyForItsOwner(t *testing.T) {
	dir := t.TempDir()
	item := histest.Message(1)
	item.Attachments = []his.Attachment{histest.Photo("foto.jpg", []byte("x"))}
	_, err := open(t, dir).File(t.Context(), item)
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "20417"), func(path string, d fs.DirEntry, err error) error {
		info, _ := d.Info()
		want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]
		assert.Equal(t, want, info.Mode().Perm(), path)
		return err
	}))
}

func TestFolderNeverLeavesItself(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "his")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for n, bad := range histest.Hostile() {
		item := histest.Message(n + 1)
		item.Conversation.Patient.Number = bad
		item.Attachments = []his.Attachment{histest.Photo(bad, []byte(bad))}
		_, err := open(t, dir).File(t.Context(), item)
		require.NoError(t, err, "%q", bad)
	}
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "only the folder itself")
	patients, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, patients, len(histest.Hostile()), "no two patients share a directory")
	for _, path := range relative(t, dir) {
		assert.Equal(t, 2, strings.Count(path, "/"), path)
	}
}

func TestFolderDoesNotFollowALinkOutOfIt(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "20417")))
	_, err := open(t, dir).File(t.Context(), histest.Message(1))
	require.Error(t, err)
	histest.Discreet(t, err, histest.Message(1))
	assert.Empty(t, files(t, outside))
}

func TestFolderFindsAnItemUnderAnotherNumber(t *testing.T) {
	dir := t.TempDir()
	item := histest.Message(1)
	_, err := open(t, dir).File(t.Context(), item)
	require.NoError(t, err)
	item.Seq = 2
	receipt, err := open(t, dir).File(t.Context(), item)
	require.NoError(t, err)
	assert.True(t, receipt.Already)
	assert.Len(t, watch(t, dir), 1)
}

func TestFolderClearsWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	item := histest.Message(1)
	item.Attachments = []his.Attachment{histest.Photo("foto.jpg", []byte("x"))}
	left := 0
	for step := 0; crash(t, his.OpenFaulty, dir, item, step); step++ {
		for _, path := range files(t, dir) {
			if strings.HasSuffix(path, ".part") {
				left++
				assert.True(t, strings.HasPrefix(filepath.Base(path), "."), path)
			}
		}
		_, err := open(t, dir).File(t.Context(), item)
		require.NoError(t, err)
		assert.Len(t, files(t, dir), 3, "after a crash at step %d", step)
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "20417")))
	}
	assert.Positive(t, left, "no crash left anything: this test proves nothing")
}

// A power cut may lose whatever was not made lasting. The order is all there is to see of
// that without cutting the power: each file before its name, all names before the Bundle's.
func TestFolderMakesEverythingLastingBeforeTheBundle(t *testing.T) {
	var steps []string
	c := his.OpenFaulty(t.TempDir(), func(step string) error { steps = append(steps, step); return nil })
	_, err := c.File(t.Context(), histest.Message(1))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"mkdir", "fsync", "mkdir", "fsync", "list",
		"create", "write", "fsync", "rename", "fsync",
		"create", "write", "fsync", "rename", "fsync",
	}, steps)
	steps = nil
	_, err = c.File(t.Context(), histest.Message(1))
	require.NoError(t, err)
	assert.Equal(t, []string{"mkdir", "fsync", "mkdir", "fsync", "list", "fsync"}, steps, "the first answer may have been lost before its last step")
}

// Every step in turn has a full disk, once: unlike after a crash, the rest goes on.
func TestFolderSaysWhatFailedAndNothingAboutAnyone(t *testing.T) {
	item := histest.Message(1)
	item.Attachments = []his.Attachment{histest.Photo("foto.jpg", []byte("x"))}
	for fail := 0; ; fail++ {
		dir, steps := t.TempDir(), 0
		c := his.OpenFaulty(dir, func(step string) error {
			if steps++; steps != fail+1 {
				return nil
			}
			if step == "rename" {
				return &os.LinkError{Op: step, Old: ".part", New: "20417/1042/foto.jpg", Err: syscall.ENOSPC}
			}
			return &fs.PathError{Op: step, Path: "20417/1042/foto.jpg", Err: syscall.ENOSPC}
		})
		_, err := c.File(t.Context(), item)
		if err == nil {
			require.Less(t, steps, fail+1)
			return
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
		assert.NotErrorIs(t, err, his.ErrRefused)
		assert.Contains(t, err.Error(), "file item "+item.ID.String()+" in folder "+dir)
		histest.Discreet(t, err, item)
		for _, path := range files(t, dir) {
			assert.NotContains(t, path, ".part", "step %d: what was not finished is removed at once", fail)
		}
		_, err = c.File(t.Context(), item)
		require.NoError(t, err)
		assert.Len(t, watch(t, dir), 1)
	}
}

func TestFolderIsNeverMadeByUs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "share")
	c := open(t, dir)
	_, err := c.File(t.Context(), histest.Message(1))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotErrorIs(t, err, his.ErrRefused)
	assert.ErrorContains(t, c.Check(t.Context()), dir)
	assert.NoDirExists(t, dir)
}

func TestFolderThatMayNotBeWrittenIsTriedAgain(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err := open(t, dir).File(t.Context(), histest.Message(1))
	require.ErrorIs(t, err, fs.ErrPermission)
	assert.NotErrorIs(t, err, his.ErrRefused)
	histest.Discreet(t, err, histest.Message(1))
	require.ErrorIs(t, open(t, dir).Check(t.Context()), fs.ErrPermission)
	require.NoError(t, os.Chmod(dir, 0o700))
}

func TestFolderCheckSaysWhatIsWrong(t *testing.T) {
	for _, failing := range []string{"create", "write", "fsync", "remove"} {
		t.Run("a folder where "+failing+" fails", func(t *testing.T) {
			dir := t.TempDir()
			err := his.OpenFaulty(dir, func(step string) error {
				if step == failing {
					return syscall.EIO
				}
				return nil
			}).Check(t.Context())
			assert.ErrorIs(t, err, syscall.EIO)
			assert.ErrorContains(t, err, fmt.Sprintf("his folder %s: ", dir))
		})
	}
}
