package bridge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leaves puts a file with an answer in the HIS folder and lets it be read. why is the reason that
// is put beside it; "" when it went to the patient.
func (w *world) leaves(text string) (why string) {
	w.Helper()
	dir := filepath.Join(w.his, "antwoorden")
	require.NoError(w, os.MkdirAll(dir, 0o755))
	require.NoError(w, os.WriteFile(filepath.Join(dir, "antwoord.txt"), []byte(text), 0o600))
	w.asks()
	reasons, err := filepath.Glob(filepath.Join(dir, "mislukt", "*.reden.txt"))
	require.NoError(w, err)
	for _, file := range reasons {
		reason, err := os.ReadFile(file)
		require.NoError(w, err)
		why += string(reason)
	}
	return why
}

const (
	notTheirs = "Het patiëntnummer of de geboortedatum die erbij staat, hoort niet bij dit gesprek."
	nobodys   = "Er staat niet bij voor welke patiënt het is"
)

// Somebody mistypes the number of a conversation: the answer is for another patient of the same
// practice. The second line is right for whom it is meant, and so not for who would get it.
func TestAnAnswerInTheFolderReachesNobodyButWhomItNames(t *testing.T) {
	own, child := "Een vraag", "Mijn zoon hoest"
	for _, tt := range []struct{ name, about, line, why string }{
		{"the patient's number", own, "Patiënt: P-4711", ""},
		{"the number in small letters", own, "Patiënt: p-4711", ""},
		{"the day of birth", own, "Geboren: 31-5-1980", ""},
		{"both", own, "Patiënt: P-4711\nGeboren: 31-5-1980", ""},
		{"the day of birth of the child whom it is about", child, "Geboren: 1-2-2020", ""},
		{"the parent's number, about the child", child, "Patiënt: P-4711", ""},
		{"the number of another", own, "Patiënt: P-4712", notTheirs},
		{"a part of the number", own, "Patiënt: 4711", notTheirs},
		{"the day of birth of another", own, "Geboren: 31-5-1981", notTheirs},
		{"the right number with another's day of birth", own, "Patiënt: P-4711\nGeboren: 1-5-1980", notTheirs},
		{"the parent's number with the child's day of birth", child, "Patiënt: P-4711\nGeboren: 1-2-2020", notTheirs},
		{"a child's day of birth in a conversation about the parent", own, "Geboren: 1-2-2020", notTheirs},
		{"nobody", own, "Onderwerp: plek", nobodys},
		{"only white space", own, "Patiënt:  \u200b", nobodys},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.about == own {
				w.talking(anna, own)
			} else {
				w.asksFor()
			}
			why := w.leaves("Gesprek: 1\n" + tt.line + "\nVan: P. Bakker (huisarts)\n\nkanarie\n")
			heard := strings.Count(w.heard(w.consulting(anna)), "kanarie")
			if tt.why == "" {
				assert.Empty(t, why)
				assert.Equal(t, 1, heard)
				return
			}
			assert.Zero(t, heard)
			assert.NotContains(t, w.heard(w.talk(anna)), "kanarie")
			assert.Contains(t, why, tt.why, "who wrote it reads why")
			assert.Contains(t, w.heard(w.balie()), tt.why, "and so does the Balie")
			assert.NotContains(t, w.log.String(), "P-471", "the log has no number of a patient")
		})
	}
}
