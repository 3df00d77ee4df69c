package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"path"
	"strings"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	"maunium.net/go/mautrix/event"
)

// maxText bounds what is carried in one event, in bytes: with formatting and encryption
// it must stay under the 64 KiB of a Matrix event.
const maxText = 16 << 10

// allowed is the HTML that may cross (TEXTS.md); everything else is dropped.
var allowedHTML = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("b", "strong", "i", "em", "u", "del", "s", "code", "ul", "ol", "li", "blockquote", "pre", "br", "p", "a")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http", "mailto", "tel")
	p.RequireNoFollowOnLinks(true)
	return p
}()

// sayText makes a text message that names its speaker. Clients that know MSC4144 show
// the name as the sender and leave the prefix out.
func (b *Bridge) sayText(_ context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	if len(m.Body) > maxText {
		return nil, errNotCarried("too_large")
	}
	kind := m.MsgType
	if kind == event.MsgNotice { // a person said it: let it ring
		kind = event.MsgText
	}
	return map[string]any{
		"msgtype": string(kind),
		"body":    l.name() + ": " + m.Body,
		"format":  string(event.FormatHTML),
		"formatted_body": "<strong data-mx-profile-fallback>" + html.EscapeString(l.name()) + ": </strong>" +
			htmlOf(m),
	}, nil
}

// htmlOf is the formatted text of a message, cleaned; or its plain text.
func htmlOf(m *event.MessageEventContent) string {
	if m.Format != event.FormatHTML || m.FormattedBody == "" || len(m.FormattedBody) > maxText || mentionsSomeone(m.FormattedBody) {
		return asHTML(m.Body)
	}
	return allowedHTML.Sanitize(m.FormattedBody)
}

// mentionsSomeone says that HTML links to a Matrix user, room or event: such a link
// would carry an id to the other side, so the plain text is used.
func mentionsSomeone(formatted string) bool {
	lower := strings.ToLower(formatted)
	return strings.Contains(lower, "matrix.to") || strings.Contains(lower, "matrix:")
}

// profile is who speaks, for clients that know MSC4144. Its id says nothing.
func profile(l leg) map[string]any {
	sum := sha256.Sum256([]byte(l.room + "\x00" + l.name()))
	return map[string]any{"id": hex.EncodeToString(sum[:8]), "displayname": l.name(), "has_fallback": true}
}

func (b *Bridge) sayLocation(_ context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	if len(m.Body) > maxText || len(m.GeoURI) > 200 || !strings.HasPrefix(m.GeoURI, "geo:") {
		return nil, errNotCarried("unsupported")
	}
	return map[string]any{
		"msgtype": string(event.MsgLocation), "body": l.name() + ": " + m.Body, "geo_uri": m.GeoURI,
	}, nil
}

// sayFile downloads a file, encrypts it afresh and names its speaker in the caption.
func (b *Bridge) sayFile(ctx context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	data, err := b.download(ctx, m)
	if err != nil {
		return nil, err
	}
	file, err := b.upload(ctx, data, l.room)
	if err != nil {
		return nil, err
	}
	content := map[string]any{
		"msgtype": string(m.MsgType), "filename": fileName(m), "file": file, "info": fileInfo(m, len(data)),
	}
	caption(content, m, l)
	if m.MSC3245Voice != nil {
		content["org.matrix.msc3245.voice"] = map[string]any{}
	}
	if m.MSC1767Audio != nil {
		content["org.matrix.msc1767.audio"] = map[string]any{
			"duration": m.MSC1767Audio.Duration, "waveform": m.MSC1767Audio.Waveform,
		}
	}
	return content, nil
}

// caption says who sent a file, and what they wrote with it.
func caption(content map[string]any, m *event.MessageEventContent, l leg) {
	words := m.GetCaption()
	if words == "" {
		content["body"] = l.name()
		return
	}
	content["body"] = l.name() + ": " + words[:min(len(words), maxText)]
	content["format"] = string(event.FormatHTML)
	content["formatted_body"] = "<strong data-mx-profile-fallback>" + html.EscapeString(l.name()) + ": </strong>" +
		asHTML(words[:min(len(words), maxText)])
}

// fileInfo keeps what a client needs to show a file; thumbnails are left out, since they
// are files of their own.
func fileInfo(m *event.MessageEventContent, size int) map[string]any {
	info := map[string]any{"size": size}
	if m.Info == nil {
		return info
	}
	info["mimetype"] = m.Info.MimeType
	for key, n := range map[string]int{"w": m.Info.Width, "h": m.Info.Height, "duration": m.Info.Duration} {
		if n > 0 {
			info[key] = n
		}
	}
	return info
}

// fileName is the last part of a file's name, without what a device's path would tell
// and without characters that could deceive.
func fileName(m *event.MessageEventContent) string {
	name := path.Base(strings.ReplaceAll(m.GetFileName(), "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	if name = strings.TrimLeft(name, ". "); name == "" || name == "/" {
		return "bestand"
	}
	if runes := []rune(name); len(runes) > 120 {
		name = string(runes[len(runes)-120:])
	}
	return name
}
