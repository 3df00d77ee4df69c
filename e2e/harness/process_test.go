package harness

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// parentEnv makes this test program play a program that uses the harness and is killed.
const parentEnv = "HARNESS_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" {
		playParent(dir)
	}
	os.Exit(m.Run())
}

// playParent starts a child that would live for ever, makes threads come and go, says that it
// is ready, and waits to be killed.
func playParent(dir string) {
	_, err := StartProcess(Command{Path: "/bin/sh", Args: []string{"-c", "exec sleep 1000"}, Stdout: os.Stdout})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	done := make(chan struct{})
	for range 20 {
		go func() {
			runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
			done <- struct{}{}
		}()
		<-done
	}
	fmt.Println("ready")
	select {}
}

func TestChildrenDieWithTheirParent(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	parent, err := StartProcess(Command{Path: self, Env: []string{parentEnv + "=" + t.TempDir()}, Stdout: w})
	must(t, err)
	w.Close()
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	must(t, err)
	if line != "ready\n" {
		t.Fatal(line)
	}
	must(t, parent.Signal(syscall.SIGKILL))
	// The child has the pipe too, so that it comes to its end only when the child is gone.
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, out)
		ended <- err
	}()
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("a child outlived its parent")
	}
}

func TestAProcessThatIgnoresTheSignalIsKilled(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	r, w, err := os.Pipe()
	must(t, err)
	p, err := StartProcess(Command{Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; echo in log >&2; echo up; while :; do :; done"},
		Stdout: w, LogFile: log, Grace: 200 * time.Millisecond})
	must(t, err)
	w.Close()
	_, err = bufio.NewReader(r).ReadString('\n')
	must(t, err)
	began := time.Now()
	must(t, p.Stop())
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("killed after %v, before its time was over", took)
	}
	if err := p.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("it ended with %v", err)
	}
	if got := p.LogTail(); got != "in log" {
		t.Errorf("log: %q", got)
	}
	must(t, p.Stop()) // a second time does nothing
	must(t, p.Kill())
}
