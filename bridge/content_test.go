package bridge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"pgregory.net/rapid"
)

// here is what a leg knows of who takes part.
var here = scrubber{
	hidden: "(weg)", domain: "localhost",
	nameOf: func(user id.UserID) string {
		return map[id.UserID]string{"@anna:elders.example": "Anneke de Berg", "@fatima:localhost": "Fatima", "@bot:localhost:8448": "De Linde"}[user]
	},
}

func text(body, formatted string) *event.MessageEventContent {
	m := &event.MessageEventContent{MsgType: event.MsgText, Body: body}
	if formatted != "" {
		m.Format, m.FormattedBody = event.FormatHTML, formatted
	}
	return m
}

func TestOnlyHarmlessHTMLCrosses(t *testing.T) {
	for _, tt := range []struct{ name, formatted, want string }{
		{"what is allowed stays", "<b>vet</b> en <i>schuin</i>", "<b>vet</b> en <i>schuin</i>"},
		{"signs stay signs", "1 &lt; 2 &amp; 3", "1 &lt; 2 &amp; 3"},
		{"a script goes", "<script>alert(1)</script>dag", "dag"},
		{"an event handler goes", `<b onclick="x()">dag</b>`, "<b>dag</b>"},
		{"a picture goes", `<img src="mxc://other.example/x">dag`, "dag"},
		{"a link stays", `<a href="https://thuisarts.nl">lees dit</a>`, `<a href="https://thuisarts.nl" rel="nofollow">lees dit</a>`},
		{"a dangerous link goes", `<a href="javascript:x()">lees dit</a>`, "lees dit"},
		{"a person gets a name", `<a href="https://matrix.to/#/@anna:elders.example">anna_1980</a>: dag`, "Anneke de Berg: dag"},
		{"also when encoded", `<a href="https://matrix.to/#/%40anna%3Aelders.example">anna_1980</a>`, "Anneke de Berg"},
		{"also by a matrix link", `<a href="matrix:u/anna:elders.example">x</a>`, "Anneke de Berg"},
		{"also when it has no end", `<a href="https://matrix.to/#/@anna:elders.example"/>: dag`, "Anneke de Berg: dag"},
		{"nor has one a stranger", `<a href="https://matrix.to/#/@secret:elders.example"/>x`, "(weg)x"},
		{"a stranger gets none", `<a href="https://matrix.to/#/@secret:elders.example">x</a>`, "(weg)"},
		{"a room gets none", `<a href="https://matrix.to/#/!abcdefghijkl:elders.example/$e?via=elders.example">x</a>`, "(weg)"},
		{"nor a client's link to a room", `<a href="https://app.example/#/room/!abcdefghijkl:elders.example">x</a>`, "(weg)"},
		{"an id in the text", "vraag @fatima:localhost", "vraag Fatima"},
		{"the quote of older clients goes", "<mx-reply><blockquote>@x:y.example zei</blockquote></mx-reply>ja", "ja"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, here.words(text("plat", tt.formatted)).html) })
	}
}

func TestPlainTextCrossesWithoutIds(t *testing.T) {
	event43 := "$" + strings.Repeat("aB3-_", 8) + "xyz"
	for _, tt := range []struct{ sent, want string }{
		{"1 < 2\ntweede regel", "1 < 2\ntweede regel"},
		{"Dag @anna:elders.example.", "Dag Anneke de Berg."},
		{"Dag @bot:localhost:8448, alles goed?", "Dag De Linde, alles goed?"},
		{"Dag @wie:elders.example:8448!", "Dag (weg)!"},
		{"zie https://matrix.to/#/@fatima:localhost?via=x", "zie Fatima"},
		{"zie https://matrix.to/#/!abcdefghijkl:elders.example", "zie (weg)"},
		{"kamer !abcdefghijkl:elders.example of #balie:elders.example", "kamer (weg) of (weg)"},
		{"bericht " + event43, "bericht (weg)"},
		{"foto mxc://elders.example/abc", "foto (weg)"},
		{"mail anna@post.example: om 10:30", "mail anna@post.example: om 10:30"},
		{"kom @10:30 of @jan: straks", "kom @10:30 of @jan: straks"},
		{"Let op!Zie:www.thuisarts.nl, kost $5:00", "Let op!Zie:www.thuisarts.nl, kost $5:00"},
	} {
		t.Run(tt.sent, func(t *testing.T) { assert.Equal(t, tt.want, here.words(text(tt.sent, "")).plain) })
	}
	assert.Equal(t, "1 &lt; 2<br>tweede regel", here.words(text("1 < 2\ntweede regel", "")).html)
}

