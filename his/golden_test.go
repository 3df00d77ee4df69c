package his_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

var update = flag.Bool("update", false, "write the golden files")

// Two files hold a whole Bundle and a whole text to look at. go test ./his -update writes them.
func TestGolden(t *testing.T) {
	defer his.Is("v1.2.3")()
	item := histest.Message(7)
	item.Text = "Sanne heeft <39,5> koorts & vlekken.\nMoeten wij komen?"
	item.InReplyTo = histest.Message(6).ID
	item.Conversation.Derde = histest.Child(histest.ChildPatient())
	item.Attachments = []his.Attachment{histest.Photo("vlekken.jpg", []byte("a photo"))}
	text, _ := write(t, item)
	golden(t, "child.json", text)
	golden(t, "child.txt", []byte(his.Readable(item, his.AttachmentNames(item))))
}

func golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}
