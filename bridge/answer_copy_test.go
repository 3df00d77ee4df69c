package bridge

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/his"
)

// lettersByName are those of the patient's conversations in the folder, by their file names.
func (w *world) lettersByName() map[string]string {
	w.Helper()
	paths, err := filepath.Glob(filepath.Join(w.his, "*", "*", "[0-9]*.txt"))
	require.NoError(w, err)
	all := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(w, err)
		all[filepath.Base(path)] = string(text)
	}
	return all
}

// numbers are those of the letters.
func (w *world) numbers() (all []string) {
	for name := range w.lettersByName() {
		number, _, _ := strings.Cut(name, "-")
		all = append(all, number)
	}
	return all
}

// writesInHIS puts an answer in the folder.
func (w *world) writesInHIS(words string) {
	w.Helper()
	dir := filepath.Join(w.his, "antwoorden")
	require.NoError(w, os.MkdirAll(dir, 0o755))
	text := "Gesprek: 1\nPatiënt: P-4711\nVan: P. Bakker (huisarts)\n\n" + words + "\n"
	require.NoError(w, os.WriteFile(filepath.Join(dir, "antwoord.txt"), []byte(text), 0o600))
	w.asks()
}

// Who reads the letters of a conversation finds every number, and the answer of the HIS in its place.
func TestAnAnswerOfTheHISHasALetterInItsPlace(t *testing.T) {
	w := newWorld(t)
	consulting, talk := w.talking(anna, "Een vraag")
	w.writesInHIS("Smeer het in.")
	w.asks()
	w.writes(anna, consulting, "Dank u")
	assert.ElementsMatch(t, []string{"0001", "0002", "0003"}, w.numbers())
	copied := 0
	for name, text := range w.lettersByName() {
		if strings.Contains(text, "Smeer het in.") {
			copied++
			assert.True(t, strings.HasPrefix(name, "0002-"), name)
			assert.Regexp(t, `(?s)^Antwoord van de praktijk\n.*Van: +P\. Bakker \(huisarts\)\n.*Herkomst: +geschreven in het HIS`, text)
			assert.NotContains(t, w.filed("*.json"), strings.TrimSuffix(name, ".txt")+".json", "the HIS has it: it is not given as another message")
		}
	}
	assert.Equal(t, 1, copied)
	w.writes(fatima, talk, "!samenvatting Zalf.")
	w.writes(fatima, talk, "!sluiten")
	assert.ElementsMatch(t, []string{"0001", "0002", "0003", "0005"}, w.numbers())
	for name, text := range w.lettersByName() {
		if strings.HasPrefix(name, "0005-") {
			assert.Contains(t, text, "Alleen hier: nummer 4 van dit gesprek; zonder eigen brief\n")
			assert.Equal(t, 1, strings.Count(text, "Smeer het in."))
			assert.Regexp(t, `P\. Bakker \(huisarts\), .*:\n    Smeer het in\.`, text)
			assert.NotContains(t, text, "niet geantwoord")
		}
	}
	assert.Empty(t, w.refusedNow())
	w.writesInHIS("Nog iets.")
	assert.Contains(t, w.numbers(), "0006", "after the end, too")
}

// What has left the chat is pointed to as somebody of the practice's, not as the patient's.
func TestACopiedAnswerThatLeftTheChatIsNotThePatients(t *testing.T) {
	w := newWorld(t)
	_, talk := w.talking(anna, "Een vraag")
	w.writesInHIS("Smeer het in.")
	copied := ""
	for name := range w.lettersByName() {
		if strings.HasPrefix(name, "0002-") {
			copied = strings.TrimSuffix(strings.TrimPrefix(name, "0002-"), ".txt")
		}
	}
	w.passes(2 * trafficLog)
	w.sweeps()
	require.NoError(t, w.tidy(t.Context()))
	w.writes(fatima, talk, "!sluiten")
	for name, text := range w.lettersByName() {
		if strings.HasPrefix(name, "0003-") {
			assert.Regexp(t, `medewerker \(doktersassistent\), .*:\n    \(Dit bericht staat niet meer in de chat\. .*`+copied, text)
			return
		}
	}
	assert.Fail(t, "there is no document")
}

func TestTheDocumentSaysWhatEndedAConversation(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(w *world, h *talkingHIS, consulting, talk id.RoomID)
		want his.Ending
		by   string
	}{
		"staff":        {func(w *world, _ *talkingHIS, _, talk id.RoomID) { w.writes(fatima, talk, "!sluiten") }, "", "Fatima"},
		"the patient":  {func(w *world, _ *talkingHIS, consulting, _ id.RoomID) { w.writes(anna, consulting, "intrekken") }, his.EndingWithdrawn, ""},
		"someone else": {func(w *world, _ *talkingHIS, _, talk id.RoomID) { w.writes(fatima, talk, "!derde") }, his.EndingAnother, "Fatima"},
		"in the system": {func(w *world, h *talkingHIS, _, _ id.RoomID) {
			h.states = append(h.states, his.StatusChange{Conversation: w.current(), Status: his.StatusClosed, At: w.clock})
			w.asks()
		}, his.EndingInSystem, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, talk := asking(t)
			tt.end(w, h, consulting, talk)
			closing := h.filed[len(h.filed)-1].Closing
			require.NotNil(t, closing)
			assert.Equal(t, tt.want, closing.Ending)
			assert.Regexp(t, regexp.MustCompile("(?i)^"+tt.by+"$"), closing.ClosedBy.Name)
		})
	}
}
