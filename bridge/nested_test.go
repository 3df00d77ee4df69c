package bridge

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"maunium.net/go/mautrix/event"
)

const (
	longestEvent = 64 << 10           // what a homeserver lets through, in bytes
	mostMemory   = 200 * longestEvent // that carrying it may ask for, all together
)

// allocated is how many bytes of memory something asks for, all together.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func filled(part string) string { return strings.Repeat(part, longestEvent/len(part)-20) }

func TestHTMLThatIsNestedCostsLittle(t *testing.T) {
	w := assemble(t)
	s := w.scrubberFor(t.Context(), newPerson, "nl")
	for _, part := range []string{
		"<b>", "<ul><li>", "<a href=x>", "<blockquote>", "<p><b>", "<table><tr><td>", "<mx-reply>", "<svg>", "<!--", "<a b=", "&lt;", "</p>", "<b><p></b>", "<select>", "<template>",
	} {
		text := filled(part)
		used := allocated(func() {
			m := &event.MessageEventContent{MsgType: event.MsgText, Body: "x", Format: event.FormatHTML, FormattedBody: text}
			said := s.words(m)
			assert.LessOrEqual(t, len(said.plain)+len(said.html), 10*longestEvent, part)
		})
		assert.Less(t, used, uint64(mostMemory), part)
	}
}

func TestContentThatIsNestedCostsLittle(t *testing.T) {
	w := assemble(t)
	l := leg{room: "!there:praktijk.example", from: "!here:praktijk.example", who: "Anneke de Berg", language: "nl", scrub: w.scrubberFor(t.Context(), newPerson, "nl")}
	const depth = 9_000 // what is deeper than ten thousand is no JSON to Go
	for _, part := range []string{"[", `{"a":`} {
		end := map[string]string{"[": "]", `{"a":`: "}"}[part]
		raw := `{"msgtype":"m.text","body":"x","x":` + strings.Repeat(part, depth) + "1" + strings.Repeat(end, depth) + `}`
		used := allocated(func() {
			evt := &event.Event{Type: event.EventMessage, ID: "$e", RoomID: "!here:praktijk.example", Sender: anna}
			require.NoError(t, evt.Content.UnmarshalJSON([]byte(raw)))
			require.NoError(t, evt.Content.ParseRaw(evt.Type))
			_, err := w.understand(t.Context(), evt, newPerson)
			require.NoError(t, err)
			content, err := w.across(t.Context(), evt, l)
			require.NoError(t, err)
			harmless(t, l.scrub, content)
		})
		assert.Less(t, used, uint64(mostMemory), part)
	}
}