func TestANameThatAnAccountGaveItselfDoesNotCross(t *testing.T) {
	m := text("anna_1980: dag\neen\ntwee", `<p><a href="https://matrix.to/#/@anna:elders.example">anna_1980</a>: dag</p><ul><li>een</li><li>twee</li></ul>`)
	assert.Equal(t, "Anneke de Berg: dag\neen\ntwee", here.words(m).plain)
	assert.Equal(t, "alleen opgemaakt", here.words(text("", "<b>alleen</b> opgemaakt")).plain)
}

func TestTheQuoteOfOlderClientsDoesNotCross(t *testing.T) {
	m := text("> <@anna:elders.example> vraag\n> nog een regel\n\nantwoord", "")
	m.RelatesTo = (&event.RelatesTo{}).SetReplyTo("$x")
	assert.Equal(t, "antwoord", here.words(m).plain)
	own := text("> zelf aangehaald\n\nantwoord", "")
	own.RelatesTo = m.RelatesTo
	assert.Equal(t, own.Body, here.words(own).plain)
}

func TestNoIdSurvivesWhateverStandsAroundIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.StringMatching(`[ -~]{0,12}`)
		sent := around.Draw(t, "before") + " @anna:elders.example " + around.Draw(t, "after")
		for _, w := range []words{here.words(text(sent, "")), here.words(text("x", sent))} {
			if strings.Contains(w.plain+w.html, "@anna:elders") {
				t.Fatalf("%q became %q and %q", sent, w.plain, w.html)
			}
		}
	})
}

func TestWhoSpeaksIsInTheTextAndInTheProfile(t *testing.T) {
	l := leg{room: "!r", who: "Fatima", role: "doktersassistent", scrub: here}
	content, err := (&Bridge{}).sayText(t.Context(), text("Dag", ""), l)
	assert.NoError(t, err)
	assert.Equal(t, "Fatima, doktersassistent: Dag", content["body"])
	assert.Equal(t, "Fatima, doktersassistent", profile(l)["displayname"])
	assert.NotContains(t, profile(l)["id"], "Fatima")
}

func TestLongTextsLoseTheirFormattingBeforeTheyAreRefused(t *testing.T) {
	long := func(n int) map[string]any {
		text := strings.Repeat("x", n)
		return map[string]any{"msgtype": "m.text", "body": text, "format": "html", "formatted_body": text}
	}
	content, err := fitting(long(20_000))
	assert.NoError(t, err)
	assert.Contains(t, content, "formatted_body")
	content, err = fitting(long(40_000))
	assert.NoError(t, err)
	assert.NotContains(t, content, "formatted_body")
	content, err = fitting(editOf(long(40_000), "$target"))
	assert.NoError(t, err, "an edit does not say everything twice")
	assert.NotContains(t, content["m.new_content"], "formatted_body")
	_, err = fitting(long(50_000))
	assert.Equal(t, errNotCarried("too_long"), err)
}

func TestAnEditKeepsItsNewContentWholeAndDoesNotRing(t *testing.T) {
	edit := editOf(map[string]any{
		"msgtype": "m.text", "body": "nieuw", "formatted_body": "<b>nieuw</b>", "m.mentions": map[string]any{"user_ids": []string{"@a:b"}},
	}, "$target")
	assert.Equal(t, "* nieuw", edit["body"])
	assert.Empty(t, edit["m.mentions"])
	assert.Equal(t, "nieuw", edit["m.new_content"].(map[string]any)["body"])
	assert.Equal(t, "$target", edit["m.relates_to"].(map[string]any)["event_id"])
}

func TestOnlyEmojiAndShortWordsCrossAsReactions(t *testing.T) {
	for key, want := range map[string]bool{
		"👍": true, "❤️": true, "ok": true, "": false, "mxc://elders.example/emoji": false, "@anna:elders.example": false,
		strings.Repeat("👍", 40): false,
	} {
		assert.Equal(t, want, isEmoji(key), key)
	}
}

func TestAFileIsShownAsWhatItIs(t *testing.T) {
	for _, tt := range []struct {
		meant, want event.MessageType
		kind        string
	}{
		{event.MsgImage, event.MsgImage, "image/png"},
		{event.MsgImage, event.MsgFile, "application/pdf"},
		{event.MsgVideo, event.MsgVideo, "video/webm"},
		{event.MsgVideo, event.MsgFile, "image/png"},
		{event.MsgAudio, event.MsgAudio, "audio/ogg"},
		{event.MsgAudio, event.MsgAudio, "video/mp4"},
		{event.MsgAudio, event.MsgFile, "text/plain"},
		{event.MsgFile, event.MsgFile, "image/png"},
	} {
		assert.Equal(t, tt.want, shownAs(tt.meant, tt.kind), "%s as %s", tt.kind, tt.meant)
	}
	assert.Equal(t, "audio/mp4", typeOf(&event.MessageEventContent{MsgType: event.MsgAudio}, "video/mp4"))
	assert.Equal(t, "video/mp4", typeOf(&event.MessageEventContent{MsgType: event.MsgVideo}, "video/mp4"))
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
