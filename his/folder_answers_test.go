package his_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

const good = "Gesprek: 1042\nPatiënt: 20417\nVan: P. Bakker (huisarts)\n\nDat is niet erg.\nKom anders langs.\n"

func drop(t testing.TB, dir, name, text string, at time.Time) string {
	t.Helper()
	path := filepath.Join(dir, "antwoorden", name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, os.Chtimes(path, at, at))
	return path
}

func answers(t testing.TB, c his.Connector) []his.Answer {
	t.Helper()
	all, _, err := c.(his.Answerer).Answers(t.Context(), "")
	require.NoError(t, err)
	return all
}

// Each file is one that a HIS, or a person with a text editor, may leave.
func TestAnAnswerIsReadFromAFile(t *testing.T) {
	gp := his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}
	patient := &his.Whose{Number: "20417"}
	born := &his.Whose{Born: time.Date(1980, 3, 2, 0, 0, 0, 0, time.UTC)}
	hello := func(head string) string { return head + "\n\nHoi" }
	for _, tt := range []struct {
		name, text string
		want       his.Answer
	}{
		{"as documented", good, his.Answer{Number: 1042, For: patient, Author: gp, Text: "Dat is niet erg.\nKom anders langs."}},
		{"by an editor on Windows", "\uFEFF" + strings.ReplaceAll(good, "\n", "\r\n"), his.Answer{Number: 1042, For: patient, Author: gp, Text: "Dat is niet erg.\nKom anders langs."}},
		{"in Windows-1252", "gesprek : 7\npati\xebnt:20417\nvan: Ren\xe9e\n\nCrème \xe9n zalf", his.Answer{Number: 7, For: patient, Author: his.Author{Name: "Renée"}, Text: "CrÃ¨me én zalf"}},
		{"by someone who calls himself the patient", hello("Gesprek: 7\nPatient: 20417\nVan: Jan (patient)"), his.Answer{Number: 7, For: patient, Author: his.Author{Name: "Jan"}, Text: "Hoi"}},
		{"with the line of a letter", hello("Gesprek: 7\nPatiënt: Jan de Vries, geboren 2 maart 1980, patiëntnummer 20417, BSN 999990019\nVan: Renée"), his.Answer{Number: 7, For: patient, Author: his.Author{Name: "Renée"}, Text: "Hoi"}},
		{"with a day of birth", hello("Gesprek: 7\nGeboren: 2-3-1980\nVan: Renée"), his.Answer{Number: 7, For: born, Author: his.Author{Name: "Renée"}, Text: "Hoi"}},
		{"with a day of birth in another form", hello("Gesprek: 7\nGeboortedatum: 1980-03-02\nVan: Renée"), his.Answer{Number: 7, For: born, Author: his.Author{Name: "Renée"}, Text: "Hoi"}},
		{"with both", hello("Gesprek: 7\nPatiëntnummer: 20417\nGeboren: 02/03/1980\nVan: Renée"), his.Answer{Number: 7, For: &his.Whose{Number: "20417", Born: born.Born}, Author: his.Author{Name: "Renée"}, Text: "Hoi"}},
		{"without a patient", hello("Gesprek: 7\nVan: Renée"), his.Answer{Number: 7, For: &his.Whose{}, Author: his.Author{Name: "Renée"}, Problem: his.ProblemNoPatient}},
		{"with a day that is none", hello("Gesprek: 7\nPatiënt: 20417\nGeboren: 31-2-1980\nVan: Renée"), his.Answer{Number: 7, For: patient, Author: his.Author{Name: "Renée"}, Problem: his.ProblemBirthDate}},
		{"without a conversation", hello("Patiënt: 20417\nVan: P. Bakker (huisarts)"), his.Answer{For: patient, Author: gp, Problem: his.ProblemNoConversation}},
		{"without a name", hello("Gesprek: 7\nPatiënt: 20417"), his.Answer{Number: 7, For: patient, Problem: his.ProblemNoName}},
		{"without words", "Gesprek: 7\nPatiënt: 20417\nVan: P. Bakker (huisarts)\n\n \n", his.Answer{Number: 7, For: patient, Author: gp, Problem: his.ProblemNoWords}},
		{"of a megabyte", strings.Repeat("x", 1<<20+1), his.Answer{Problem: his.ProblemTooLarge}},
		{"empty", "", his.Answer{For: &his.Whose{}, Problem: his.ProblemNoConversation}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, at := t.TempDir(), time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
			drop(t, dir, "antwoord.txt", tt.text, at)
			got := answers(t, open(t, dir))
			require.Len(t, got, 1)
			assert.True(t, at.Equal(got[0].Written))
			assert.NotEmpty(t, got[0].Reference)
			got[0].ID, got[0].Reference, got[0].Written = tt.want.ID, "", time.Time{}
			assert.Equal(t, tt.want, got[0])
		})
	}
}

func TestOnlyCompleteFilesAreAnswersAndOldestComeFirst(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	c := open(t, dir)
	assert.Empty(t, answers(t, c), "without the directory there are no answers")
	drop(t, dir, "a.txt", good, at.Add(time.Minute))
	drop(t, dir, "b.txt", strings.ReplaceAll(good, "1042", "1043"), at)
	drop(t, dir, "c.tmp", good, at)
	drop(t, dir, ".d.txt", good, at)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "antwoorden", "map.txt"), 0o700))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "antwoorden", "link.txt")))
	got := answers(t, c)
	require.Len(t, got, 2)
	assert.Equal(t, []int64{1043, 1042}, []int64{got[0].Number, got[1].Number})
	assert.Equal(t, got, answers(t, c), "until it is reported an answer comes again, under the same id")
}

