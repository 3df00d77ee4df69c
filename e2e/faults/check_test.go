package faults

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// check counts what became of the messages of a writer from a number on, at the other side and
// in the HIS folder.
func (b *bed) check(w *writer, from int) (t tally) {
	all := w.messages()[from:]
	t.Messages = len(all)
	t.add(b.atTheOtherSide(all, w, from))
	t.add(b.inTheHIS(all, w.word, from))
	return t
}

// atTheOtherSide looks at the rooms of the other side, in the order in which they were made.
func (b *bed) atTheOtherSide(all []*message, w *writer, from int) (t tally) {
	t = judge(all, w.word, from, b.roomsOf(w.other), w.other.who.UserID)
	for _, m := range all {
		if m.praised != "" {
			t.add(m.praise(w.who.Room(m.side.room)))
		}
	}
	return t
}

// judge looks at what rooms show of messages, but not at what the reader wrote there.
func judge(all []*message, word string, from int, rooms []client.Room, reader string) (t tally) {
	shown := map[int][]client.Event{}
	var order []int
	for _, room := range rooms {
		for _, e := range room.Messages() {
			if e.Sender == reader || !bytes.Contains(e.Latest(), []byte(word)) {
				continue
			}
			if n := numberOf(e, word); n > from {
				shown[n] = append(shown[n], e)
				order = append(order, n)
			}
		}
	}
	for _, m := range all {
		t.add(m.became(shown[m.n], rooms))
	}
	t.order("at the other side of "+word, order)
	return t
}

// praise looks for the reaction of the other side, at the message as it was sent.
func (m *message) praise(room client.Room) (t tally) {
	e, _ := room.Event(m.id)
	t.once(countReactions(e, m.praised), "the reaction of the other side to %s", m.text())
	return t
}

// became looks at the events that show a message.
func (m *message) became(shown []client.Event, rooms []client.Room) (t tally) {
	switch {
	case m.gone && len(shown) > 0:
		t.lost("the removal of %s", m.text())
		return t
	case m.gone:
		return t
	case len(shown) == 0:
		t.lost("%s (%s)", m.text(), m.kind)
		return t
	case len(shown) > 1:
		t.doubled("%s (%s) shown %d times", m.text(), m.kind, len(shown))
	}
	e := shown[0]
	if m.edited != "" && !strings.Contains(e.Body(), m.edited) {
		t.lost("the edit of %s", m.text())
	}
	if m.answers != "" && !about(rooms, e.RelatesTo.ReplyTo.EventID, m.answers) {
		t.lost("what %s replies to", m.text())
	}
	if m.thread != "" && (e.RelatesTo.Type != "m.thread" || !about(rooms, e.RelatesTo.EventID, m.thread)) {
		t.lost("the thread of %s", m.text())
	}
	for _, key := range m.keys {
		t.once(countReactions(e, key), "the reaction to %s", m.text())
	}
	if m.taken != "" && countReactions(e, m.taken) > 0 {
		t.lost("that the reaction to %s was taken away", m.text())
	}
	if m.hidden != "" && bytes.Contains(e.Latest(), []byte(m.hidden)) {
		t.lost("the name in place of the address in %s", m.text())
	}
	return t
}

// about says that an event shows a message with a text.
func about(rooms []client.Room, id, text string) bool {
	for _, room := range rooms {
		if e, found := room.Event(id); found {
			return bytes.Contains(e.Latest(), []byte(text))
		}
	}
	return false
}

func countReactions(e client.Event, key string) (n int) {
	for _, r := range e.Reactions {
		if r.Key == key {
			n++
		}
	}
	return n
}

// roomsOf are the rooms in which a side has been, oldest first.
func (b *bed) roomsOf(w *writer) (rooms []client.Room) {
	ids := []string{w.room}
	if w == b.staff {
		ids = b.talkRooms
	}
	for _, id := range ids {
		rooms = append(rooms, w.who.Room(id))
	}
	return rooms
}

// compare looks closely at what arrived: what kind of message it is, and whether what came with it
// is what was sent, at the other side and in the HIS.
func (b *bed) compare(ctx context.Context, w *writer, from int) (t tally) {
	letters := b.readHIS()
	for _, m := range w.messages()[from:] {
		e, found := b.shownAt(w.other, m)
		if m.gone || !found {
			continue // counted as lost already
		}
		if err := m.compare(ctx, w.other.who, e); err != nil {
			t.lost("%s as it was sent: %v", m.text(), err)
		}
		for _, l := range letters {
			if numberIn(l.text, w.word) == m.n && !m.isIn(l) {
				t.lost("the file of %s in the HIS, byte for byte", m.text())
			}
		}
	}
	return t
}

func (m *message) compare(ctx context.Context, who *client.Client, e client.Event) error {
	if m.like.Name != "" {
		return m.like.Check(ctx, who, e)
	}
	if m.file == nil {
		return nil
	}
	data, err := who.Download(ctx, e)
	if err == nil && !bytes.Equal(data, m.file) && !samePicture(m.file, data) {
		err = fmt.Errorf("%d bytes that are not the %d that should", len(data), len(m.file))
	}
	return err
}

func (b *bed) shownAt(other *writer, m *message) (client.Event, bool) {
	for _, room := range b.roomsOf(other) {
		e, found := room.Find(func(e client.Event) bool {
			return e.IsMessage() && e.Sender != other.who.UserID && numberOf(e, m.side.word) == m.n
		})
		if found {
			return e, true
		}
	}
	return client.Event{}, false
}
