package clamd

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// line is a connection whose other side takes some bytes, and has said its answer.
type line struct {
	takes int
	io.Reader
}

func (l *line) Write(p []byte) (int, error) {
	if l.takes -= len(p); l.takes < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// FuzzVerdict reads what a scanner answers: a file passes only on the one word that says so, of the
// whole file, and no error says a word of the answer.
func FuzzVerdict(f *testing.F) {
	for _, answer := range []string{
		"", "\x00", "stream: OK\x00", "stream: OK", "OK", "stream: ok", "stream: OK\x00stream: Evil FOUND\x00", "stream: Eicar-Test-Signature FOUND\x00",
		"stream:  FOUND\x00", "INSTREAM size limit exceeded. ERROR\x00", "stream: Can't allocate memory ERROR\x00", "UNKNOWN COMMAND\x00",
		"/home/jan/devries.pdf: lstat() failed: 999990019 ERROR", strings.Repeat("stream: OK ", 1000), "HTTP/1.1 400 Bad Request\r\n\r\n",
	} {
		f.Add([]byte(answer), 1<<20)
		f.Add([]byte(answer), 12)
	}
	file := bytes.Repeat([]byte("x"), 2*chunkSize)
	f.Fuzz(func(t *testing.T, said []byte, takes int) {
		var found string
		answer, err := talk(&line{takes, bytes.NewReader(said)}, "zINSTREAM\x00", file)
		if err == nil {
			found, err = verdict(answer)
		}
		require.LessOrEqual(t, len(found), maxAnswer)
		if err == nil && found == "" {
			require.Equal(t, clean, strings.TrimSpace(strings.TrimRight(string(said), "\x00")))
			require.GreaterOrEqual(t, takes, len(file))
		}
		if err == nil {
			return
		}
		rest := err.Error()
		for _, own := range append([]string{ErrTooLarge.Error(), io.ErrClosedPipe.Error(), "it did not get everything", "no answer", "scan", "the daemon says", "something else"}, trouble...) {
			rest = strings.ReplaceAll(rest, own, "")
		}
		require.Regexp(t, regexp.MustCompile(`^[:\s]*$`), rest, "%v", err)
		require.False(t, errors.Is(err, ErrTooLarge) && !bytes.Contains(said, []byte("size limit exceeded")))
	})
}
