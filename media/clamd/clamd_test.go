package clamd

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A daemon that answers what the test says, and tells what it was sent. The real one is in
// e2e/kinds.
func daemon(t *testing.T, network string, answer func(command string, data []byte) string) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "clamd.ctl")
	}
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn, answer)
		}
	}()
	return network + ":" + l.Addr().String()
}

func serve(conn net.Conn, answer func(string, []byte) string) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	command, err := r.ReadString(0)
	if err != nil {
		return
	}
	var data []byte
	for strings.HasPrefix(command, "zINSTREAM") {
		var size uint32
		if binary.Read(r, binary.BigEndian, &size) != nil || size == 0 {
			break
		}
		chunk := make([]byte, size)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return
		}
		data = append(data, chunk...)
	}
	_, _ = io.WriteString(conn, answer(strings.TrimSuffix(command, "\x00"), data))
}

func client(t *testing.T, address string) *Client {
	t.Helper()
	c, err := New(address)
	require.NoError(t, err)
	return c
}

func TestWhatTheDaemonSaysIsUnderstood(t *testing.T) {
	for _, tt := range []struct{ answer, found, problem string }{
		{"stream: OK\x00", "", ""},
		{"stream: Eicar-Test-Signature FOUND\x00", "Eicar-Test-Signature", ""},
		{"INSTREAM size limit exceeded. ERROR\x00", "", "larger than the scanner looks at"},
		{"stream: Can't allocate memory ERROR\x00", "", "Can't allocate memory"},
		{"stream:  FOUND\x00", "", "the daemon says"},
		{"UNKNOWN COMMAND\x00", "", "UNKNOWN COMMAND"},
		{"", "", "no answer"},
	} {
		c := client(t, daemon(t, "tcp", func(string, []byte) string { return tt.answer }))
		found, err := c.Scan(t.Context(), []byte("file"))
		assert.Equal(t, tt.found, found, tt.answer)
		if tt.problem == "" {
			assert.NoError(t, err, tt.answer)
		} else {
			assert.ErrorContains(t, err, tt.problem)
		}
	}
}

func TestTheWholeFileIsLookedAt(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		for _, size := range []int{0, 1, chunkSize - 1, chunkSize, 3*chunkSize + 7} {
			file := []byte(strings.Repeat("x", size))
			var seen []byte
			c := client(t, daemon(t, network, func(_ string, data []byte) string { seen = data; return "stream: OK\x00" }))
			_, err := c.Scan(t.Context(), file)
			require.NoError(t, err)
			assert.Equal(t, string(file), string(seen), "%s, %d bytes", network, size)
		}
	}
}

func TestTheVersionTellsThatItIsThere(t *testing.T) {
	c := client(t, daemon(t, "unix", func(command string, _ []byte) string { return "ClamAV 1.4.6 " + command + "\x00" }))
	version, err := c.Version(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "ClamAV 1.4.6 zVERSION", version)
	other := client(t, daemon(t, "tcp", func(string, []byte) string { return "HTTP/1.1 400 Bad Request" }))
	_, err = other.Version(t.Context())
	assert.ErrorContains(t, err, "no clamd")
}

func TestADaemonThatIsAwayIsAnError(t *testing.T) {
	_, err := client(t, "unix:"+filepath.Join(t.TempDir(), "none")).Scan(t.Context(), []byte("file"))
	assert.Error(t, err)
	assert.NotErrorIs(t, err, ErrTooLarge)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	require.NoError(t, err)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = client(t, "tcp:"+l.Addr().String()).Scan(ctx, []byte("file"))
	assert.Error(t, err)
}

func TestOnlyAddressesAreTaken(t *testing.T) {
	for _, wrong := range []string{"", "unix:", "/run/clamd.ctl", "tcp:", "tcp:localhost", "udp:localhost:1", "tcp:host:"} {
		_, err := New(wrong)
		assert.Error(t, err, wrong)
	}
	for _, right := range []string{"unix:/run/clamav/clamd.ctl", "tcp:127.0.0.1:3310", "tcp:[::1]:3310"} {
		_, err := New(right)
		assert.NoError(t, err, right)
	}
}
