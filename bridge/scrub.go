package bridge

import (
	"context"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	xhtml "golang.org/x/net/html"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
)

// allowed is the HTML that may cross (TEXTS.md); everything else is dropped.
var allowedHTML = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("b", "strong", "i", "em", "u", "del", "s", "code", "ul", "ol", "li", "blockquote", "pre", "br", "p", "a")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http", "mailto", "tel")
	p.RequireNoFollowOnLinks(true)
	return p
}()

// A scrubber takes the ids of one side out of what goes to the other (requirement B5): of
// people it puts the name, of all else that something was left out.
type scrubber struct {
	nameOf func(user id.UserID) string // "" = nobody of the conversation
	domain string                      // our own homeserver, whose name may have no dot in it
	hidden string                      // stands for what is left out
}

// scrubberFor knows who takes part in the conversations of a person.
func (b *Bridge) scrubberFor(ctx context.Context, person care.Person, language string) scrubber {
	practice := b.practice(person.Answers.Practice).Name
	return scrubber{
		domain: b.Domain,
		hidden: b.Texts.Text(language, "relay.hidden", b.practiceArgs(b.practice(person.Answers.Practice))),
		nameOf: func(user id.UserID) string {
			switch string(user) {
			case string(b.Matrix.UserID()):
				return practice
			case person.UserID:
				return person.Answers.Name()
			}
			m, known, err := b.Store.Staff(ctx, string(user))
			if err != nil || !known {
				return ""
			}
			return m.Name
		},
	}
}

// identifiers finds what may be a Matrix address: a link, a file's address, an id with a server
// name, or an id of 43 characters without one (Matrix specification, "Identifier grammar").
var identifiers = regexp.MustCompile(`(?i)https?://matrix\.to/#/\S+|\bmatrix:(?:u|r|roomid|e|event)/\S+|\bmxc://\S+` +
	`|[@!#$][^\s:@!#$<>"'()]{1,255}:(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5}\b)?` +
	`|[!$][a-z0-9_-]{43}`)

// text is a text without ids.
func (s scrubber) text(text string) string {
	return identifiers.ReplaceAllStringFunc(text, func(found string) string {
		if !s.isAddress(found) {
			return found
		}
		return s.instead(found)
	})
}

// isAddress tells an id from what people type with such signs in it: a server's name has a dot
// or a port, or is our own.
func (s scrubber) isAddress(found string) bool {
	if !strings.ContainsRune("@!#$", rune(found[0])) {
		return true
	}
	local, server, has := strings.Cut(found, ":")
	if found[0] != '@' && found[0] != '#' && len(local) <= 10 { // of rooms and events: always long
		return false
	}
	named := strings.ContainsAny(server, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ[") || strings.Count(server, ".") == 3
	return !has || server == s.domain || named && strings.ContainsAny(server, ".:")
}

// instead is what the other side reads in place of an id or a link.
func (s scrubber) instead(found string) string {
	if name := s.nameOf(userIn(found)); name != "" {
		return name
	}
	return s.hidden
}

// userIn is the user that an id or a link names, "" when it names something else.
func userIn(found string) id.UserID {
	if _, rest, linked := strings.Cut(found, "/#/"); linked {
		found = rest
	} else if _, rest, linked := strings.Cut(found, "matrix:u/"); linked {
		found = "@" + rest
	}
	found, _, _ = strings.Cut(found, "?")
	if decoded, err := url.PathUnescape(found); err == nil {
		found = decoded
	}
	if !strings.HasPrefix(found, "@") {
		return ""
	}
	return id.UserID(found)
}

// words are what a message says, plain and formatted.
type words struct{ plain, html string }

// words cleans what someone wrote.
func (s scrubber) words(m *event.MessageEventContent) words {
	plain := s.text(withoutFallback(m))
	if m.Format != event.FormatHTML || m.FormattedBody == "" {
		return words{plain, asHTML(plain)}
	}
	formatted, mentioned := s.formatted(m.FormattedBody)
	formatted = allowedHTML.Sanitize(formatted)
	shown := plainOf(formatted)
	if clean := s.text(shown); clean != shown { // an id in pieces, spread over elements
		return words{clean, asHTML(clean)}
	}
	if mentioned || plain == "" { // the plain text may hold the name that an account gave itself
		plain = shown
	}
	return words{plain, formatted}
}

// withoutFallback is the plain text without the quote that older clients put before a reply.
func withoutFallback(m *event.MessageEventContent) string {
	if m.RelatesTo.GetReplyTo() != "" && (strings.HasPrefix(m.Body, "> <@") || strings.HasPrefix(m.Body, "> * <@")) {
		return event.TrimReplyFallbackText(m.Body)
	}
	return m.Body
}

// leftOut are elements whose content does not cross: the quote of older clients before a reply.
var leftOut = map[string]bool{"mx-reply": true, "script": true, "style": true}

// formatted puts names in place of links to people, rooms and messages; it tells whether there
// were any. What is dangerous is still in it.
func (s scrubber) formatted(text string) (_ string, mentioned bool) {
	var out strings.Builder
	skip := "" // the element whose end is waited for
	for z := xhtml.NewTokenizer(strings.NewReader(text)); ; {
		kind := z.Next()
		if kind == xhtml.ErrorToken {
			return out.String(), mentioned
		}
		token := z.Token()
		switch {
		case skip != "":
			if kind == xhtml.EndTagToken && token.Data == skip {
				skip = ""
			}
		case kind == xhtml.StartTagToken && leftOut[token.Data]:
			skip = token.Data
		case kind == xhtml.TextToken:
			out.WriteString(html.EscapeString(s.text(token.Data)))
		case kind == xhtml.StartTagToken && token.Data == "a" && s.pointsAtUs(token):
			out.WriteString(html.EscapeString(s.instead(hrefOf(token))))
			skip, mentioned = "a", true
		case kind == xhtml.SelfClosingTagToken && token.Data == "a" && s.pointsAtUs(token): // no end to wait for
			out.WriteString(html.EscapeString(s.instead(hrefOf(token))))
			mentioned = true
		default:
			out.WriteString(token.String())
		}
	}
}

// pointsAtUs says that a link has the address of a person, a room or a message in it.
func (s scrubber) pointsAtUs(token xhtml.Token) bool {
	href := hrefOf(token)
	if decoded, err := url.PathUnescape(href); err == nil {
		href = decoded
	}
	return s.text(href) != href
}

func hrefOf(token xhtml.Token) string {
	for _, a := range token.Attr {
		if a.Key == "href" {
			return a.Val
		}
	}
	return ""
}

// lineEnds are the elements after which a new line begins.
var lineEnds = map[string]bool{"br": true, "p": true, "li": true, "blockquote": true, "pre": true, "ul": true, "ol": true}

// plainOf is the text of HTML that is clean already.
func plainOf(clean string) string {
	var out strings.Builder
	for z := xhtml.NewTokenizer(strings.NewReader(clean)); ; {
		switch kind := z.Next(); kind {
		case xhtml.ErrorToken:
			return strings.TrimSpace(out.String())
		case xhtml.TextToken:
			out.WriteString(z.Token().Data)
		default:
			if token := z.Token(); lineEnds[token.Data] && (kind != xhtml.StartTagToken || token.Data == "br") {
				out.WriteByte('\n')
			}
		}
	}
}
