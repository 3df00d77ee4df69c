package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// deliverFileEnd files that a conversation was closed, with one document: the literal question
// and answer and the summary by staff (requirement E6).
func (b *Bridge) deliverFileEnd(ctx context.Context, t task) (done delivery, err error) {
	item, err := b.itemFor(ctx, t)
	if err != nil {
		return done, err
	}
	system, err := b.systemIn(t.Lane)
	if err != nil {
		return done, err
	}
	item.ID, item.Kind = uuid.NewSHA1(item.Conversation.ID, []byte("closing")), his.KindClosing
	item.Author = his.Author{Role: his.RoleBridge}
	item.Conversation.Status = his.StatusClosed
	if item.Sent, err = b.closedAt(ctx, t); err != nil {
		return done, err
	}
	said, err := b.saidIn(ctx, t)
	if err != nil {
		return done, err
	}
	if err := b.document(ctx, &item, said, system); err != nil {
		return done, err
	}
	if err := b.tellGone(ctx, t, &item); err != nil {
		return done, err
	}
	if t.body.Taken { // also by an answer that is not among what was said here
		item.Closing.Unanswered = false
	}
	if t.body.By != "" {
		if item.Closing.ClosedBy, err = b.authorOf(ctx, item.Conversation, letter{Staff: true, Sender: t.body.By}); err != nil {
			return done, err
		}
	}
	item.Closing.Ending = endings[t.body.Reason]
	only := item.Closing.Only
	done.after = func(ctx context.Context) error {
		if err := b.callOffUnsaid(ctx, t, only); err != nil {
			return err
		}
		if err := b.Store.EndLane(ctx, t.Conversation, keptLane); err != nil {
			return err
		}
		return b.tellInRecord(ctx, t)
	}
	return b.file(ctx, t, item, done)
}

// perhapsReported is why something that was kept for a report counts as not in it: its sender took it back. But an
// earlier try, whose answer was lost, may have had it.
const perhapsReported = "an earlier try may have had it"

