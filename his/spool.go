package his

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// spool writes each item as an Edifact free message (MEDVRI) in a directory that other
// software empties: a mail agent, or the HIS itself. An attachment, which MEDVRI cannot
// carry, is in the directory bijlagen under the name that the message says.
//
//	20260601091300-000001042-0001-3K2J….edi
//	bijlagen/3K2J…-1-foto.jpg
//	.gedaan/<id>       an item that was handed over
//	.klaar/<id>.edi    one that is about to be
//
// What was handed over is gone from sight, so that an item is there once cannot be seen from
// the directory. It rests on the order: the whole message is put ready, then the item is
// noted as done, and then the message is moved to where it is taken from. The move is one
// step: a message that is still ready was never handed over, and one that is noted and no
// longer ready was.
type spool struct {
	dir     string
	parties Edifact
	busy    locks
	fault   func(step string) error // tests: fails a step; nil otherwise
}

// Edifact says between whom messages go: the addresses that both sides agreed on.
type Edifact struct {
	Sender, Receiver string
}

const (
	readyDir   = ".klaar"
	doneDir    = ".gedaan"
	filesDir   = "bijlagen"
	refLetters = 14 // the longest reference that an interchange has
)

func openSpool(s Settings) (Connector, error) {
	if !filepath.IsAbs(s.Dir) {
		return nil, fmt.Errorf("dir %q: give an absolute path", s.Dir)
	}
	if s.Edifact.Sender == "" || s.Edifact.Receiver == "" {
		return nil, errors.New("give the Edifact addresses of the sender and the receiver")
	}
	return &spool{dir: s.Dir, parties: s.Edifact}, nil
}

// reference is a name that no other item has; the same item always has the same.
func reference(item Item) string {
	return base32.StdEncoding.EncodeToString(item.ID[:])[:refLetters]
}

// File is Connector.File. The reference is the message's own.
func (s *spool) File(ctx context.Context, item Item) (Receipt, error) {
	if err := check(item); err != nil {
		return Receipt{}, err
	}
	item = filedAnew(item)
	unlock, err := s.busy.lock(ctx, item.ID.String())
	if err != nil {
		return Receipt{}, s.failed(item, err)
	}
	defer unlock()
	already, err := s.handOver(ctx, item)
	if err != nil {
		return Receipt{}, s.failed(item, err)
	}
	return Receipt{Reference: reference(item), Already: already}, nil
}

func (s *spool) failed(item Item, err error) error {
	return fmt.Errorf("file item %s in spool %s: %w", item.ID, s.dir, err)
}

func (s *spool) handOver(ctx context.Context, item Item) (already bool, err error) {
	top, err := s.place("")
	if err != nil {
		return false, err
	}
	defer top.close()
	ready, err := s.place(readyDir)
	if err != nil {
		return false, err
	}
	defer ready.close()
	message := readyDir + "/" + item.ID.String() + ".edi"
	done, err := top.has(doneDir + "/" + item.ID.String())
	if err != nil {
		return false, err
	}
	if done {
		waiting, err := top.has(message)
		if err != nil || !waiting {
			return true, err
		}
	} else if err := s.makeReady(ctx, item, &handing{top, ready, reference(item)}, message); err != nil {
		return false, err
	}
	name := fmt.Sprintf("%s-%09d-%04d-%s.edi", item.Sent.UTC().Format("20060102150405"), item.Conversation.Number, item.Seq, reference(item))
	if err := top.rename(message, name); err != nil {
		return false, err
	}
	return done, top.sync()
}

// handing is one item on its way through the directories of a spool.
type handing struct {
	top, ready *place
	ref        string
}

// makeReady writes the attachments and the whole message, and notes that it is done.
func (s *spool) makeReady(ctx context.Context, item Item, h *handing, message string) error {
	left, err := h.ready.list()
	if err == nil {
		err = h.ready.clear(left, h.ref)
	}
	if err != nil {
		return err
	}
	var names []string
	for n, a := range item.Attachments {
		names = append(names, fmt.Sprintf("%s-%d-%s", h.ref, n+1, fileName(a.Name)))
		if err := h.put(filesDir, names[n], func(w io.Writer) error { return copyAll(ctx, w, a) }); err != nil {
			return fmt.Errorf("attachment %d: %w", n+1, err)
		}
	}
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	if err := h.put(readyDir, item.ID.String()+".edi", text(medvri(item, s.parties, h.ref, names))); err != nil {
		return fmt.Errorf("the message: %w", err)
	}
	return h.put(doneDir, item.ID.String(), text(h.ref+"\n"))
}

// put makes a lasting file in a directory. It is written in the one directory that never
// holds much, so that what a crash leaves is found and removed by the next try.
func (h *handing) put(dir, name string, content func(io.Writer) error) error {
	part, err := h.ready.temporary(h.ref, content)
	if err != nil {
		return err
	}
	top, err := h.top.again()
	if err != nil {
		return err
	}
	at, err := top.below(dir)
	if err != nil {
		return err
	}
	defer at.close()
	if err := h.top.rename(readyDir+"/"+part, dir+"/"+name); err != nil {
		h.ready.remove(part) // the first error says what is wrong; the next try cleans up
		return err
	}
	return at.sync()
}

// place opens the spool, or a directory in it, which is made if need be.
func (s *spool) place(below string) (*place, error) {
	p, err := (&folder{dir: s.dir, fault: s.fault}).place()
	if err != nil || below == "" {
		return p, err
	}
	return p.below(below)
}

func (p *place) has(name string) (bool, error) {
	if err := p.step("stat"); err != nil {
		return false, bare("look for a file", err)
	}
	_, err := p.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, bare("look for a file", err)
}

// Check is Connector.Check: it makes a file and removes it.
func (s *spool) Check(ctx context.Context) error {
	return (&folder{dir: s.dir, fault: s.fault}).Check(ctx)
}
