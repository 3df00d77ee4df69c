package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asProgram in the environment makes this test binary the program itself, so that signals and
// exit codes are tested on a real process without building another binary.
const asProgram = "TEST_BINARY_IS_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// heard is what a process says; said closes when it has said the awaited words.
type heard struct {
	mu    sync.Mutex
	text  bytes.Buffer
	await string
	said  chan struct{}
	once  sync.Once
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.Write(p)
	if h.await != "" && strings.Contains(h.text.String(), h.await) {
		h.once.Do(func() { close(h.said) })
	}
	return len(p), nil
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func process(t *testing.T, await string, args ...string) (*exec.Cmd, *heard) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=yes")
	errors := &heard{await: await, said: make(chan struct{})}
	cmd.Stderr = errors
	require.NoError(t, cmd.Start())
	return cmd, errors
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestASignalEndsTheProgramWithZeroAlsoWhileTheHomeserverIsAway(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			place(t)
			require.NoError(t, os.Mkdir("his", 0o700))
			require.Zero(t, do("keys").code)
			require.Zero(t, do("registration", "--write").code)
			t.Setenv("SPREEKKAMER_HOMESERVER_URL", "http://127.0.0.1:1")
			t.Setenv("SPREEKKAMER_LISTEN", freeAddress(t))

			cmd, errors := process(t, "tried again", "run")
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case <-errors.said:
				require.NoError(t, cmd.Process.Signal(signal))
				require.NoError(t, <-ended, errors)
			case err := <-ended:
				t.Fatalf("ended by itself: %v\n%s", err, errors)
			}
		})
	}
}

func TestAProgramThatCannotStartEndsWithOneAndOneSentence(t *testing.T) {
	place(t)
	cmd, errors := process(t, "", "run")
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 1, exit.ExitCode())
	lines := strings.Split(strings.TrimSpace(errors.String()), "\n")
	assert.Len(t, lines, 1, errors)
	assert.Contains(t, lines[0], "spreekkamer: ")
	assert.Contains(t, lines[0], "make it with `spreekkamer keys`")
}
