package texts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzChoice types anything at a question with options: it never means an option that is not
// there, and spaces, dots and capitals around it change nothing.
func FuzzChoice(f *testing.F) {
	for _, seed := range []string{
		"", "1", "2.", "optie 3", "３", "1️⃣", "ja", "JA!", "jа", "ja?", "ja\u0301", "nee, dank u", "\u200b1", "1 2", "001", "-1", "+1",
		"9999999999999999999", "\xff", "\x00", "ﷺ", strings.Repeat("ja ", 400), "İ", "ﬁ", "intrekken", "stop", "help",
	} {
		f.Add(seed, "Ja", "Nee, liever niet")
		f.Add(seed, seed, seed)
	}
	catalog, err := Load()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, typed, label, synonym string) {
		options := []Option{{Label: label}, {Label: "Nee", Also: []string{synonym}}, {Label: "Anders"}}
		n := Choice(options, typed)
		require.True(t, n >= 0 && n <= len(options), "%q means %d", typed, n)
		require.Equal(t, n, Choice(options, "  "+typed+" . "))
		if word := catalog.Word(typed); word != "" {
			require.Equal(t, word, catalog.Word(" "+typed+"\n"))
		}
		require.LessOrEqual(t, ButtonNumber(typed), 9)
	})
}
