package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Disk is a small disk of its own that can be full and have room again.
type Disk struct {
	Dir string

	bytes   int64
	mounted bool
}

// NewDisk puts a disk of a size at a directory, which is made. Who may not mount gets the bare
// directory: then Fill limits how large a file the process that writes may make, to the same
// effect.
func NewDisk(dir string, bytes int64) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	d := &Disk{Dir: dir, bytes: bytes}
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=700,size="+strconv.FormatInt(bytes, 10))
	if err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
		return nil, fmt.Errorf("mount a disk at %s: %w", dir, err)
	}
	d.mounted = err == nil
	return d, nil
}

func (d *Disk) ballast() string { return filepath.Join(d.Dir, "ballast") }

// Fill leaves no room for the process that writes there.
func (d *Disk) Fill(writer *Process) error {
	if !d.mounted {
		return limitFiles(writer, 1)
	}
	file, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer file.Close()
	block := make([]byte, 4096)
	for range d.bytes/int64(len(block)) + 1 {
		if _, err = file.Write(block); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("fill the disk: it takes more than it has: %w", err)
	}
	return nil
}

// Free gives the room back.
func (d *Disk) Free(writer *Process) error {
	if !d.mounted {
		return limitFiles(writer, unix.RLIM_INFINITY)
	}
	if err := os.Remove(d.ballast()); err != nil {
		return fmt.Errorf("free the disk: %w", err)
	}
	return nil
}

// Remove takes the disk away, with all that is on it. Nothing may use it any more.
func (d *Disk) Remove() error {
	if d.mounted {
		if err := unix.Unmount(d.Dir, 0); err != nil {
			return fmt.Errorf("unmount %s: %w", d.Dir, err)
		}
	}
	return nil
}

// limitFiles bounds the size of files that a running process may write. The hard limit stays,
// so that the bound can be lifted again.
func limitFiles(p *Process, bytes uint64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(p.Pid(), unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return fmt.Errorf("ask the limit of process %d: %w", p.Pid(), err)
	}
	limit.Cur = min(bytes, limit.Max)
	if err := unix.Prlimit(p.Pid(), unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		return fmt.Errorf("limit process %d: %w", p.Pid(), err)
	}
	return nil
}
