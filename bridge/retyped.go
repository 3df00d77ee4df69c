package bridge

import (
	"context"
	"errors"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// A command is carried out once, as it was typed first. An edit of one is neither carried out nor handed
// on, whatever it says now; nor does an edit make a command of something else. Staff would think
// otherwise, so they are told (requirement B2), and type it anew.

// toldOfEdit ends the turn of an edit by staff that is about a command, with why it leads to nothing.
func (b *Bridge) toldOfEdit(ctx context.Context, p place) (told bool, err error) {
	text, err := b.retyped(ctx, p)
	if err != nil || text == "" {
		return false, err
	}
	return true, b.refuseWith(ctx, p, body{Text: text, Reply: edited(p.event)})
}

// retyped is the text that says why an edit leads to nothing; "" = it is about no command.
func (b *Bridge) retyped(ctx context.Context, p place) (text string, err error) {
	target := edited(p.event)
	if target == "" {
		return "", nil
	}
	was, err := b.wasCommand(ctx, p, target)
	switch {
	case err != nil:
		return "", err
	case was:
		return "command.edited", nil
	case !startsAsCommand(b.newText(p.event)):
		return "", nil
	case p.room.Kind == store.RoomConversation:
		return "desk.edit_is_command", nil
	}
	return "command.edited_into", nil
}

// wasCommand says that what is edited was typed as a command. What can be read no more is taken for
// none: what the edit says decides.
func (b *Bridge) wasCommand(ctx context.Context, p place, target string) (bool, error) {
	if m, crossed, err := b.Store.MirrorsOf(ctx, target); err != nil || crossed { // of commands only an advice does
		return m.Kind == store.MirrorAdvice, err
	}
	evt, err := b.readEvent(ctx, p.roomID(), id.EventID(target))
	switch {
	case err == nil:
		return isCommand(evt), nil
	case wasRemoved(err), isUnread(err):
		return false, nil
	case errors.Is(err, errNotYet):
		return false, err
	}
	return false, errors.Join(errAway, err)
}

// newText is what an edit says: without what older clients put before it.
func (b *Bridge) newText(evt *event.Event) string {
	m, ok := b.readable(evt, b.Language)
	switch {
	case !ok:
		return ""
	case m.NewContent != nil:
		return event.TrimReplyFallbackText(m.NewContent.Body)
	}
	said, _ := strings.CutPrefix(strings.TrimSpace(m.Body), "*")
	return strings.TrimSpace(event.TrimReplyFallbackText(strings.TrimSpace(said)))
}
