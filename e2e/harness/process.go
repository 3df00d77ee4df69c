package harness

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// defaultGrace is how long Stop waits after the polite signal.
const defaultGrace = 10 * time.Second

// A Command is what StartProcess starts.
type Command struct {
	Path    string
	Args    []string
	Dir     string         // working directory; empty: that of this program
	Env     []string       // added to the environment of this program
	LogFile string         // gets stderr, and stdout unless that is set; empty: discarded
	Stdin   *os.File       // nil: none
	Stdout  *os.File       // nil: into LogFile
	StopBy  syscall.Signal // what Stop sends first; 0: SIGTERM
	Grace   time.Duration  // how long Stop waits before it kills; 0: ten seconds

	unprivileged bool // do not run as root even if this program does
}

// A Process is a running program. It has a process group of its own, so that a Ctrl-C at the
// terminal reaches only the program that started it, and it is killed by the kernel when that
// program dies, however that dies. (What it starts itself is not, unless it sees to that.)
type Process struct {
	cmd     *exec.Cmd
	command Command
	done    chan struct{}
	err     error // of Wait; valid once done is closed
}

// StartProcess starts a program and returns as soon as it runs.
func StartProcess(c Command) (*Process, error) {
	c.StopBy, c.Grace = cmp.Or(c.StopBy, syscall.SIGTERM), cmp.Or(c.Grace, defaultGrace)
	p := &Process{command: c, done: make(chan struct{})}
	p.cmd = exec.Command(c.Path, c.Args...)
	p.cmd.Dir = c.Dir
	p.cmd.Env = append(environment(), c.Env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	closeLog, err := p.connect(c)
	if err != nil {
		return nil, err
	}
	defer closeLog()
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(c.Path), err)
	}
	return p, nil
}

// connect attaches the standard streams. They are files, not pipes that os/exec copies, so
// that a program that leaves children behind cannot hold up Wait.
func (p *Process) connect(c Command) (closeLog func(), err error) {
	closeLog = func() {}
	if c.Stdin != nil {
		p.cmd.Stdin = c.Stdin
	}
	if c.LogFile != "" {
		log, err := os.OpenFile(c.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open the log of %s: %w", filepath.Base(c.Path), err)
		}
		closeLog = func() { log.Close() }
		p.cmd.Stdout, p.cmd.Stderr = log, log
	}
	if c.Stdout != nil {
		p.cmd.Stdout = c.Stdout
	}
	return closeLog, nil
}

// run starts the program and waits for it on one and the same thread: the kernel sends the
// parent-death signal when the *thread* that forked ends, so that thread must live at least
// as long as the child.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := p.cmd.Start
	if p.command.unprivileged && os.Getuid() == 0 {
		start = func() error { return startAsNobody(p.cmd) }
	}
	err := start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed once the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the program ends and returns an error if that was not with status 0.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Signal sends a signal to the program. One that has ended already is no error.
func (p *Process) Signal(sig syscall.Signal) error { return p.signal(p.Pid(), sig) }

func (p *Process) signal(target int, sig syscall.Signal) error {
	select {
	case <-p.done:
		return nil // the number may belong to another program by now
	default:
	}
	if err := syscall.Kill(target, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to process %d: %w", sig, p.Pid(), err)
	}
	return nil
}

// Stop asks the program to end, gives it some time (ten seconds), and then kills it. The status
// it ends with is no error here; use Wait for that.
func (p *Process) Stop() error {
	if err := p.Signal(p.command.StopBy); err != nil {
		return err
	}
	timer := time.NewTimer(p.command.Grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return p.Kill()
	}
}

// Kill ends the program and everything it started at once, with no chance to tidy up, and
// waits until it is gone.
func (p *Process) Kill() error {
	if err := p.signal(-p.Pid(), syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// LogTail is the end of the log file, for error messages.
func (p *Process) LogTail() string { return tail(p.command.LogFile, 4000) }

func tail(path string, size int64) string {
	f, err := os.Open(path)
	if err != nil {
		return "(no log)"
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > size {
		if _, err := f.Seek(-size, io.SeekEnd); err != nil {
			return "(log cannot be read)"
		}
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return "(log cannot be read)"
	}
	return string(bytes.TrimSpace(b))
}

// environment is ours without proxy settings: the servers talk to each other on the loopback
// address and to nothing else.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			env = append(env, v)
		}
	}
	return env
}
