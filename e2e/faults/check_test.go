package faults

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
			if n := numberIn(e.Body(), word); n > from && e.Sender != reader {
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
	if m.answers != "" && !strings.Contains(bodyOf(rooms, e.RelatesTo.ReplyTo.EventID), m.answers) {
		t.lost("what %s replies to", m.text())
	}
	for _, key := range m.keys {
		t.once(countReactions(e, key), "the reaction to %s", m.text())
	}
	return t
}

func bodyOf(rooms []client.Room, id string) string {
	for _, room := range rooms {
		if e, found := room.Event(id); found {
			return e.Body()
		}
	}
	return ""
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

// closing is what the document about a whole conversation begins with.
const closing = "Afsluiting van het gesprek"

// inTheHIS looks at the letters and attachments in the HIS folder.
func (b *bed) inTheHIS(all []*message, word string, from int) (t tally) {
	letters, attachments := b.readHIS()
	first, edits := map[int]int{}, map[int]int{}
	var order []int
	for _, letter := range letters {
		n := numberIn(letter, word)
		switch {
		case n <= from, strings.HasPrefix(letter, closing): // which says again what was said
		case strings.Contains(letter, "verbeterd "+word):
			edits[n]++
		default:
			first[n]++
			order = append(order, n)
		}
	}
	for _, m := range all {
		times := first[m.n]
		if times == 0 && !m.gone { // what was removed in time is not filed
			t.lost("%s (%s) in the HIS", m.text(), m.kind)
		}
		if times > 1 || edits[m.n] > 1 {
			t.doubled("%s (%s) in the HIS: %d times, edits %d", m.text(), m.kind, times, edits[m.n])
		}
		if m.edited != "" && edits[m.n] == 0 {
			t.lost("the edit of %s in the HIS", m.text())
		}
		if m.file != nil {
			t.once(attachments[m.attachment()], "the attachment of %s in the HIS", m.text())
		}
	}
	t.order("in the HIS, "+word, order)
	return t
}

// readHIS reads the letters of all conversations, in their order, and counts the attachments by
// name. Files never change, so each is read once.
func (b *bed) readHIS() (letters []string, attachments map[string]int) {
	attachments = map[string]int{}
	files, _ := filepath.Glob(filepath.Join(b.his, "*", "*", "[0-9]*"))
	slices.SortFunc(files, inFilingOrder)
	for _, file := range files {
		base, name, found := strings.Cut(filepath.Base(file), "-bijlage-")
		switch {
		case found:
			name = strings.TrimSuffix(name, filepath.Ext(name))
			attachments["bijlage-"+name]++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), base+".json")); err != nil {
				attachments["bijlage-"+name]-- // not complete before the Bundle is there
			}
		case strings.HasSuffix(file, ".json"):
			letter := strings.TrimSuffix(file, ".json") + ".txt"
			if _, known := b.letters[letter]; !known {
				text, err := os.ReadFile(letter)
				if err != nil {
					continue
				}
				b.letters[letter] = string(text)
			}
			if strings.HasPrefix(b.letters[letter], "Afsluiting van het gesprek") {
				continue // the document says once more what was filed
			}
			letters = append(letters, b.letters[letter])
		}
	}
	return letters, attachments
}

// inFilingOrder sorts files by conversation and then by name.
func inFilingOrder(a, b string) int {
	one, _ := strconv.Atoi(filepath.Base(filepath.Dir(a)))
	other, _ := strconv.Atoi(filepath.Base(filepath.Dir(b)))
	if one != other {
		return one - other
	}
	return strings.Compare(filepath.Base(a), filepath.Base(b))
}

// compareFiles downloads what came with messages and compares it with what was sent.
func (b *bed) compareFiles(ctx context.Context, w *writer, from int) (t tally) {
	for _, m := range w.messages()[from:] {
		if m.file == nil {
			continue
		}
		e, found := b.shownAt(w.other, m)
		if !found {
			continue // counted as lost already
		}
		data, err := w.other.who.Download(ctx, e)
		if err != nil || !bytes.Equal(data, m.file) && !samePicture(m.file, data) {
			t.lost("the file of %s: %d bytes, %v", m.text(), len(data), err)
		}
	}
	return t
}

func (b *bed) shownAt(other *writer, m *message) (client.Event, bool) {
	for _, room := range b.roomsOf(other) {
		if e, found := room.Text(m.text()); found {
			return e, true
		}
	}
	return client.Event{}, false
}
