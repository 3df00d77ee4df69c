package bridge

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

func attached(name string, data []byte) his.Attachment {
	return his.Attachment{
		Name: name, ContentType: "application/octet-stream", Size: int64(len(data)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

// Staff who read that the patient has nothing would say it all again.
func TestAFileOfAnAnswerThatCannotBePassedOnTakesNothingElseWithIt(t *testing.T) {
	broken := attached("uitleg.jpg", mediatest.JPEG(40, 30)[:60])
	photo := attached("plek.jpg", mediatest.JPEGWithPlace(40, 30, 1))
	for name, tt := range map[string]struct {
		words string
		files []his.Attachment
		told  string
		rest  bool
	}{
		"after words":       {"kanarie", []his.Attachment{broken}, "is een bestand niet doorgegeven. De rest van het antwoord wel.", true},
		"before a photo":    {"kanarie", []his.Attachment{broken, photo}, "is een bestand niet doorgegeven. De rest van het antwoord wel.", true},
		"two of them":       {"kanarie", []his.Attachment{broken, broken}, "is een bestand niet doorgegeven. De rest van het antwoord wel.", true},
		"and nothing else":  {"", []his.Attachment{broken}, "Een bestand kan niet in de chat worden doorgegeven. De patiënt heeft het niet gekregen.", false},
		"a photo before it": {"", []his.Attachment{photo, broken}, "is een bestand niet doorgegeven. De rest van het antwoord wel.", true},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, consulting, talk := asking(t)
			a := w.gp(tt.words)
			a.Attachments = tt.files
			h.answers = append(h.answers, a)
			w.asks()
			if tt.words != "" {
				assert.Contains(t, w.heard(consulting), tt.words)
				assert.Contains(t, w.heard(talk), tt.words)
			}
			if tt.rest {
				assert.NotContains(t, w.heard(w.balie()), "De patiënt heeft het niet gekregen")
			}
			assert.Equal(t, 1, strings.Count(w.heard(w.balie()), tt.told), w.heard(w.balie()))
			assert.Equal(t, []his.Delivery{his.DeliveryReceived, his.DeliveryFailed}, h.told())
			assert.Contains(t, h.reports[1].Reason, "bestand")
			_, sealed, err := w.Store.ReadAnswer(t.Context(), a.ID.String())
			require.NoError(t, err)
			assert.False(t, sealed, "what it said is not kept")
		})
	}
}
