package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"maps"
	"regexp"
	"strings"

	"maunium.net/go/mautrix/event"

	"github.com/spreekkamer/spreekkamer/media"
)

// maxContent bounds what is carried in one event, in bytes of JSON: encrypted it grows by a
// third, and it must stay under the 64 KiB of a Matrix event.
const maxContent = 44 << 10

// shapes makes the content for each type of message; what is not listed cannot be carried.
// Content is built up from what is known, never copied: what a client adds could name people,
// rooms or places (requirement B5).
var shapes = map[event.MessageType]func(*Bridge, context.Context, *event.MessageEventContent, leg) (map[string]any, error){
	event.MsgText:     (*Bridge).sayText,
	event.MsgNotice:   (*Bridge).sayText,
	event.MsgEmote:    (*Bridge).sayText,
	event.MsgLocation: (*Bridge).sayLocation,
	event.MsgImage:    (*Bridge).sayFile,
	event.MsgVideo:    (*Bridge).sayFile,
	event.MsgAudio:    (*Bridge).sayFile,
	event.MsgFile:     (*Bridge).sayFile,
}

func (b *Bridge) sayAs(ctx context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	shape, ok := shapes[m.MsgType]
	if !ok {
		return nil, errNotCarried("unsupported")
	}
	content, err := shape(b, ctx, m, l)
	if err != nil {
		return nil, err
	}
	content["com.beeper.per_message_profile"] = profile(l) // MSC4144
	content["m.mentions"] = map[string]any{}
	if l.mention != "" {
		content["m.mentions"] = map[string]any{"user_ids": []string{l.mention}}
	}
	return content, nil
}

// spoken adds words to content, after the name of who says them. Clients that know MSC4144
// show the name as the sender and leave the prefix out.
func spoken(content map[string]any, l leg, w words) map[string]any {
	content["body"] = l.name()
	if w.plain == "" {
		return content
	}
	content["body"] = l.name() + ": " + w.plain
	content["format"] = string(event.FormatHTML)
	content["formatted_body"] = "<strong data-mx-profile-fallback>" + html.EscapeString(l.name()) + ": </strong>" + w.html
	return content
}

func (b *Bridge) sayText(_ context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	kind := m.MsgType
	if kind == event.MsgNotice { // a person said it: let it ring
		kind = event.MsgText
	}
	w := l.scrub.words(m)
	if w.plain == "" {
		return nil, errNotCarried("unsupported") // no words in it that we can read
	}
	return spoken(map[string]any{"msgtype": string(kind)}, l, w), nil
}

// profile is who speaks, for clients that know MSC4144. Its id says nothing.
func profile(l leg) map[string]any {
	sum := sha256.Sum256([]byte(l.room + "\x00" + l.name()))
	return map[string]any{"id": hex.EncodeToString(sum[:8]), "displayname": l.name(), "has_fallback": true}
}

// places is a geo URI with coordinates and their uncertainty, and nothing else (RFC 5870).
var places = regexp.MustCompile(`^geo:-?\d{1,3}(\.\d{1,20})?,-?\d{1,3}(\.\d{1,20})?(,-?\d{1,6}(\.\d{1,20})?)?(;u=\d{1,9}(\.\d{1,20})?)?`)

func (b *Bridge) sayLocation(_ context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	place := places.FindString(m.GeoURI)
	if place == "" {
		return nil, errNotCarried("unsupported")
	}
	return map[string]any{
		"msgtype": string(event.MsgLocation), "body": l.name() + ": " + l.scrub.text(withoutFallback(m)), "geo_uri": place,
	}, nil
}

// sayFile downloads a file, makes it fit to pass on, encrypts it afresh, and names who sent it
// in the caption.
func (b *Bridge) sayFile(ctx context.Context, m *event.MessageEventContent, l leg) (map[string]any, error) {
	f, err := b.handOver(ctx, m, l, "")
	if err != nil {
		return nil, err
	}
	content := map[string]any{
		"msgtype": string(shownAs(m.MsgType, f.kind)), "filename": l.scrub.fileName(m, f.kind), "file": f.file, "info": maps.Clone(f.info),
	}
	if err := b.addThumbnail(ctx, content, m, l); err != nil {
		return nil, err
	}
	return spoken(asVoice(content, m), l, l.scrub.caption(m)), nil
}

// caption is what someone wrote with a file.
func (s scrubber) caption(m *event.MessageEventContent) words {
	if m.GetCaption() == "" {
		return words{}
	}
	return s.words(m)
}

// fileName is what a file is called on the other side. Ids are looked for when the signs that nobody
// sees are out of it: one may stand in the middle of an id.
func (s scrubber) fileName(m *event.MessageEventContent, kind string) string {
	return media.Name(s.text(media.Name(m.GetFileName(), kind)), kind)
}

