package histest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
)

// size is 25 MB, the most that a practice lets through.
const size int64 = 25 << 20

func filesBig(t *testing.T, f Fixture) {
	size := cmp.Or(f.Largest, size)
	item := Message(1)
	item.Attachments = append(item.Attachments, Big(size))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file(t, f.Connector, item)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; f.Streams {
		assert.Less(t, used, uint64(4<<20), "bytes of memory for an attachment of %d", size)
	}
	sum := sha256.New()
	_, err := io.CopyN(sum, pattern{}, size)
	require.NoError(t, err)
	attachments := only(t, f).Attachments
	require.Len(t, attachments, 1)
	assert.Equal(t, sum.Sum(nil), attachments[0][:])
}

// Hostile are strings that people or programs may send.
func Hostile() []string {
	return []string{
		"..", "../../etc/passwd", "/etc/passwd", `..\..\windows`, "a/b", "a_b", "A_B", "nul", "NUL.txt", "com1", ".verborgen",
		"-rf", "x\x00y", "x\ny\r\nPatiënt: iemand anders", strings.Repeat("é", 150), strings.Repeat("9", 300),
		"foto\u202Egpj.exe", "x.json", "X.JSON.", "x.json----------------", "x.part", "~", "x~0011223344556677", "a ", "a.",
		"`rm`$(x)", "<b>&\"'", "\xff\xfe", "ب ض", "👩‍⚕️", "%2e%2e%2f", "$event:server", "&identifier=x", "a|b,c",
	}
}

// HostileMessage is a message that has the string everywhere.
func HostileMessage(bad string) his.Item {
	item := Message(1)
	item.Text = bad + "."
	item.Author.Name = bad
	item.Conversation.Patient.Number = bad
	item.Conversation.Patient.FirstName, item.Conversation.Patient.Phone = bad, bad
	item.Conversation.Derde = Child(nil)
	item.Conversation.Derde.Relation, item.Conversation.Derde.StatementURI = bad, bad
	item.Attachments = []his.Attachment{Photo(bad, []byte("x"))}
	item.Attachments[0].ContentType = bad
	return item
}

func survivesHostileStrings(t *testing.T, f Fixture) {
	for n, bad := range Hostile() {
		item := Message(n + 1)
		item.Text = "Tekst: " + bad
		item.Author.Name, item.Author.Role = bad, his.Role(bad)
		item.Attachments = []his.Attachment{Photo(bad, []byte(bad)), Photo(bad, []byte("twee"))}
		item.Attachments[0].ContentType = bad
		c := &item.Conversation
		c.Practice.ID, c.Practice.Name = bad, bad
		c.Patient.Number, c.Patient.FirstName, c.Patient.LastName = bad, bad, bad
		c.Patient.Phone, c.Patient.Email = bad, bad
		c.Derde = Child(nil)
		c.Derde.Name, c.Derde.Relation, c.Derde.StatementVersion, c.Derde.StatementURI = bad, bad, bad, bad
		_, err := f.Connector.File(t.Context(), item)
		require.NoError(t, err, "%q", bad)
	}
	filed := f.Filed(t)
	require.Len(t, filed, len(Hostile()))
	sums := map[[sha256.Size]byte]bool{}
	for _, item := range filed {
		require.Len(t, item.Attachments, 2)
		sums[item.Attachments[0]] = true
	}
	for _, bad := range Hostile() {
		assert.True(t, sums[sha256.Sum256([]byte(bad))], "the attachment called %q", bad)
	}
}

func survivesOutage(t *testing.T, f Fixture) {
	item := Message(1)
	item.Attachments = []his.Attachment{Photo("foto.jpg", []byte("a photo"))}
	repair := f.Break(t)
	_, err := f.Connector.File(t.Context(), item)
	require.Error(t, err)
	assert.NotErrorIs(t, err, his.ErrRefused)
	Discreet(t, err, item)
	repair()
	receipt, tries := tried(t, f.Connector, item)
	if tries == 1 {
		assert.False(t, receipt.Already)
	}
	only(t, f)
}

