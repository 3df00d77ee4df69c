package bridge

import (
	"fmt"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/texts"
)

// readers turn events of each type into a message, when they can be carried as one. Any other
// type cannot be carried, which is said (requirement B2).
var readers = map[string]func(*Bridge, *event.Event, string) (*event.MessageEventContent, bool){
	event.EventMessage.Type: (*Bridge).readMessage,
	event.EventSticker.Type: (*Bridge).readSticker,
	stablePoll:              (*Bridge).readPoll,
	unstablePoll:            (*Bridge).readPoll,
}

// The two names of a poll (MSC3381).
const (
	stablePoll   = "m.poll.start"
	unstablePoll = "org.matrix.msc3381.poll.start"
)

// noise is traffic of clients with each other that says nothing to people: it is no message
// that could be missed. The invitation to a call is not in it: who calls has to know.
var noise = map[string]bool{
	"m.call.candidates": true, "m.call.answer": true, "m.call.select_answer": true, "m.call.hangup": true,
	"m.call.reject": true, "m.call.negotiate": true, "m.call.sdp_stream_metadata_changed": true,
	"m.key.verification.ready": true, "m.key.verification.start": true, "m.key.verification.accept": true,
	"m.key.verification.key": true, "m.key.verification.mac": true, "m.key.verification.done": true,
	"m.key.verification.cancel": true, "m.room.encryption": true,
}

// kindOf is the type of what happened: of an encrypted event what is in it.
func (p place) kindOf() string {
	if p.event == nil {
		return p.Type
	}
	return p.event.Type.Type
}

// readable takes what can be carried from an event, in words of a language where words of ours
// are needed.
func (b *Bridge) readable(evt *event.Event, language string) (*event.MessageEventContent, bool) {
	read, known := readers[evt.Type.Type]
	if !known || evt.StateKey != nil {
		return nil, false
	}
	return read(b, evt, language)
}

func (b *Bridge) readMessage(evt *event.Event, _ string) (*event.MessageEventContent, bool) {
	m, ok := evt.Content.Parsed.(*event.MessageEventContent)
	return m, ok
}

// readSticker makes a sticker a picture: that is what it is.
func (b *Bridge) readSticker(evt *event.Event, _ string) (*event.MessageEventContent, bool) {
	m, ok := evt.Content.Parsed.(*event.MessageEventContent)
	if ok {
		m.MsgType = event.MsgImage
	}
	return m, ok
}

// readPoll makes a poll a text with its options: voting is for who is in one room.
func (b *Bridge) readPoll(evt *event.Event, language string) (*event.MessageEventContent, bool) {
	text, ok := b.pollText(evt.Content.Raw, language)
	m := &event.MessageEventContent{MsgType: event.MsgText, Body: text, RelatesTo: relationOf(evt)}
	if changed, is := evt.Content.Raw["m.new_content"].(map[string]any); is {
		text, ok = b.pollText(changed, language)
		m.NewContent = &event.MessageEventContent{MsgType: event.MsgText, Body: text}
	}
	return m, ok
}

// maxOptions is how many options a poll may have (MSC3381).
const maxOptions = 20

func (b *Bridge) pollText(content map[string]any, language string) (string, bool) {
	poll, ok := content["m.poll"].(map[string]any)
	if !ok {
		poll, ok = content[unstablePoll].(map[string]any)
	}
	question := saidIn(poll["question"])
	if !ok || question == "" {
		return "", false
	}
	options, _ := poll["answers"].([]any)
	lines := []string{b.Texts.Text(language, "relay.poll", texts.Args{}) + " " + question}
	for i, option := range options[:min(len(options), maxOptions)] {
		lines = append(lines, fmt.Sprintf("%d. %s", i+1, saidIn(option)))
	}
	return strings.Join(lines, "\n"), true
}

// saidIn is the plain text of an extensible event (MSC1767), in one of its forms.
func saidIn(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any: // several representations, plain text without a type among them
		for _, one := range v {
			m, _ := one.(map[string]any)
			if kind, typed := m["mimetype"].(string); !typed || kind == "text/plain" {
				return saidIn(m["body"])
			}
		}
	case map[string]any:
		for _, key := range []string{"m.text", "org.matrix.msc1767.text", "body"} {
			if text := saidIn(v[key]); text != "" {
				return text
			}
		}
	}
	return ""
}

// relationOf is what an event relates to, also where its type is not known to the library.
func relationOf(evt *event.Event) *event.RelatesTo {
	if m, ok := evt.Content.Parsed.(*event.MessageEventContent); ok {
		return m.RelatesTo
	}
	raw, ok := evt.Content.Raw["m.relates_to"].(map[string]any)
	if !ok {
		return nil
	}
	text := func(in map[string]any, key string) string { s, _ := in[key].(string); return s }
	relation := &event.RelatesTo{Type: event.RelationType(text(raw, "rel_type")), EventID: id.EventID(text(raw, "event_id"))}
	if reply, ok := raw["m.in_reply_to"].(map[string]any); ok {
		relation.InReplyTo = &event.InReplyTo{EventID: id.EventID(text(reply, "event_id"))}
	}
	return relation
}

// edited is the event that evt edits; "" when it is no edit.
func edited(evt *event.Event) string {
	relation := relationOf(evt)
	if relation == nil || relation.Type != event.RelReplace {
		return ""
	}
	return string(relation.EventID)
}
