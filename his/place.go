package his

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spreekkamer/spreekkamer/internal/faultpoint"
)

// place is one directory. Nothing done in it can reach outside, whatever a name or a
// symbolic link says (os.Root). Its errors have no paths: those hold patient numbers.
type place struct {
	root  *os.Root
	fault func(step string) error
}

func (p *place) close() { p.root.Close() }

// step is where tests make things fail.
func (p *place) step(name string) error {
	faultpoint.Here("before " + name)
	if p.fault == nil {
		return nil
	}
	return p.fault(name)
}

// below goes into a directory and leaves the one it came from. A new directory is
// made lasting; one that is there may be from a try that ended before that.
func (p *place) below(name string) (*place, error) {
	defer p.close()
	err := p.step("mkdir")
	if err == nil {
		err = p.root.Mkdir(name, 0o700)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, bare("make a directory", err)
	}
	if err := p.sync(); err != nil {
		return nil, err
	}
	root, err := p.root.OpenRoot(name)
	if err != nil {
		return nil, bare("open a directory", err)
	}
	return &place{root: root, fault: p.fault}, nil
}

func (p *place) list() ([]string, error) {
	err := p.step("list")
	if err != nil {
		return nil, bare("list", err)
	}
	dir, err := p.root.Open(".")
	if err != nil {
		return nil, bare("list", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	return names, bare("list", err)
}

func (p *place) open(name string) (io.ReadCloser, error) {
	err := p.step("open")
	if err != nil {
		return nil, bare("open again", err)
	}
	file, err := p.root.Open(name)
	if err != nil {
		return nil, bare("open again", err)
	}
	return bareReader{file}, nil
}

// write makes a file that is there as a whole or not at all. base is whose it is.
func (p *place) write(base, name string, content func(io.Writer) error) error {
	part, err := p.temporary(base, content)
	if err != nil {
		return err
	}
	if err = p.rename(part, name); err != nil {
		p.remove(part) // the first error says what is wrong; the next try cleans up
	}
	return err
}

// rename moves a file, also between directories below this one.
func (p *place) rename(from, to string) error {
	err := p.step("rename")
	if err == nil {
		err = p.root.Rename(from, to)
	}
	return bare("rename", err)
}

// again is the same directory, to be closed by itself.
func (p *place) again() (*place, error) {
	root, err := p.root.OpenRoot(".")
	if err != nil {
		return nil, bare("open", err)
	}
	return &place{root: root, fault: p.fault}, nil
}

// temporary writes a file that no watcher picks up, safely on disk, and returns its name.
func (p *place) temporary(base string, content func(io.Writer) error) (name string, err error) {
	name = "." + base + "." + rand.Text() + ".part"
	if err := p.step("create"); err != nil {
		return "", bare("create a file", err)
	}
	file, err := p.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", bare("create a file", err)
	}
	err = content(&diskWriter{p, file})
	if err == nil {
		err = p.fsync(file)
	}
	if closing := file.Close(); err == nil {
		err = bare("close", closing)
	}
	if err != nil {
		p.remove(name)
		return "", err
	}
	return name, nil
}

func (p *place) remove(name string) error {
	err := p.step("remove")
	if err == nil {
		err = p.root.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return bare("remove", err)
}

// sync makes the names in the directory lasting.
func (p *place) sync() error {
	dir, err := p.root.Open(".")
	if err != nil {
		return bare("open a directory", err)
	}
	defer dir.Close()
	return p.fsync(dir)
}

func (p *place) fsync(file *os.File) error {
	err := p.step("fsync")
	if err == nil {
		err = file.Sync()
	}
	return bare("fsync", err)
}

// bare says what failed and why, without the path.
func bare(what string, err error) error {
	var atPath *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &atPath):
		err = atPath.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// diskWriter keeps the path out of the errors of writing, and only of those: an error
// of the reader that is copied is not ours to change.
type diskWriter struct {
	p    *place
	file *os.File
}

func (d *diskWriter) Write(b []byte) (int, error) {
	if err := d.p.step("write"); err != nil {
		return 0, bare("write", err)
	}
	n, err := d.file.Write(b)
	return n, bare("write", err)
}

// bareReader keeps the path out of the errors of reading.
type bareReader struct{ *os.File }

func (b bareReader) Read(p []byte) (int, error) {
	n, err := b.File.Read(p)
	if err == io.EOF {
		return n, io.EOF
	}
	return n, bare("read again", err)
}

// untilDone ends reading when ctx ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}

// untilDoneWriter ends writing when ctx ends.
type untilDoneWriter struct {
	ctx context.Context
	w   io.Writer
}

func (u *untilDoneWriter) Write(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(b)
}