// sounds are containers of sound that look like those of videos.
var sounds = map[string]string{
	"video/webm": "audio/webm", "video/mp4": "audio/mp4", "video/ogg": "audio/ogg", "application/ogg": "audio/ogg",
	"video/3gpp": "audio/3gpp", "video/quicktime": "audio/mp4",
}

// shownAs is how a file is shown: as what its sender meant it for when it is that, and as a
// file when it is not.
func shownAs(meant event.MessageType, kind string) event.MessageType {
	is := map[event.MessageType]bool{
		event.MsgImage: strings.HasPrefix(kind, "image/"),
		event.MsgVideo: strings.HasPrefix(kind, "video/"),
		event.MsgAudio: strings.HasPrefix(kind, "audio/") || sounds[kind] != "",
	}
	if is[meant] {
		return meant
	}
	return event.MsgFile
}

// typeOf is a file's type, of sound when it was sent as that.
func typeOf(m *event.MessageEventContent, kind string) string {
	if sound := sounds[kind]; sound != "" && m.MsgType == event.MsgAudio {
		return sound
	}
	return kind
}

const (
	maxSide     = 1 << 16          // of what a sender says of a picture's size
	maxDuration = 24 * 3600 * 1000 // milliseconds
)

// fileInfo is what a client needs to show a file: what was seen in it, and of what its sender
// says only what makes sense.
func fileInfo(m *event.MessageEventContent, f media.File) map[string]any {
	info := map[string]any{"size": len(f.Data), "mimetype": typeOf(m, f.Type)}
	said := event.FileInfo{}
	if m.Info != nil {
		said = *m.Info
	}
	if f.Width > 0 {
		said.Width, said.Height = f.Width, f.Height
	}
	for key, value := range map[string]struct{ n, most int }{
		"w": {said.Width, maxSide}, "h": {said.Height, maxSide}, "duration": {said.Duration, maxDuration},
	} {
		if value.n > 0 && value.n <= value.most {
			info[key] = value.n
		}
	}
	return info
}

// addThumbnail carries the small picture that comes with a video or photo. One that cannot be
// carried is left out: it is not what was sent.
func (b *Bridge) addThumbnail(ctx context.Context, content map[string]any, m *event.MessageEventContent, l leg) error {
	if m.Info == nil || m.Info.ThumbnailFile == nil && m.Info.ThumbnailURL == "" {
		return nil
	}
	small := &event.MessageEventContent{
		MsgType: event.MsgImage, File: m.Info.ThumbnailFile, URL: m.Info.ThumbnailURL, Info: m.Info.ThumbnailInfo,
	}
	f, err := b.handOver(ctx, small, l, event.MsgImage)
	if isNotCarried(err) {
		return nil
	}
	if err != nil {
		return err
	}
	info := content["info"].(map[string]any)
	info["thumbnail_file"], info["thumbnail_info"] = f.file, f.info
	return nil
}

const (
	maxWave = 1024 // points, and the height of each (MSC1767, MSC3246)
)

// asVoice makes a sound the voice message that it was.
func asVoice(content map[string]any, m *event.MessageEventContent) map[string]any {
	if content["msgtype"] != string(event.MsgAudio) {
		return content
	}
	if m.MSC3245Voice != nil {
		content["org.matrix.msc3245.voice"] = map[string]any{}
	}
	if m.MSC1767Audio == nil {
		return content
	}
	wave := m.MSC1767Audio.Waveform[:min(len(m.MSC1767Audio.Waveform), maxWave)]
	heights := make([]int, len(wave))
	for i, height := range wave {
		heights[i] = min(max(height, 0), maxWave)
	}
	content["org.matrix.msc1767.audio"] = map[string]any{
		"duration": min(max(m.MSC1767Audio.Duration, 0), maxDuration), "waveform": heights,
	}
	return content
}

// fitting leaves out the formatting of what would be too long with it. What is too long
// without it too cannot be carried.
func fitting(content map[string]any) (map[string]any, error) {
	if size(content) <= maxContent {
		return content, nil
	}
	for _, part := range []any{content, content["m.new_content"]} {
		if m, ok := part.(map[string]any); ok {
			delete(m, "format")
			delete(m, "formatted_body")
		}
	}
	if size(content) > maxContent {
		return nil, errNotCarried("too_long")
	}
	return content, nil
}

func size(content map[string]any) int {
	data, err := json.Marshal(content)
	if err != nil {
		return maxContent + 1 // what cannot be written cannot be sent
	}
	return len(data)
}