// tried files as the bridge does: what fails is tried again. A server may still close what the outage left.
func tried(t testing.TB, c his.Connector, item his.Item) (receipt his.Receipt, tries int) {
	t.Helper()
	for err := errors.New("not tried"); err != nil; tries++ {
		require.Less(t, tries, 5, "%v", err)
		receipt, err = c.File(t.Context(), item)
		require.NotErrorIs(t, err, his.ErrRefused)
	}
	return receipt, tries
}

func survivesBrokenAttachment(t *testing.T, f Fixture) {
	later := errors.New("homeserver is away")
	item := Message(1)
	item.Attachments = []his.Attachment{Photo("foto.jpg", []byte("a photo"))}
	open := item.Attachments[0].Open
	item.Attachments[0].Open = func() (io.ReadCloser, error) { return nil, later }
	_, err := f.Connector.File(t.Context(), item)
	require.ErrorIs(t, err, later)
	assert.NotErrorIs(t, err, his.ErrRefused)
	assert.Empty(t, f.Filed(t))
	item.Attachments[0].Open = open
	file(t, f.Connector, item)
	assert.Len(t, only(t, f).Attachments, 1)
}

func refusesShortAttachment(t *testing.T, f Fixture) {
	for _, announced := range []int64{3, 700} {
		item := Message(1)
		item.Attachments = []his.Attachment{Photo("foto.jpg", []byte("a photo"))}
		item.Attachments[0].Size = announced
		_, err := f.Connector.File(t.Context(), item)
		require.Error(t, err)
		assert.NotErrorIs(t, err, his.ErrRefused)
		assert.Empty(t, f.Filed(t))
	}
}

func refusesImpossible(t *testing.T, f Fixture) {
	item := Message(1)
	item.Conversation.Patient.Number = "\x00"
	_, err := f.Connector.File(t.Context(), item)
	require.ErrorIs(t, err, his.ErrRefused)
	Discreet(t, err, item)
	assert.Empty(t, f.Filed(t))
}

func obeysContext(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	item := Message(1)
	item.Attachments = []his.Attachment{Big(size)}
	open := item.Attachments[0].Open
	item.Attachments[0].Open = func() (io.ReadCloser, error) { cancel(); return open() }
	_, err := f.Connector.File(ctx, item)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, f.Filed(t))
}

func survivesCrash(t *testing.T, f Fixture) {
	for step := 0; ; step++ {
		item := Message(step + 1)
		item.Attachments = []his.Attachment{Photo("foto.jpg", []byte("a photo")), Photo("b.pdf", []byte("b"))}
		restarted, died := f.Interrupt(t, item, step)
		file(t, restarted, item)
		filed := f.Filed(t)
		require.Len(t, filed, step+1, "died at step %d", step)
		assert.Len(t, filed[step].Attachments, 2, "died at step %d", step)
		if !died {
			return
		}
	}
}

func checks(t *testing.T, f Fixture) {
	require.NoError(t, f.Connector.Check(t.Context()))
	assert.Empty(t, f.Filed(t), "a check leaves nothing behind")
	repair := f.Break(t)
	assert.Error(t, f.Connector.Check(t.Context()))
	repair()
	assert.NoError(t, f.Connector.Check(t.Context()))
}

// Discreet fails when an error says anything about a person.
func Discreet(t testing.TB, err error, item his.Item) {
	t.Helper()
	c := item.Conversation
	for _, private := range []string{c.Patient.Number, c.Patient.BSN, c.Patient.LastName, item.Author.Name, item.Text} {
		if strings.TrimSpace(private) != "" {
			assert.NotContains(t, err.Error(), private)
		}
	}
	for _, a := range item.Attachments {
		assert.NotContains(t, err.Error(), a.Name)
	}
}
