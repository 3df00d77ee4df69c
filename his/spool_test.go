package his_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

func openSpool(t testing.TB, dir string) his.Connector {
	t.Helper()
	c, err := his.Open("medvri", his.Settings{Dir: dir, Edifact: his.Edifact{Sender: "500001234", Receiver: "500005678"}})
	require.NoError(t, err)
	return c
}

func medvriConforms(t *testing.T) {
	histest.Run(t, func(t testing.TB) histest.Fixture {
		dir := filepath.Join(t.TempDir(), "spool")
		require.NoError(t, os.Mkdir(dir, 0o700))
		return histest.Fixture{
			Connector: openSpool(t, dir),
			Filed:     func(t testing.TB) []histest.Filed { return receive(t, dir) },
			Break:     func(t testing.TB) func() { return unmount(t, dir) },
			Interrupt: func(t testing.TB, item his.Item, step int) (his.Connector, bool) {
				died := crash(t, his.OpenFaultySpool, dir, item, step)
				return openSpool(t, dir), died
			},
			Streams: true,
		}
	})
}

// receive is a HIS that reads what lies in the spool.
func receive(t testing.TB, dir string) (filed []histest.Filed) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.edi"))
	require.NoError(t, err)
	for _, path := range paths {
		m := readEdifact(t, path)
		item := histest.Filed{ID: idOf(t, dir, m.ref), Record: strings.Join(m.text, "\n") + "\n" + strings.Join(m.text, " "), Subject: m.bsn}
		attachments, err := filepath.Glob(filepath.Join(dir, "bijlagen", m.ref+"-*"))
		require.NoError(t, err)
		for _, a := range attachments {
			data, err := os.ReadFile(a)
			require.NoError(t, err)
			item.Attachments = append(item.Attachments, sha256.Sum256(data))
		}
		filed = append(filed, item)
	}
	return mark(filed)
}

// idOf finds which item has the reference.
func idOf(t testing.TB, dir, ref string) uuid.UUID {
	t.Helper()
	notes, err := filepath.Glob(filepath.Join(dir, ".gedaan", "*"))
	require.NoError(t, err)
	for _, note := range notes {
		text, err := os.ReadFile(note)
		require.NoError(t, err)
		if strings.TrimSpace(string(text)) == ref {
			return uuid.MustParse(filepath.Base(note))
		}
	}
	require.Fail(t, "no item has this reference", ref)
	return uuid.Nil
}

type message struct {
	ref, bsn string
	segments []string
	text     []string
}

// readEdifact is written from the standard, not from our writer: ? releases what follows.
func readEdifact(t testing.TB, path string) (m message) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var element strings.Builder
	var elements []string
	released := false
	for _, b := range data {
		switch {
		case released:
			element.WriteByte(b)
			released = false
			continue
		case b == '?':
			released = true
			continue
		case b == '\r' || b == '\n':
			continue
		}
		assert.True(t, b >= ' ' && b <= '~', "byte %x", b)
		switch b {
		case '+':
			elements = append(elements, element.String())
			element.Reset()
		case '\'':
			elements = append(elements, element.String())
			element.Reset()
			m.take(t, elements)
			elements = nil
		default:
			element.WriteByte(b)
		}
	}
	require.False(t, released)
	return m
}

func (m *message) take(t testing.TB, elements []string) {
	t.Helper()
	m.segments = append(m.segments, elements[0])
	switch tag, _, _ := strings.Cut(elements[0], ":"); tag {
	case "UNH":
		m.ref = elements[1]
		assert.Equal(t, "MEDVRI:1", elements[2])
	case "PID":
		m.bsn = elements[5]
	case "TXT":
		assert.LessOrEqual(t, len(elements[1]), 70)
		m.text = append(m.text, elements[1])
	case "UNT":
		assert.Equal(t, []string{"UNT", strconv.Itoa(len(m.segments) - 1), m.ref}, elements, "it counts its segments")
	case "UNZ":
		assert.Equal(t, []string{"UNZ", "1", m.ref}, elements)
	}
}

func TestAMessageIsWhatTheSkeletonSays(t *testing.T) {
	dir := t.TempDir()
	item := histest.Message(1)
	item.Text = "Kost dit €5? Ja: 'tof' + café 👋"
	_, err := openSpool(t, dir).File(t.Context(), item)
	require.NoError(t, err)
	paths, err := filepath.Glob(filepath.Join(dir, "*.edi"))
	require.NoError(t, err)
	require.Len(t, paths, 1)
	text, err := os.ReadFile(paths[0])
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\r\n")
	assert.Regexp(t, `^UNB\+UNOA:1\+500001234\+500005678\+260601:1113\+[A-Z2-7]{14}'$`, lines[0])
	assert.Regexp(t, `^UNH\+[A-Z2-7]{14}\+MEDVRI:1'$`, lines[1])
	assert.Equal(t, "GGA+01054321:Huisartsenpraktijk De Linde'", lines[2])
	assert.Equal(t, "DET+26:06:01+11:13'", lines[3])
	assert.Equal(t, "PID+1980:03:02++de Vries:Jan++999990019'", lines[4])
	assert.Contains(t, string(text), "+Kost dit EUR5?? Ja?: ?'tof?' ?+ cafe ??'")
	assert.Regexp(t, `/20260601091300-000001042-0001-[A-Z2-7]{14}\.edi$`, paths[0])
}

func TestWhatWasTakenAwayIsNotHandedOverAgain(t *testing.T) {
	dir := t.TempDir()
	c := openSpool(t, dir)
	item := histest.Message(1)
	first := fileIn(t, c, item)
	paths, err := filepath.Glob(filepath.Join(dir, "*.edi"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(paths[0])) // a mail agent took it
	again := fileIn(t, openSpool(t, dir), item)
	assert.True(t, again.Already)
	assert.Equal(t, first.Reference, again.Reference)
	paths, err = filepath.Glob(filepath.Join(dir, "*.edi"))
	require.NoError(t, err)
	assert.Empty(t, paths)
}

func TestASpoolNeedsAddressesAndAPath(t *testing.T) {
	for _, s := range []his.Settings{{Dir: "relative", Edifact: his.Edifact{Sender: "a", Receiver: "b"}}, {Dir: "/x"}} {
		_, err := his.Open("medvri", s)
		require.Error(t, err)
	}
}
