package bridge

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	xhtml "golang.org/x/net/html"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
)

// contentSeeds are messages as clients send them, and as nobody should.
var contentSeeds = []string{
	`{}`, `{"msgtype":"m.text","body":"hoi"}`, `{"msgtype":7,"body":{}}`, `{"msgtype":"m.text","body":"\u0000\ud800","format":"org.matrix.custom.html","formatted_body":"<b>x"}`,
	`{"msgtype":"m.text","body":"x","format":"org.matrix.custom.html","formatted_body":"<a href='https://matrix.to/#/@a:b.example'>A</a><script>1</script>"}`,
	`{"msgtype":"m.text","body":"@a:b.example mxc://b.example/x","m.mentions":{"user_ids":["@a:b.example"]},"m.relates_to":{"m.in_reply_to":{"event_id":"$x"}}}`,
	`{"msgtype":"m.text","body":"* x","m.new_content":{"msgtype":"m.text","body":"x"},"m.relates_to":{"rel_type":"m.replace","event_id":"$x"}}`,
	`{"msgtype":"m.image","body":"x.png","url":"mxc://b.example/x","info":{"w":-1,"h":1e9,"size":-5,"mimetype":"../x"}}`,
	`{"msgtype":"m.audio","body":"v","file":{"url":"mxc://b.example/x","v":"v2","key":7},"org.matrix.msc3245.voice":{},"org.matrix.msc1767.audio":{"duration":-1,"waveform":[1,99999]}}`,
	`{"msgtype":"m.location","body":"hier","geo_uri":"geo:52.1,5.1;u=35;x=@a:b.example"}`,
	`{"msgtype":"m.text","body":"x","m.relates_to":{"rel_type":"m.thread","event_id":"$y","is_falling_back":"no"}}`,
	`{"question":{"m.text":"Eens?"},"answers":[{"m.text":"ja"}]}`, `{"m.relates_to":{"rel_type":"m.annotation","event_id":"$x","key":"👍"}}`,
}

var messageKinds = []event.Type{event.EventMessage, event.EventSticker, event.EventReaction, event.NewEventType("m.poll.start"), event.NewEventType("x.unknown")}

// newPerson is who writes in the fuzz tests.
var newPerson = care.Person{ID: "p", UserID: string(anna), Language: "nl", State: care.Active}

// FuzzContent carries whatever may be in a message to the other side: nothing crashes, what
// arrives is small enough, and nothing in it names a place where media or people are.
func FuzzContent(f *testing.F) {
	for i, seed := range contentSeeds {
		f.Add(uint8(i%len(messageKinds)), []byte(seed))
		f.Add(uint8(0), []byte(seed))
	}
	w := assemble(f)
	person := newPerson
	l := leg{room: "!there:praktijk.example", from: "!here:praktijk.example", who: "Anneke de Berg", language: "nl", scrub: w.scrubberFor(f.Context(), person, "nl")}
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) {
		evt := &event.Event{Type: messageKinds[int(kind)%len(messageKinds)], ID: "$e", RoomID: "!here:praktijk.example", Sender: anna}
		if evt.Content.UnmarshalJSON(raw) != nil || !utf8.Valid(raw) {
			return
		}
		_ = evt.Content.ParseRaw(evt.Type)
		_, err := w.understand(t.Context(), evt, person)
		require.NoError(t, err)
		content, err := w.across(t.Context(), evt, l)
		if why := errNotCarried(""); err != nil {
			require.True(t, errors.As(err, &why), "what cannot be carried is said, not tried for ever: %v", err)
			return
		}
		harmless(t, l.scrub, content)
	})
}

// harmless is what must hold of content that is sent.
func harmless(t *testing.T, s scrubber, content map[string]any) {
	t.Helper()
	_, err := json.Marshal(content)
	require.NoError(t, err)
	body, _ := content["body"].(string)
	require.Equal(t, body, s.text(body), "an id is left")
	if formatted, ok := content["formatted_body"].(string); ok {
		onlyAllowed(t, formatted)
	}
}

// FuzzHTML gives the sanitiser any HTML: what is left has allowed elements only, and lives with
// being cleaned again.
func FuzzHTML(f *testing.F) {
	for _, seed := range []string{
		"", "<b>vet</b>", "<script>x</script>", "<img src=x onerror=y>", "<a href=javascript:x>", "<a href='https://x.example' onclick=y>z</a>",
		"<mx-reply><b>x</mx-reply>y", "<mx-reply", "<![CDATA[<b>", "<svg><style><img/src=x>", "<p><p><p", "&#x3c;script&#62;", "<a\x00href=x>",
		`<a href="https://matrix.to/#/@a:b.example">A</a>`, `<a href="https:%2F%2Fmatrix.to/#/!r:b.example">A`, "@anna:elders.example", "<b>@anna:</b>elders.example",
		"<plaintext><b>", "<xmp><script>", "<noscript><p title='</noscript><img src=x>'>", strings.Repeat("<ul>", 300), "<title><a>x",
	} {
		f.Add(seed, seed)
	}
	w := assemble(f)
	s := w.scrubberFor(f.Context(), newPerson, "nl")
	f.Fuzz(func(t *testing.T, plain, formatted string) {
		m := &event.MessageEventContent{MsgType: event.MsgText, Body: plain, Format: event.FormatHTML, FormattedBody: formatted}
		said := s.words(m)
		onlyAllowed(t, said.html)
		require.Equal(t, said.html, allowedHTML.Sanitize(said.html))
		for _, shown := range []string{said.plain, plainOf(said.html)} {
			require.Equal(t, shown, s.text(shown), "an id is left")
		}
		require.LessOrEqual(t, len(said.plain)+len(said.html), 50*(len(plain)+len(formatted)+10), "what comes out is in proportion")
	})
}

var allowedElements = regexp.MustCompile(`^(b|strong|i|em|u|del|s|code|ul|ol|li|blockquote|pre|br|p|a)$`)

func onlyAllowed(t *testing.T, formatted string) {
	t.Helper()
	for z := xhtml.NewTokenizer(strings.NewReader(formatted)); ; {
		kind := z.Next()
		if kind == xhtml.ErrorToken {
			return
		}
		token := z.Token()
		if kind == xhtml.TextToken {
			continue
		}
		require.Regexp(t, allowedElements, token.Data, "%s", formatted)
		for _, a := range token.Attr {
			switch a.Key {
			case "href":
				require.Regexp(t, `^(https?|mailto|tel):|^[^:]*$|^[/?#]`, strings.ToLower(a.Val))
			case "rel", "data-mx-profile-fallback":
			default:
				require.Fail(t, "an attribute that may not cross", "%s in %s", a.Key, formatted)
			}
		}
	}
}
