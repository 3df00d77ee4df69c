package his

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// folder writes each item as files, for a HIS that watches a directory and for people:
//
//	<patient number>/<conversation number>/
//	    0001-1f0c4a7e9b2d.json          the Bundle, attachments included
//	    0001-1f0c4a7e9b2d.txt           the same for a person
//	    0001-1f0c4a7e9b2d-uitslag.pdf   an attachment
//
// Numbers are unique within a practice only, so each practice has its own folder. The
// patient is the account holder, also when the item is about a Derde: the directory
// stays the same through a conversation.
//
// Answers come from the directory antwoorden (folder_answers.go).
//
// A file appears whole and never changes. The .json comes last: where it is, the item
// is complete. What is not finished has a name that begins with a dot and ends in
// .part; what a crash left of it goes when the item is filed again. Two processes that
// file one item at once write the same bytes under the same names.
type folder struct {
	dir   string
	busy  locks
	fault func(step string) error // tests: fails a step; nil otherwise
}

func openFolder(s Settings) (Connector, error) {
	if !filepath.IsAbs(s.Dir) {
		return nil, fmt.Errorf("dir %q: give an absolute path", s.Dir)
	}
	return &folder{dir: s.Dir}, nil
}

// File is Connector.File. The reference is <conversation number>/<name>.json.
func (f *folder) File(ctx context.Context, item Item) (Receipt, error) { return f.put(ctx, item) }

// Copy is Copier.Copy: the letter, which says that it is a copy, and the Bundle under another name. What
// imports the Bundles has the answer, and gets it from here no second time. The reference is <conversation number>/<name>.txt.
func (f *folder) Copy(ctx context.Context, item Item) (Receipt, error) {
	item.copied, item.Attachments = true, nil
	return f.put(ctx, item)
}

func (f *folder) put(ctx context.Context, item Item) (Receipt, error) {
	if err := check(item); err != nil {
		return Receipt{}, err
	}
	item = filedAnew(item)
	patient, conversation := dirName(item.Conversation.Patient.Number), strconv.FormatInt(item.Conversation.Number, 10)
	unlock, err := f.busy.lock(ctx, patient+"/"+conversation)
	if err != nil {
		return Receipt{}, f.failed(item, err)
	}
	defer unlock()
	p, err := f.place(patient, conversation)
	if err != nil {
		return Receipt{}, f.failed(item, err)
	}
	defer p.close()
	name, already, err := p.file(ctx, item)
	if err != nil {
		return Receipt{}, f.failed(item, err)
	}
	return Receipt{Reference: path.Join(conversation, name), Already: already}, nil
}

// Check is Connector.Check: it makes a file and removes it.
func (f *folder) Check(context.Context) error {
	p, err := f.place()
	if err != nil {
		return fmt.Errorf("his folder %s: %w", f.dir, err)
	}
	defer p.close()
	name, err := p.temporary("check", func(w io.Writer) error {
		_, err := io.WriteString(w, "spreekkamer")
		return err
	})
	if err == nil {
		err = p.remove(name)
	}
	if err != nil {
		return fmt.Errorf("his folder %s: %w", f.dir, err)
	}
	return nil
}

// failed names the item and the configured folder; what is below the folder has a
// patient's number in it and does not go into logs.
func (f *folder) failed(item Item, err error) error {
	return fmt.Errorf("file item %s in folder %s: %w", item.ID, f.dir, err)
}

// place opens the directory below dir, and makes it if need be. It never makes dir:
// a share that is not mounted must not become a directory on our own disk.
func (f *folder) place(below ...string) (*place, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, bare("open", err)
	}
	p := &place{root: root, fault: f.fault}
	for _, name := range below {
		if p, err = p.below(name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// file returns the name of the item's Bundle, and whether it was there already.
func (p *place) file(ctx context.Context, item Item) (name string, already bool, err error) {
	entries, err := p.list()
	if err != nil {
		return "", false, err
	}
	if name, already = filedAs(entries, item); already {
		return name, true, p.sync() // the other try may have ended before its own
	}
	base, names := baseName(item), attachmentNames(item)
	steps := []func() error{
		func() error { return p.clear(entries, base) },
		func() error { return p.writeAttachments(ctx, item, names) },
		func() error { return p.writeText(item, names) },
		p.sync, // all else is lasting before the Bundle says that it is there
		func() error { return p.writeBundle(ctx, item, names) },
		p.sync,
	}
	if item.copied {
		slices.Reverse(steps[2:5]) // the letter is what says that it is there
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return "", false, err
		}
	}
	return base + item.lastFile(), false, nil
}

// clear removes what tries that did not end left behind.
func (p *place) clear(entries []string, base string) error {
	for _, left := range entries {
		if strings.HasPrefix(left, "."+base+".") && strings.HasSuffix(left, ".part") {
			if err := p.remove(left); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *place) writeText(item Item, names []string) error {
	err := p.write(baseName(item), baseName(item)+".txt", func(w io.Writer) error {
		_, err := io.WriteString(w, Readable(item, names))
		return err
	})
	if err != nil {
		return fmt.Errorf("the text: %w", err)
	}
	return nil
}

// CopyExt ends the name of the Bundle of a copy (see Copier), instead of .json: it is for reading, and
// must be imported nowhere.
const CopyExt = ".afschrift"

func (i Item) bundleExt() string {
	if i.copied {
		return CopyExt
	}
	return ".json"
}

// lastFile ends the name of the file that is written last.
func (i Item) lastFile() string {
	if i.copied {
		return ".txt"
	}
	return ".json"
}

// filedAs looks for the item under any Seq.
func filedAs(entries []string, item Item) (string, bool) {
	end := "-" + Mark(item.ID) + item.lastFile()
	i := slices.IndexFunc(entries, func(name string) bool {
		seq, ok := strings.CutSuffix(name, end)
		_, err := strconv.Atoi(seq)
		return ok && err == nil
	})
	if i < 0 {
		return "", false
	}
	return entries[i], true
}

func (p *place) writeAttachments(ctx context.Context, item Item, names []string) error {
	for i, a := range item.Attachments {
		if err := p.write(baseName(item), names[i], func(w io.Writer) error { return copyAll(ctx, w, a) }); err != nil {
			return fmt.Errorf("attachment %d: %w", i+1, err)
		}
	}
	return nil
}

// copyAll gives an error for more or fewer bytes than Size: a download that broke off
// looks like a short file.
func copyAll(ctx context.Context, w io.Writer, a Attachment) error {
	r, err := a.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(w, io.LimitReader(&untilDone{ctx, r}, a.Size+1))
	if err == nil && n != a.Size {
		err = fmt.Errorf("the data is not the %d bytes that were announced", a.Size)
	}
	return err
}

// writeBundle reads the attachments from the files just written: what was downloaded
// once is what is filed twice.
func (p *place) writeBundle(ctx context.Context, item Item, names []string) error {
	item.Attachments = slices.Clone(item.Attachments)
	for i := range item.Attachments {
		item.Attachments[i].Open = func() (io.ReadCloser, error) { return p.open(names[i]) }
	}
	bundle, err := Bundle(item)
	if err != nil {
		return err
	}
	err = p.write(baseName(item), baseName(item)+item.bundleExt(), func(w io.Writer) error {
		buffered := bufio.NewWriterSize(&untilDoneWriter{ctx, w}, 64<<10)
		return cmp.Or(bundle.Write(buffered), buffered.Flush())
	})
	if err != nil {
		return fmt.Errorf("the Bundle: %w", err)
	}
	return nil
}