// A HIS may give each answer in a conversation the same name, and a GP says the same again.
func TestTheSameWordsAgainAreAnotherAnswer(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	c := open(t, dir)
	seen := map[uuid.UUID]bool{}
	for n := range 3 {
		drop(t, dir, "1042.txt", good, at.Add(time.Duration(n)*time.Hour))
		for range 2 {
			all := answers(t, c)
			require.Len(t, all, 1)
			seen[all[0].ID] = true
		}
		r := his.Report{Reference: answers(t, c)[0].Reference, Delivery: his.DeliveryDelivered, At: at}
		for range 2 {
			require.NoError(t, c.(his.Answerer).Report(t.Context(), r))
		}
		assert.Empty(t, answers(t, c))
	}
	assert.Len(t, seen, 3)
}

// What ended between putting a file away and noting it is made good by the next report.
func TestThatAnAnswerIsOverIsNotedInTheEnd(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	drop(t, dir, "1042.txt", good, at)
	moved := false
	c := his.OpenFaulty(dir, func(step string) error {
		if moved {
			return os.ErrPermission
		}
		moved = step == "rename"
		return nil
	})
	r := his.Report{Reference: answers(t, c)[0].Reference, Delivery: his.DeliveryDelivered, At: at}
	require.Error(t, c.(his.Answerer).Report(t.Context(), r))
	moved = false
	require.NoError(t, open(t, dir).(his.Answerer).Report(t.Context(), r))
	drop(t, dir, "1042.txt", good, at)
	assert.NotEqual(t, r.Reference, answers(t, open(t, dir))[0].Reference)
}

func TestAnExtensionInCapitalsIsTheSame(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	c := open(t, dir)
	drop(t, dir, "ANTWOORD.TXT", good, at)
	all := answers(t, c)
	require.Len(t, all, 1)
	require.NoError(t, c.(his.Answerer).Report(t.Context(), his.Report{Reference: all[0].Reference, Delivery: his.DeliveryDelivered, At: at}))
	assert.Empty(t, answers(t, c))
}

func TestAFileThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	drop(t, dir, "a.txt", good, at)
	drop(t, dir, "0.txt", good+"anders", at)
	opened := 0
	c := his.OpenFaulty(dir, func(step string) error {
		if step == "open" {
			opened++
		}
		if step == "open" && opened%2 == 1 { // each time the first
			return os.ErrPermission
		}
		return nil
	})
	all := answers(t, c)
	require.Len(t, all, 1)
	require.NoError(t, c.(his.Answerer).Report(t.Context(), his.Report{Reference: all[0].Reference, Delivery: his.DeliveryDelivered, At: at}))
	assert.NoFileExists(t, filepath.Join(dir, "antwoorden", "a.txt"))
}

func TestAReportedAnswerIsPutAway(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	c := open(t, dir)
	report := func(a his.Answer, d his.Delivery, why string) {
		t.Helper()
		require.NoError(t, c.(his.Answerer).Report(t.Context(), his.Report{Reference: a.Reference, Delivery: d, At: at, Reason: why}))
	}
	drop(t, dir, "a.txt", good, at)
	drop(t, dir, "b.txt", strings.ReplaceAll(good, "1042", "9"), at.Add(time.Minute))
	sent, lost := answers(t, c)[0], answers(t, c)[1]
	report(sent, his.DeliveryReceived, "")
	assert.Len(t, answers(t, c), 2)
	for range 2 { // telling it twice changes nothing
		report(sent, his.DeliveryDelivered, "")
		report(lost, his.DeliveryFailed, "De patiënt heeft zich afgemeld.")
		assert.Empty(t, answers(t, c))
	}
	names := strings.Join(files(t, filepath.Join(dir, "antwoorden")), " ")
	assert.Regexp(t, `mislukt/b\.[0-9a-f]{12}\.reden\.txt .*mislukt/b\.[0-9a-f]{12}\.txt .*verzonden/a\.[0-9a-f]{12}\.txt$`, names)
}

func TestErrorsAboutAnswersHoldNoNames(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "Jansen 20417.txt", good, time.Now())
	away := unmount(t, dir)
	_, _, err := open(t, dir).(his.Answerer).Answers(t.Context(), "")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "Jansen")
	away()
	c := his.OpenFaulty(dir, func(step string) error {
		if step == "rename" {
			return os.ErrPermission
		}
		return nil
	}).(his.Answerer)
	all := answers(t, c.(his.Connector))
	require.Len(t, all, 1)
	err = c.Report(t.Context(), his.Report{Reference: all[0].Reference, Delivery: his.DeliveryFailed, Reason: "weg"})
	require.ErrorIs(t, err, os.ErrPermission)
	assert.NotContains(t, err.Error(), "Jansen")
	assert.Len(t, answers(t, c.(his.Connector)), 1, "it is still there to be told of")
}

func TestAPatientNumberIsNeverTheDirectoryOfAnswers(t *testing.T) {
	item := histest.Message(1)
	item.Conversation.Patient.Number = "antwoorden"
	dir := t.TempDir()
	c := open(t, dir)
	_, err := c.File(t.Context(), item)
	require.NoError(t, err)
	assert.Empty(t, answers(t, c))
}
