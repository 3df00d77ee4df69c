package bridge

import (
	"regexp"
	"slices"
	"strings"

	xhtml "golang.org/x/net/html"
	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/care"
)

// hasBSN says whether a BSN is in anything that a message says. The same holds both ways.
func (b *Bridge) hasBSN(evt *event.Event, language string) bool {
	return slices.ContainsFunc(b.wordsOf(evt, language), care.ContainsBSN)
}

// wordsOf is what a message says in each of the forms that a client may show: plain and
// formatted, before and after an edit, a file's name, what a place is called. Coordinates and
// addresses of files are no words.
func (b *Bridge) wordsOf(evt *event.Event, language string) (all []string) {
	m, ok := b.readable(evt, language)
	for ; ok && m != nil; m = m.NewContent {
		all = append(all, strings.TrimPrefix(saysOf(m), "* "))
		if m.MsgType.IsMedia() {
			all = append(all, stamp.ReplaceAllString(m.GetFileName(), " "))
		}
		all = append(all, wordsInHTML(event.TrimReplyFallbackHTML(m.FormattedBody))...)
	}
	for _, key := range []string{"m.location", "org.matrix.msc3488.location"} { // MSC3488
		place, _ := evt.Content.Raw[key].(map[string]any)
		all = append(all, saidIn(place["description"]))
	}
	return all
}

// stamp is the day and the time that cameras and apps put into the name of a photo. A time with
// thousandths has nine digits, and every eleventh passes the 11-test.
var stamp = regexp.MustCompile(`(19|20)\d\d-?(0[1-9]|1[0-2])-?([0-2]\d|3[01])[-_ ]([01]\d|2[0-3])[-.]?[0-5]\d[-.]?[0-5]\d[-.]?(\d{3})?`)

// saysOf is the text of a message, or the caption of a file.
func saysOf(m *event.MessageEventContent) string {
	if !m.MsgType.IsMedia() {
		return withoutFallback(m)
	}
	return m.GetCaption()
}

// wordsInHTML are the text of HTML, and where its links lead.
func wordsInHTML(formatted string) []string {
	all := []string{plainOf(formatted)}
	for z := xhtml.NewTokenizer(strings.NewReader(formatted)); z.Next() != xhtml.ErrorToken; {
		if href := hrefOf(z.Token()); href != "" && !identifiers.MatchString(href) { // those do not cross
			all = append(all, href)
		}
	}
	return all
}

// otherWords are the words of a message that are not those of its text, in lines.
func (b *Bridge) otherWords(evt *event.Event, language, text string) string {
	others := slices.DeleteFunc(b.wordsOf(evt, language), func(words string) bool { return strings.TrimSpace(words) == text })
	return strings.Join(others, "\n")
}
