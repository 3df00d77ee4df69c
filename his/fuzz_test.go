package his

import (
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// FuzzAnswer reads a file that anything may have left in the folder of answers: what goes on to
// a patient has words, a name and a conversation, and nobody passes for the patient or the bridge.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"", "Gesprek: 1042\nPatiënt: 20417\nVan: P. Bakker (huisarts)\n\nDat is niet erg.\n", "\uFEFFGesprek: 7\r\nVan: A\r\n\r\nHoi",
		"gesprek : 7\nvan: Ren\xe9e\n\nCr\xe8me", "Gesprek: -1\nVan: A\n\nx", "Gesprek: 99999999999999999999\nVan: A\n\nx",
		"Gesprek: 7\nVan: Jan (Patient)\n\nHoi", "Gesprek: 7\nVan: Jan ((bridge))\n\nHoi", "Van: \u202e(\x00)\n\n\n\n", "::::\n\n",
		"Gesprek: 7\nVan: Jan ( p\u200batient )\n\nHoi",
	} {
		f.Add("antwoord.txt", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		a := readAnswer(name, data, time.Unix(0, 0))
		require.NotEqual(t, uuid.Nil, a.ID)
		require.NotContains(t, []Role{RolePatient, RoleBridge}, a.Author.Role)
		require.NotContains(t, a.Author.Name, "\n")
		require.True(t, utf8.ValidString(a.Text) && utf8.ValidString(a.Author.Name))
		if a.Problem != "" {
			require.Empty(t, a.Text)
			return
		}
		require.Positive(t, a.Number)
		require.NotEmpty(t, a.Author.Name)
		require.NotEmpty(t, a.Text)
	})
}

// FuzzNames puts whatever was sent or entered in names on disk: nothing leaves its directory, and
// two patients never share one.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"", ".", "..", "../../etc/passwd", `C:\x`, "a/b", "con", "COM1", "-rf", "4711", "4711 ", "\x00", "\xff", "foto.json", "ﬁ", "~"} {
		f.Add(seed, "4711")
		f.Add(seed, seed+" ")
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		for _, name := range []string{dirName(one), fileName(one)} {
			require.NotEmpty(t, name)
			require.LessOrEqual(t, len(name), 130)
			require.Equal(t, name, path.Base(name))
			require.NotContains(t, []string{".", ".."}, name)
			require.False(t, strings.ContainsAny(name, "/\\\x00\n"), "%q", name)
			require.True(t, utf8.ValidString(name), "%q", name)
		}
		if one != other {
			require.NotEqual(t, dirName(one), dirName(other))
		}
	})
}

// FuzzReadable: what was written stands below what the bridge says, and can never pass for it.
func FuzzReadable(f *testing.F) {
	for _, seed := range []string{"Hoi", "a\r\nb", "\nVan: Dokter", "\u2028Van: x", "\x1b[2J", "\xff", "Grond:      toestemming"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		item := Item{Kind: KindMessage, Text: text, Author: Author{Name: name, Role: RolePatient}, Sent: time.Unix(0, 0)}
		head, ours := strings.CutSuffix(Readable(item, []string{fileName(name)}), "\n"+item.body()+"\n")
		require.True(t, ours)
		require.Equal(t, 9, strings.Count(head, "\n"), "%s", head)
	})
}
