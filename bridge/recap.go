package bridge

import (
	"context"
	"html"
	"maps"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// Who is asked into a conversation room later has no keys for what was said before. When they
// come in, or when somebody types !terug, the bot says it again: in one thread, so that the
// others are not bothered, each message by itself, so that it can go together with what it
// repeats (retention, and removal by its sender).

// staffEntered shows earlier messages to who comes in late: once, also for several who were
// asked in before it was shown.
func (b *Bridge) staffEntered(ctx context.Context, p place) error {
	if p.event.Content.AsMember().Membership != event.MembershipJoin || p.event.GetStateKey() != p.Sender {
		return b.finish(ctx, p, nil)
	}
	member, ok, err := b.member(ctx, p)
	if err != nil {
		return err
	}
	c, err := b.caseInRoom(ctx, p.room)
	if err != nil {
		return err
	}
	since, known, err := b.Store.StaffSince(ctx, p.RoomID, p.Sender)
	if err != nil {
		return err
	}
	shown, err := b.Store.RecapAt(ctx, c.Conversation.ID)
	if err != nil {
		return err
	}
	if !ok || !member.Role.May(care.MayAnswer) || c.Conversation.State != care.Open || !known || !shown.Before(since) {
		return b.finish(ctx, p, nil)
	}
	missed, err := b.Store.SaidIn(ctx, c.Conversation.ID, p.RoomID, since)
	if err != nil {
		return err
	}
	if len(missed) == 0 {
		return b.finish(ctx, p, nil)
	}
	return b.recap(ctx, p, c, since)
}

// recapCommand: !terug. For who has a new device, or none when it was said.
func (b *Bridge) recapCommand(ctx context.Context, r request) error {
	c, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	if c.Conversation.ID == "" {
		return b.mistake(ctx, r, "error.not_open")
	}
	return b.recap(ctx, r.place, c, b.Now())
}

func (b *Bridge) recap(ctx context.Context, p place, c care.Case, until time.Time) error {
	return b.finish(ctx, p, func(ctx context.Context) error {
		if err := b.Store.SetRecapAt(ctx, c.Conversation.ID, b.Now()); err != nil {
			return err
		}
		e := ofPerson(job("recap", conversation(c.Conversation.ID), body{Text: "desk.recap", At: until.UnixMilli()}), c.Person)
		e.Conversation = c.Conversation.ID
		return b.add(ctx, e)
	})
}

// deliverRecap begins the thread; what was said follows as effects of their own.
func (b *Bridge) deliverRecap(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	text, err := b.staffText(ctx, t)
	if err != nil {
		return done, err
	}
	if done.event, err = b.send(ctx, t, room, event.EventMessage, message(event.MsgNotice, text)); err != nil {
		return done, err
	}
	said, err := b.Store.SaidIn(ctx, t.Conversation, room, time.UnixMilli(t.body.At))
	done.after = func(ctx context.Context) error {
		for _, one := range said {
			e := job("recap.copy", t.Destination, body{Target: string(done.event)})
			e.Person, e.Conversation, e.SourceEvent, e.SourceRoom = t.Person, t.Conversation, one.Event, one.Room
			if err := b.add(ctx, e); err != nil {
				return err
			}
		}
		return nil
	}
	return done, err
}

// deliverRecapCopy says one message again. What is gone, and what is no message, is left out.
func (b *Bridge) deliverRecapCopy(ctx context.Context, t task) (done delivery, err error) {
	room, err := b.roomOfDestination(ctx, t)
	if err != nil {
		return done, err
	}
	sent := id.EventID(t.EventID)
	if sent == "" {
		evt, err := b.readEvent(ctx, t.sourceRoom(), t.sourceEvent())
		if wasRemoved(err) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
		content, err := b.again(ctx, evt, t.body.Target)
		if err != nil || content == nil {
			return done, err
		}
		if sent, err = b.send(ctx, t, room, event.EventMessage, content); err != nil {
			return done, err
		}
	}
	done.event = sent
	done.after = func(ctx context.Context) error {
		row := store.LedgerRow{EventID: string(sent), RoomID: room, Type: event.EventEncrypted.Type, Own: true, SentAt: b.Now()}
		return b.Store.GoWith(ctx, row, t.SourceEvent)
	}
	return done, nil
}

// again is the content of a message once more, in a thread, with when it was said and by whom; nil when it is
// none. Files are pointed at where they are: the new message gives their keys. A poll becomes a text, since
// nobody could vote in two.
func (b *Bridge) again(ctx context.Context, evt *event.Event, thread string) (map[string]any, error) {
	m, ok := b.readable(evt, b.Language)
	if !ok {
		return nil, nil
	}
	said, head := evt.Content.Raw, time.UnixMilli(evt.Timestamp).In(b.Zone).Format("02-01-2006 15:04")
	if changed, ok := said["m.new_content"].(map[string]any); ok && edited(evt) != "" {
		said, head = changed, head+", "+b.Texts.Text(b.Language, "edited", b.practiceArgs(b.practice("")))
		if m = m.NewContent; m == nil {
			return nil, nil
		}
	}
	if staff, known, err := b.Store.Staff(ctx, string(evt.Sender)); err != nil {
		return nil, err
	} else if known {
		head += " " + staff.Name
	}
	content := maps.Clone(said)
	maps.DeleteFunc(content, func(key string, _ any) bool { return !repeated[key] })
	content["msgtype"] = string(m.MsgType)
	if m.MsgType == event.MsgText {
		content["msgtype"] = string(event.MsgNotice) // it has rung already
	}
	if m.MsgType.IsMedia() {
		content["filename"] = m.GetFileName()
	}
	content["body"], content["format"] = head+": "+m.Body, string(event.FormatHTML)
	content["formatted_body"] = html.EscapeString(head) + ": " + formatted(m)
	content["m.mentions"] = map[string]any{}
	content["m.relates_to"] = map[string]any{
		"rel_type": string(event.RelThread), "event_id": thread, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": thread},
	}
	return content, nil
}

// formatted is the text of a message as it stands in the same room already.
func formatted(m *event.MessageEventContent) string {
	if m.Format == event.FormatHTML && m.FormattedBody != "" {
		return m.FormattedBody
	}
	return asHTML(m.Body)
}

// repeated are the fields of a message that are said again.
var repeated = map[string]bool{
	"file": true, "url": true, "info": true, "geo_uri": true, "org.matrix.msc3245.voice": true, "org.matrix.msc1767.audio": true,
}