// callOffUnsaid calls off what was kept for a report that does not have it: its sender took it back before.
func (b *Bridge) callOffUnsaid(ctx context.Context, end task, only []int) error {
	filed, err := b.Store.Filings(ctx, end.Conversation)
	if err != nil {
		return err
	}
	for _, e := range filed {
		what, err := parseBody(e)
		if err != nil || e.ID >= end.ID || what.Edition != end.body.Edition || e.Lane != keptLane || slices.Contains(only, what.Seq) {
			continue
		}
		if e.State == store.EffectQueued && end.Attempt-1 > end.Vain {
			err = b.Store.SkipEffect(ctx, e.ID, perhapsReported)
		} else {
			err = b.Store.CallOff(ctx, e.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// closedAt is when a conversation was closed, also where that is filed anew later.
func (b *Bridge) closedAt(ctx context.Context, t task) (time.Time, error) {
	c, _, err := b.Store.Conversation(ctx, t.Conversation)
	if err != nil || c.ClosedAt.IsZero() {
		return t.CreatedAt, err
	}
	return c.ClosedAt, nil
}

// endings are what the HIS gets to know of why a conversation ended, by what staff were told.
var endings = map[string]his.Ending{
	"desk.withdrawn": his.EndingWithdrawn, "desk.declined": his.EndingDeclined, "desk.derde_ended": his.EndingGround,
	"desk.asked_again": his.EndingAnother, "desk.closed_in_his": his.EndingInSystem,
}

// A saying is one thing said in a conversation, as it goes into the document.
type saying struct {
	letter
	effect store.Effect
	sizes  []int64 // of the files; their bytes are read again when they are filed
	seq    []int   // its number, and those of its edits
	only   []int   // those of them that are filed nowhere else
	points bool    // its words have left the chat, and are in the record by themselves
	stands string  // the words that are left of it, or of what it was before
}

// change makes a saying read as an edit of it does. An edit of what is written with a file brings
// the file again, or another one.
func (s *saying) change(edit saying) {
	if edit.points { // what was there before still stands
		edit.Text = strings.TrimSpace(s.stands + "\n" + edit.Text)
	} else {
		s.stands = edit.Text
	}
	s.Text, s.seq, s.only = edit.Text, append(s.seq, edit.seq...), append(s.only, edit.only...)
	if len(edit.Files) > 0 {
		s.Files, s.sizes, s.effect = edit.Files, edit.sizes, edit.effect
	}
}

// saidIn is what was said in a conversation until it was closed, in order, each message as it
// reads in the end. It is read by reference: from the chat, or from where it was sealed.
func (b *Bridge) saidIn(ctx context.Context, end task) (all []saying, err error) {
	filed, err := b.Store.Filings(ctx, end.Conversation)
	if err != nil {
		return nil, err
	}
	place := map[string]int{}    // of an event, or of the one that it stands for
	removed := map[string]bool{} // events that their senders took back, or staff took out
	var notYet error
	for _, e := range filed {
		what, err := parseBody(e)
		if err == nil && store.IsTakenOut(e) {
			removed[e.SourceEvent], removed[what.Instead] = true, what.Instead != ""
		}
		if i, known := place[what.Target]; err == nil && known && e.Kind == "file.removal" && e.State == store.EffectDone {
			all[i].seq = append(all[i].seq, what.Seq)
		}
		if err != nil || e.ID >= end.ID || what.Edition != end.body.Edition || e.State == store.EffectSkipped ||
			e.Kind != "file" && !onlyKept[e.Kind] {
			continue
		}
		s, err := b.sayingOf(ctx, e)
		if errors.Is(err, ErrRedacted) {
			removed[e.SourceEvent] = true
			continue
		}
		if errors.Is(err, errNotYet) { // the others are waited for at the same time
			notYet = err
			continue
		}
		if err != nil {
			return nil, err
		}
		if what.Seq > 0 {
			s.seq = []int{what.Seq}
		}
		if e.Lane == keptLane {
			s.only = s.seq
		}
		if gone, err := b.unsaid(ctx, s, removed); err != nil {
			return nil, err
		} else if gone {
			continue
		}
		if i, known := place[s.Replaces]; known {
			all[i].change(s)
			place[e.SourceEvent] = i
			continue
		}
		if !s.points {
			s.stands = s.Text
		}
		place[e.SourceEvent] = len(all)
		if what.Instead != "" {
			place[what.Instead] = len(all)
		}
		all = append(all, s)
	}
	return all, notYet
}

// unsaid says that something is a wording of what its sender took back. Its homeserver may still
// have it, or it was sealed before it had to go. What was filed by itself, the record keeps.
func (b *Bridge) unsaid(ctx context.Context, s saying, removed map[string]bool) (bool, error) {
	if removed[s.Replaces] {
		return true, nil
	}
	if s.effect.Lane != keptLane && s.effect.State == store.EffectDone {
		return false, nil
	}
	return b.withdrawn(ctx, s.Replaces)
}

// sayingOf reads one thing that was said; ErrRedacted when its sender took it back before
// anything was filed. What was filed by itself and has left the chat since is only pointed to.
func (b *Bridge) sayingOf(ctx context.Context, e store.Effect) (s saying, err error) {
	s.effect = e
	s.letter, err = b.letterOf(ctx, e, calm)
	if errors.Is(err, ErrRedacted) || errors.Is(err, ErrNotFound) {
		if e.Lane == keptLane || e.State != store.EffectDone {
			return s, ErrRedacted
		}
		s.points = true
		s.letter, err = b.pointerTo(ctx, e)
		return s, err
	}
	for i := range s.Files {
		s.sizes = append(s.sizes, int64(len(s.Files[i].Data)))
		s.Files[i].Data = nil
	}
	return s, err
}

// pointerTo stands for what was filed by itself and has left the chat.
func (b *Bridge) pointerTo(ctx context.Context, e store.Effect) (l letter, err error) {
	room, _, err := b.Store.Room(ctx, e.SourceRoom)
	if err != nil {
		return l, err
	}
	what, err := parseBody(e)
	if err != nil {
		return l, err
	}
	turn, known, err := b.Store.Turn(ctx, e.SourceEvent, 0)
	l = letter{Sender: turn.Sender, Staff: room.Kind == store.RoomConversation || e.Kind == "file.answer", Sent: e.CreatedAt}
	if known {
		l.Sent, l.Replaces = turn.OriginAt, turn.Target
	}
	mark := his.Mark(his.EditionID(his.MessageID(what.inRecord(e)), what.Edition))
	l.Text = b.Texts.Text(recordLanguage, "filing.separate", texts.Args{Code: mark})
	return l, err
}

// document puts what was said in an item.
func (b *Bridge) document(ctx context.Context, item *his.Item, said []saying, system System) error {
	item.Closing = &his.Closing{}
	answered := false
	for _, s := range said {
		author, err := b.authorOf(ctx, item.Conversation, s.letter)
		if err != nil {
			return err
		}
		item.Closing.Only = append(item.Closing.Only, s.only...)
		if s.effect.Kind == "file.summary" {
			item.Closing.Summary, item.Closing.By = withoutCommand(s.Text), author
			continue
		}
		answered = answered || s.Staff
		words := his.Said{Seq: s.seq, Author: author, Sent: s.Sent.In(b.Zone), Text: s.Text}
		for i, f := range s.Files {
			words.Files = append(words.Files, f.Name)
			if s.effect.Lane == keptLane { // otherwise it was filed with its message
				item.Attachments = append(item.Attachments, b.attachment(ctx, s, i))
			}
		}
		item.Closing.Said = append(item.Closing.Said, words)
	}
	slices.Sort(item.Closing.Only)
	item.Closing.Unanswered = !answered
	if answered && item.Conversation.Category == categories[care.CareCategory] {
		item.Closing.Consult = system.Consult
	}
	return nil
}

// attachment is a file of what was said. Only one file at a time is in memory.
func (b *Bridge) attachment(ctx context.Context, s saying, i int) his.Attachment {
	return his.Attachment{
		ID: uuid.NewSHA1(his.MessageID(s.effect.SourceEvent), []byte{byte(i)}), Name: s.Files[i].Name,
		ContentType: s.Files[i].Type, Size: s.sizes[i],
		Open: func() (io.ReadCloser, error) {
			l, err := b.letterOf(ctx, s.effect, calm)
			if err != nil {
				return nil, err
			}
			if i >= len(l.Files) {
				return nil, errors.New("a file is not there any more")
			}
			return io.NopCloser(bytes.NewReader(l.Files[i].Data)), nil
		},
	}
}

// withoutCommand is what was typed after a command.
func withoutCommand(typed string) string {
	typed = strings.TrimSpace(typed)
	end := strings.IndexFunc(typed, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' })
	if end < 0 {
		return ""
	}
	return strings.TrimSpace(typed[end:])
}

// summaryCommand keeps what staff say about a conversation for its document: by reference to the
// command's own event.
func (b *Bridge) summaryCommand(ctx context.Context, r request) error {
	if len(r.args) == 0 {
		return b.usage(ctx, r, "summary")
	}
	c, err := b.caseInRoom(ctx, r.room)
	if err != nil {
		return err
	}
	if c.Conversation.State != care.Open {
		return b.mistake(ctx, r, "error.not_open")
	}
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		keep, err := b.fileJob(ctx, "file.summary", c.Conversation)
		if err != nil {
			return err
		}
		return b.add(ctx, aboutEvent(keep, r.place), b.reply(r.place, body{Text: "desk.summary"}))
	})
}
