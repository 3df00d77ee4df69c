package bridge

import (
	"context"
	"errors"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// A letter is what there is to file of one event.
type letter struct {
	Sender   string
	As       string `json:",omitempty"` // who wrote it elsewhere, with their function
	Staff    bool   // written in the conversation room
	Sent     time.Time
	Text     string
	ReplyTo  string
	Replaces string
	Files    []letterFile
}

type letterFile struct {
	Name, Type string
	Data       []byte
}

// letterOf reads what an effect files: from the chat, or sealed when the chat had to go
// before the HIS took it (requirement D6).
func (b *Bridge) letterOf(ctx context.Context, e store.Effect, u urgency) (l letter, err error) {
	if l, found, err := b.sealedLetter(ctx, e.ID); err != nil || found {
		return l, err
	}
	what, err := parseBody(e)
	if err != nil {
		return l, err
	}
	if what.Text != "" { // a text of ours that a command sent; it stands whatever becomes of the command
		l = letter{Sender: what.By, Staff: true, Sent: e.CreatedAt}
		if what.At > 0 {
			l.Sent = time.UnixMilli(what.At)
		}
		if turn, known, err := b.Store.Turn(ctx, e.SourceEvent, 0); err != nil {
			return l, err
		} else if known { // also where it is filed anew, later
			l.Sent = turn.OriginAt
		}
		l.Text, err = b.adviceText(ctx, task{e, what})
		return l, err
	}
	evt, err := b.readEvent(ctx, task{Effect: e}.sourceRoom(), task{Effect: e}.sourceEvent())
	if err != nil {
		return l, err
	}
	room, _, err := b.Store.Room(ctx, e.SourceRoom)
	if err != nil {
		return l, err
	}
	l = letter{Sender: string(evt.Sender), Staff: room.Kind == store.RoomConversation, Sent: time.UnixMilli(evt.Timestamp)}
	if e.Kind == "file.answer" {
		l.As, l.Text = spokenAs(evt)
		l.Staff, l.ReplyTo = true, string(evt.Content.AsMessage().RelatesTo.GetReplyTo())
		return l, nil
	}
	m, ok := b.readable(evt, recordLanguage)
	if !ok {
		return l, nil // something that cannot be carried: that it was there is filed
	}
	person, _, err := b.Store.Person(ctx, e.Person)
	if err != nil {
		return l, err
	}
	if err := b.fillLetter(ctx, &l, m, b.scrubberFor(ctx, person, recordLanguage), u); err != nil {
		return l, err
	}
	if l.ReplyTo, err = b.repliedTo(ctx, e, l, u); err != nil {
		return l, err
	}
	if what.Late {
		l.Text = strings.TrimSpace(b.lateMark(recordLanguage, l.Sent) + " " + l.Text)
	}
	return l, nil
}

// referenceAttempts is how often filing an edit waits for what it edits, only to say what that answers.
const referenceAttempts = 5

// repliedTo is what a letter answers. An edit does not say so itself: what it edits does, for as long
// as that is there. The words are worth more than that reference: they do not wait for it when the
// chat has to go, nor for ever.
func (b *Bridge) repliedTo(ctx context.Context, e store.Effect, l letter, u urgency) (string, error) {
	if l.Replaces == "" || l.ReplyTo != "" {
		return l.ReplyTo, nil
	}
	evt, err := b.readEvent(ctx, task{Effect: e}.sourceRoom(), id.EventID(l.Replaces))
	if err == nil {
		answered, err := b.answers(ctx, evt.Content.AsMessage().RelatesTo)
		return string(answered), err
	}
	lasting := wasRemoved(err) || errors.Is(err, ErrNoKey) || errors.Is(err, ErrUnreadable) || errors.Is(err, ErrRefused)
	if lasting || u == pressed || e.Attempt > referenceAttempts {
		return "", nil
	}
	return "", err
}

func (b *Bridge) fillLetter(ctx context.Context, l *letter, m *event.MessageEventContent, s scrubber, u urgency) error {
	if m.RelatesTo != nil {
		answered, err := b.answers(ctx, m.RelatesTo)
		if err != nil {
			return err
		}
		l.ReplyTo = string(answered)
		if m.RelatesTo.Type == event.RelReplace {
			l.Replaces = string(m.RelatesTo.EventID)
		}
	}
	if m.NewContent != nil && l.Replaces != "" {
		m = m.NewContent
	}
	if m.File == nil && m.URL == "" {
		l.Text = s.words(m).plain
		if m.MsgType == event.MsgLocation {
			l.Text += "\n" + places.FindString(m.GeoURI)
		}
		return nil
	}
	l.Text = s.caption(m).plain
	f, err := b.fetch(ctx, m, u)
	if why := reasonOf(err); why != "" { // the record says that there was a file, and why it is not there
		missing := b.Texts.Text(recordLanguage, "filing.missing", texts.Args{Reason: b.Texts.Text(recordLanguage, "filing."+why, texts.Args{})})
		l.Text = strings.TrimPrefix(l.Text+"\n"+missing, "\n")
		return nil
	}
	if err != nil {
		return err
	}
	// What staff see is what is filed: cleaned, and called what it is.
	l.Files = []letterFile{{Name: s.fileName(m, f.Type), Type: typeOf(m, f.Type), Data: f.Data}}
	return nil
}

// spokenAs takes apart what we sent in the name of somebody: who that is, and what they said.
func spokenAs(evt *event.Event) (who, said string) {
	shown, _ := evt.Content.Raw["com.beeper.per_message_profile"].(map[string]any)
	who, _ = shown["displayname"].(string)
	return who, strings.TrimPrefix(evt.Content.AsMessage().Body, who+": ")
}
