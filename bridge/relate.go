package bridge

import (
	"cmp"
	"context"
	"errors"
	"html"
	"maps"
	"strings"
	"unicode"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// relate points an edit, a reply or a part of a thread at the event that stands for its target
// over there; nil means that nothing has to be sent.
func (b *Bridge) relate(ctx context.Context, content map[string]any, m *event.MessageEventContent, l leg) (map[string]any, error) {
	switch {
	case m.RelatesTo == nil:
		return content, nil
	case m.RelatesTo.Type == event.RelReplace:
		return b.relateEdit(ctx, content, m.RelatesTo.EventID, l)
	}
	relation := map[string]any{}
	answered, err := b.answers(ctx, m.RelatesTo)
	if err != nil {
		return nil, err
	}
	reply, found, err := b.Store.MirrorOf(ctx, string(answered), l.room)
	if err != nil {
		return nil, err
	}
	if found {
		relation["m.in_reply_to"] = map[string]any{"event_id": reply}
	}
	if m.RelatesTo.Type == event.RelThread {
		root, known, err := b.Store.MirrorOf(ctx, string(m.RelatesTo.EventID), l.room)
		if err != nil {
			return nil, err
		}
		if known {
			inThread(relation, root, m.RelatesTo.IsFallingBack || !found)
		}
		found, answered = found || known, m.RelatesTo.EventID
	}
	if len(relation) > 0 {
		content["m.relates_to"] = relation
	}
	if !found && answered != "" {
		return content, b.quote(ctx, content, answered, l)
	}
	return content, nil
}

// inThread makes a relation a part of a thread. Clients without threads show it as a reply to
// something in it; when that is not known, to its root.
func inThread(relation map[string]any, root string, fallingBack bool) {
	relation["rel_type"], relation["event_id"], relation["is_falling_back"] = string(event.RelThread), root, fallingBack
	if relation["m.in_reply_to"] == nil {
		relation["m.in_reply_to"] = map[string]any{"event_id": root}
	}
}

// isAboutArriving says that an event is about one of ours which people see already, and of which the
// bridge has not stored yet that it arrived, and what it stands for: it was killed in between, or
// the homeserver's answer got lost. Until then nobody knows what a reaction, a tap or a reply means.
func (b *Bridge) isAboutArriving(ctx context.Context, p place) (bool, error) {
	relation, _ := p.event.Content.Raw["m.relates_to"].(map[string]any)
	answered, _ := relation["m.in_reply_to"].(map[string]any)
	for _, about := range []any{relation["event_id"], answered["event_id"]} {
		target, _ := about.(string)
		if target == "" {
			continue
		}
		if arriving, err := b.Store.IsArriving(ctx, target); err != nil || arriving {
			return arriving, err
		}
	}
	return false, nil
}

// counts says that an edit is one: of what its sender wrote in that room, and has not removed.
func (b *Bridge) counts(ctx context.Context, p place, target string) (bool, error) {
	if theirs, err := b.isAnothers(ctx, p, target); err != nil || theirs {
		return false, err
	}
	gone, err := b.withdrawn(ctx, target)
	return !gone, err
}

// isAnothers says that an edit is of what somebody else wrote, or of something in another room.
// Such an edit is none, and no client shows it (Matrix 1.15, 11.27.2.1: validity of replacement
// events). What we wrote ourselves is no turn.
func (b *Bridge) isAnothers(ctx context.Context, p place, target string) (bool, error) {
	t, known, err := b.Store.Turn(ctx, target, 0)
	if err != nil || known {
		return t.Sender != p.Sender || t.RoomID != p.RoomID, err
	}
	_, ours, err := b.Store.MirrorsOf(ctx, target)
	return ours, err
}

// relateEdit makes content the new wording of what stands for its target. A target that could
// not be carried has nothing over there that could change: then the new wording is a message.
func (b *Bridge) relateEdit(ctx context.Context, content map[string]any, target id.EventID, l leg) (map[string]any, error) {
	mirrored, known, err := b.Store.MirrorOf(ctx, string(target), l.room)
	if err != nil {
		return nil, err
	}
	if known {
		return editOf(content, mirrored), nil
	}
	if _, err := b.readEvent(ctx, id.RoomID(l.from), target); wasRemoved(err) {
		return nil, nil // what it edits was removed: its wordings go with it
	} else if errors.Is(err, errNotYet) {
		return nil, err
	}
	return content, nil
}

// maxFallback bounds what clients that know no edits show, in bytes.
const maxFallback = 500

// editOf wraps content as the new content of an event. It does not ring again, and says outside
// only what clients need that know no edits: twice the whole text would be too long.
func editOf(content map[string]any, target string) map[string]any {
	outer := maps.Clone(content)
	delete(outer, "format")
	delete(outer, "formatted_body")
	if text, ok := content["body"].(string); ok {
		outer["body"] = "* " + cut(text, maxFallback)
	}
	outer["m.mentions"] = map[string]any{}
	outer["m.new_content"] = content
	outer["m.relates_to"] = map[string]any{"rel_type": string(event.RelReplace), "event_id": target}
	return outer
}

// cut keeps at most n bytes, and no half character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

// maxQuote bounds what is quoted of another message, in bytes.
const maxQuote = 300

// quote puts the beginning of a message before one that answers it, when it cannot be pointed
// at over there: the patient's room lasts, and the one of staff is of one conversation.
func (b *Bridge) quote(ctx context.Context, content map[string]any, answered id.EventID, l leg) error {
	pair, known, err := b.Store.MirrorsOf(ctx, string(answered))
	if err != nil || !known || pair.TargetRoom == l.from && pair.SourceRoom == l.from {
		return err
	}
	evt, err := b.readEvent(ctx, id.RoomID(l.from), answered)
	if err != nil {
		return skipped(err)
	}
	m, ok := b.readable(evt, l.language)
	if !ok {
		return nil
	}
	c, known, err := b.Store.Conversation(ctx, pair.Conversation)
	if err != nil || !known {
		return err
	}
	head := b.Texts.Text(l.language, "relay.quote", texts.Args{Number: c.Number})
	said := cut(strings.ReplaceAll(l.scrub.words(m).plain, "\n", " "), maxQuote)
	body, _ := content["body"].(string)
	formatted, ok := content["formatted_body"].(string)
	if !ok {
		formatted = asHTML(body)
	}
	content["body"] = "> " + head + " " + said + "\n\n" + body
	content["format"] = string(event.FormatHTML)
	content["formatted_body"] = "<blockquote>" + html.EscapeString(head+" "+said) + "</blockquote>" + formatted
	return nil
}

// skipped is nil for what is removed or cannot be read: there is nothing to quote then. Nor is what its
// homeserver does not find worth waiting for.
func skipped(err error) error {
	if wasRemoved(err) || isFinal(err) || errors.Is(err, errNotYet) {
		return nil
	}
	return err
}

// likeOurs are what people react with that looks like a mark of ours, and how that is told apart: it says
// something else, and a homeserver takes the same from the bot only once.
var likeOurs = map[string]string{sentMark: "✔️", failedMark: "✖️"}

// deliverReaction carries a reaction to the event that stands for its target.
func (b *Bridge) deliverReaction(ctx context.Context, t task) (done delivery, err error) {
	evt, done, err := b.toCarry(ctx, t)
	if err != nil || evt == nil {
		return done, err
	}
	l, err := b.legOf(ctx, t, evt.Sender)
	if err != nil {
		return done, err
	}
	target, ok, err := b.Store.MirrorOf(ctx, t.body.Target, l.room)
	if err != nil || !ok {
		return done, err
	}
	key := evt.Content.AsReaction().RelatesTo.Key
	if !isEmoji(key) || saysFiled(key) {
		done.after = func(ctx context.Context) error { return b.add(ctx, toSender(t.Effect, "unsupported")...) }
		return done, nil
	}
	content := reaction(target, cmp.Or(likeOurs[key], key))
	if done.event, err = b.send(ctx, t, l.room, event.EventReaction, content); err != nil {
		return done, err
	}
	return b.arrived(ctx, t, l.room, done.event, content)
}

// maxReaction bounds the key of a reaction in bytes.
const maxReaction = 64

// isEmoji says that a reaction may cross: an emoji or a word, no letter, since reactions travel
// unencrypted; and no picture of somebody's homeserver.
func isEmoji(key string) bool {
	return key != "" && len(key) <= maxReaction && !strings.Contains(key, "://") && identifiers.FindString(key) == ""
}

// saysFiled says that a reaction reads like our own word that something is in the record: nobody says that
// in the bot's name.
func saysFiled(key string) bool {
	return strings.ContainsAny(key, "✓✔☑✅✗✖") && strings.ContainsFunc(key, unicode.IsLetter)
}

// deliverRelayedRemoval removes at the other side what was removed here, and its files. Who removes a command
// does not take back what it told the patient.
func (b *Bridge) deliverRelayedRemoval(ctx context.Context, t task) (done delivery, err error) {
	if m, _, err := b.Store.MirrorsOf(ctx, t.body.Target); err != nil || m.Kind == store.MirrorAdvice {
		return done, err
	}
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	target, ok, err := b.Store.MirrorOf(ctx, t.body.Target, room)
	if err != nil || !ok {
		return done, err
	}
	if err := b.Matrix.Redact(ctx, id.RoomID(room), id.EventID(target), t.TxnID); err != nil {
		return done, err
	}
	done.after = func(ctx context.Context) error { return b.forgotten(ctx, target) }
	return done, nil
}

// forgotten notes that an event was removed: it is read back like every removal, and its files
// are erased now.
func (b *Bridge) forgotten(ctx context.Context, eventID string) error {
	if err := b.Store.MarkRedacted(ctx, eventID, b.Now().Add(verifyAfter)); err != nil {
		return err
	}
	if err := b.Store.HurryMedia(ctx, eventID, b.Now()); err != nil {
		return err
	}
	b.ledger.ring()
	return nil
}

// filesIn lists the addresses of the files that content of ours shows.
func filesIn(content map[string]any) (all []string) {
	for key, value := range content {
		inside, is := value.(map[string]any)
		switch file, encrypted := value.(*event.EncryptedFileInfo); {
		case encrypted:
			all = append(all, string(file.URL))
		case is && (key == "file" || key == "thumbnail_file"):
			if uri, ok := inside["url"].(string); ok {
				all = append(all, uri)
			}
		case is && (key == "info" || key == "m.new_content"):
			all = append(all, filesIn(inside)...)
		}
	}
	return all
}
