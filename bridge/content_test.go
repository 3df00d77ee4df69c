package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/event"
	"pgregory.net/rapid"
)

func TestFileNamesLoseTheirPathAndWhatDeceives(t *testing.T) {
	for _, tt := range []struct{ sent, want string }{
		{"foto.jpg", "foto.jpg"},
		{"/home/anna/foto.jpg", "foto.jpg"},
		{`C:\Users\anna\foto.jpg`, "foto.jpg"},
		{"../../etc/passwd", "passwd"},
		{"..", "bestand"},
		{"", "bestand"},
		{"foto\u202egpj.exe", "fotogpj.exe"},
		{"fo\x00to\n.jpg", "foto.jpg"},
		{"...verborgen", "verborgen"},
	} {
		t.Run(tt.sent, func(t *testing.T) {
			assert.Equal(t, tt.want, fileName(&event.MessageEventContent{Body: tt.sent, FileName: tt.sent}))
		})
	}
}

func TestAFileNameIsNeverLongNorAPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.String().Draw(t, "sent")
		name := fileName(&event.MessageEventContent{Body: sent, FileName: sent})
		if name == "" || strings.ContainsAny(name, "/\\\x00\n") || len([]rune(name)) > 120 {
			t.Fatalf("%q became %q", sent, name)
		}
	})
}

func TestOnlyHarmlessHTMLCrosses(t *testing.T) {
	for _, tt := range []struct{ name, formatted, want string }{
		{"what is allowed stays", "<b>vet</b> en <i>schuin</i>", "<b>vet</b> en <i>schuin</i>"},
		{"a script goes", "<script>alert(1)</script>dag", "dag"},
		{"an event handler goes", `<b onclick="x()">dag</b>`, "<b>dag</b>"},
		{"a picture goes", `<img src="mxc://other.example/x">dag`, "dag"},
		{"a link to a person becomes plain text", `<a href="https://matrix.to/#/@anna:other.example">Anna</a>`, "plat"},
		{"a matrix link becomes plain text", `<a href="matrix:u/anna:other.example">Anna</a>`, "plat"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &event.MessageEventContent{Body: "plat", Format: event.FormatHTML, FormattedBody: tt.formatted}
			assert.Equal(t, tt.want, htmlOf(m))
		})
	}
}

func TestPlainTextIsEscaped(t *testing.T) {
	assert.Equal(t, "1 &lt; 2<br>tweede regel", htmlOf(&event.MessageEventContent{Body: "1 < 2\ntweede regel"}))
}

func TestWhoSpeaksIsInTheTextAndInTheProfile(t *testing.T) {
	l := leg{room: "!r", who: "Fatima", role: "doktersassistent"}
	content, err := (&Bridge{}).sayText(t.Context(), &event.MessageEventContent{MsgType: event.MsgText, Body: "Dag"}, l)
	assert.NoError(t, err)
	assert.Equal(t, "Fatima, doktersassistent: Dag", content["body"])
	assert.Equal(t, "Fatima, doktersassistent", profile(l)["displayname"])
	assert.NotContains(t, profile(l)["id"], "Fatima")
}

func TestTextThatIsTooLongIsSaidSoInsteadOfLost(t *testing.T) {
	_, err := (&Bridge{}).sayText(t.Context(), &event.MessageEventContent{Body: strings.Repeat("x", maxText+1)}, leg{})
	assert.Equal(t, errNotCarried("too_large"), err)
}

func TestAnEditKeepsItsNewContentWhole(t *testing.T) {
	edit := editOf(map[string]any{"msgtype": "m.text", "body": "nieuw", "formatted_body": "<b>nieuw</b>"}, "$target")
	assert.Equal(t, "* nieuw", edit["body"])
	assert.Equal(t, "nieuw", edit["m.new_content"].(map[string]any)["body"])
	assert.Equal(t, "$target", edit["m.relates_to"].(map[string]any)["event_id"])
}

func TestFilesOfAMessageAreAllFound(t *testing.T) {
	encrypted := &event.EncryptedFileInfo{URL: "mxc://hs/one"}
	m := &event.MessageEventContent{
		File:       encrypted,
		Info:       &event.FileInfo{ThumbnailURL: "mxc://hs/two"},
		NewContent: &event.MessageEventContent{URL: "mxc://hs/three"},
	}
	assert.Len(t, filesOf(m), 3)
	assert.Empty(t, filesOf(&event.MessageEventContent{URL: "https://elsewhere.example/x"}))
}

func TestBackoffGrowsToFiveMinutes(t *testing.T) {
	assert.Equal(t, time.Second, backoff(-1))
	assert.Equal(t, time.Second, backoff(0))
	assert.Equal(t, 8*time.Second, backoff(3))
	assert.Equal(t, maxBackoff, backoff(60))
}
