package his_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

// A server whose clock was ahead, and is set right, gives new answers earlier times than it gave
// before.
func TestAnAnswerIsReadAlsoAfterTheServersClockWasSetBack(t *testing.T) {
	f := newFakeFHIR(t)
	c := fhirAt(t, f, nil)
	fileIn(t, c, histest.Message(1))
	header := f.find("Communication", "")[0]
	ahead := f.newest(f.create("Communication", inThread(header, nil)).path())
	ahead["meta"].(object)["lastUpdated"] = time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	first, since, err := c.(his.Answerer).Answers(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, first, 1)
	rest, again, err := c.(his.Answerer).Answers(t.Context(), since)
	require.NoError(t, err)
	require.Len(t, rest, 1)
	assert.Equal(t, since, again, "who asks until nothing is new comes to an end")
	f.create("Communication", inThread(header, object{"payload": []any{object{"contentString": "Toch even langskomen."}}}))
	tomorrow := `{"communication":"` + time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339) + `"}`
	for _, from := range []string{since, tomorrow} { // that was stored when it could be in the future still
		later, _, err := c.(his.Answerer).Answers(t.Context(), from)
		require.NoError(t, err)
		var said []string
		for _, a := range later {
			said = append(said, a.Text)
		}
		assert.Contains(t, said, "Toch even langskomen.")
	}
}
