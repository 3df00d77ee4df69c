package faults

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// closing is what the document about a whole conversation begins with, removed the letter about a
// message that its sender removed after it was filed.
const (
	closing = "Afsluiting van het gesprek"
	removed = "Verwijderd door de "
)

// A letter is one document in the HIS folder, with the files that came with it.
type letter struct {
	mark  string // by what other letters name it
	text  string
	files []string
}

// inTheHIS looks at the letters and attachments in the HIS folder.
func (b *bed) inTheHIS(all []*message, word string, from int) (t tally) {
	letters := b.readHIS()
	first, edits := map[int][]letter{}, map[int]int{}
	var order []int
	for _, l := range letters {
		n := numberIn(l.text, word)
		switch {
		case n <= from:
		case strings.Contains(l.text, "verbeterd "+word):
			edits[n]++
		default:
			first[n] = append(first[n], l)
			order = append(order, n)
		}
	}
	for _, m := range all {
		t.add(m.filing(first[m.n], edits[m.n], letters))
	}
	t.order("in the HIS, "+word, order)
	return t
}

// filing looks at the letters that say a message, beside all others.
func (m *message) filing(first []letter, edits int, others []letter) (t tally) {
	switch {
	case m.unfiled && len(first)+edits > 0:
		t.lost("the removal of %s (%s) before it was in the HIS", m.text(), m.kind)
	case len(first) == 0 && !m.gone: // what was removed in time is not filed
		t.lost("%s (%s) in the HIS", m.text(), m.kind)
	case m.gone && len(first) == 1 && !isRemoved(first[0], others):
		t.lost("that %s (%s) was removed, in the HIS", m.text(), m.kind)
	}
	if len(first) > 1 || edits > 1 {
		t.doubled("%s (%s) in the HIS: %d times, edits %d", m.text(), m.kind, len(first), edits)
	}
	if m.edited != "" && edits == 0 {
		t.lost("the edit of %s in the HIS", m.text())
	}
	for _, l := range first {
		t.once(m.filesIn(l), "the file of %s in the HIS", m.text())
	}
	return t
}

// isRemoved says that a later letter tells of the removal of one.
func isRemoved(l letter, all []letter) bool {
	return slices.ContainsFunc(all, func(other letter) bool {
		return strings.HasPrefix(other.text, removed) && strings.Contains(other.text, l.mark)
	})
}

// filesIn counts the files of a message that came with a letter: one, also when it has none.
func (m *message) filesIn(l letter) (n int) {
	if m.filed == "" {
		return 1
	}
	for _, name := range l.files {
		if strings.HasSuffix(name, m.filed) {
			n++
		}
	}
	return n
}

// isIn says that what came with a message is in a letter as it was sent.
func (m *message) isIn(l letter) bool {
	if m.filed == "" {
		return true
	}
	for _, name := range l.files {
		if data, err := os.ReadFile(name); err == nil && strings.HasSuffix(name, m.filed) {
			return bytes.Equal(data, m.file) || samePicture(m.file, data)
		}
	}
	return false
}

// filedName is what the names of all files of one letter begin with.
var filedName = regexp.MustCompile(`^\d+-([0-9a-z]+)`)

// readHIS reads the letters of all conversations that are complete, in their order. Files never
// change, so each is read once. The document of a whole conversation says only once more what was filed.
func (b *bed) readHIS() (letters []letter) {
	files, _ := filepath.Glob(filepath.Join(b.his, "*", "*", "[0-9]*"))
	slices.SortFunc(files, inFilingOrder)
	with := map[string][]string{}
	for _, file := range files {
		base := filepath.Join(filepath.Dir(file), filedName.FindString(filepath.Base(file)))
		if strings.HasPrefix(file, base+"-") {
			with[base] = append(with[base], file)
		}
	}
	for _, file := range files {
		base, complete := strings.CutSuffix(file, ".json") // which comes last
		name := filedName.FindStringSubmatch(filepath.Base(file))
		if !complete || name == nil {
			continue
		}
		if text, readable := b.letter(base + ".txt"); readable && !strings.HasPrefix(text, closing) {
			letters = append(letters, letter{name[1], text, with[base]})
		}
	}
	return letters
}

func (b *bed) letter(file string) (text string, readable bool) {
	if text, known := b.letters[file]; known {
		return text, true
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	b.letters[file] = string(data)
	return string(data), true
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
