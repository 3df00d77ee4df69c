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
	"github.com/spreekkamer/spreekkamer/media/mediatest"
	"github.com/spreekkamer/spreekkamer/store"
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
	`{"msgtype":"m.file","body":"b","filename":"DCIM/@a:\u200bb.example.png","url":"mxc://b.example/x","info":{"mimetype":"x","thumbnail_url":"mxc://b.example/x","thumbnail_info":{"w":3,"x":"@a:b.example"}}}`,
	`{"msgtype":"m.image","body":"*","m.new_content":{"msgtype":"m.image","body":"@a:b.example","filename":"#r:b.example","url":"mxc://b.example/x","x":1},"m.relates_to":{"rel_type":"m.replace","event_id":"$x"}}`,
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
	w.matrix.files["mxc://b.example/x"] = mediatest.PNG(8, 8)
	for _, known := range []string{"$x", "$y"} {
		m := store.Mirror{SourceEvent: known, SourceRoom: "!here:praktijk.example", TargetEvent: known + "-there", TargetRoom: "!there:praktijk.example", At: w.clock}
		require.NoError(f, w.Store.AddMirror(f.Context(), m))
	}
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

// sent are the only fields that content which we send may have besides those of inside, with what each
// may be.
var sent = map[string]func(t *testing.T, s scrubber, value any){
	"msgtype": matches(`^m\.(text|emote|location|image|video|audio|file)$`), "format": matches(`^org\.matrix\.custom\.html$`),
	"body": namesNobody, "filename": namesNobody, "displayname": namesNobody, "id": namesNobody,
	"formatted_body": func(t *testing.T, _ scrubber, value any) { onlyAllowed(t, value.(string)) },
	"geo_uri":        matches(`^geo:-?[0-9.]+,-?[0-9.]+(,-?[0-9.]+)?(;u=[0-9.]+)?$`),
	"mimetype":       matches(`^[a-z]+/[a-z0-9.+-]+$`),
	"size":           isCount, "w": isCount, "h": isCount, "duration": isCount, "waveform": isCount,
	"has_fallback": isBool, "is_falling_back": isBool,
	"rel_type": matches(`^m\.(replace|thread)$`), "event_id": matches(`^\$[xy]-there$`),
	"file": isOurs, "thumbnail_file": isOurs,
	"m.mentions": func(t *testing.T, _ scrubber, value any) { require.Empty(t, value) },
}

// inside are the fields that have fields of their own, of which the same holds.
var inside = map[string]bool{
	"info": true, "thumbnail_info": true, "m.new_content": true, "m.relates_to": true, "m.in_reply_to": true,
	"com.beeper.per_message_profile": true, "org.matrix.msc3245.voice": true, "org.matrix.msc1767.audio": true,
}

// harmless is what must hold of content that is sent, as it is sent.
func harmless(t *testing.T, s scrubber, content map[string]any) {
	t.Helper()
	data, err := json.Marshal(content)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(data, &fields))
	for name, value := range fields {
		if below, are := value.(map[string]any); are && inside[name] {
			harmless(t, s, below)
			continue
		}
		check, may := sent[name]
		require.True(t, may, "%q may not cross: %s", name, data)
		check(t, s, value)
	}
}

func matches(pattern string) func(*testing.T, scrubber, any) {
	return func(t *testing.T, _ scrubber, value any) { require.Regexp(t, pattern, value) }
}

func namesNobody(t *testing.T, s scrubber, value any) {
	text, is := value.(string)
	require.True(t, is, value)
	require.Equal(t, text, s.text(text), "an id is left")
}

func isCount(t *testing.T, s scrubber, value any) {
	if all, are := value.([]any); are {
		for _, one := range all {
			isCount(t, s, one)
		}
		return
	}
	n, is := value.(float64)
	require.True(t, is && n >= 0, value)
}

func isBool(t *testing.T, _ scrubber, value any) { require.IsType(t, true, value) }

// isOurs says that a file was uploaded anew.
func isOurs(t *testing.T, _ scrubber, value any) {
	require.NotContains(t, value.(map[string]any)["url"], "b.example")
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
