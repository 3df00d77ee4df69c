// Package clamd asks ClamAV's daemon whether a file holds something harmful, over its socket
// (clamd(8), "COMMANDS"). Nothing is written to a disk by us.
package clamd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const (
	dialTime  = 5 * time.Second
	talkTime  = time.Minute // for one file: the daemon gives up by itself after two (MaxScanTime)
	chunkSize = 64 << 10
	maxAnswer = 4 << 10
	clean     = "stream: OK"
)

// ErrTooLarge says that the daemon does not look at files of this size (its StreamMaxLength).
var ErrTooLarge = errors.New("larger than the scanner looks at")

// A Client talks with one daemon. It keeps no connection open.
type Client struct{ network, address string }

// New reads an address: "unix:/run/clamav/clamd.ctl" or "tcp:127.0.0.1:3310".
func New(address string) (*Client, error) {
	network, rest, found := strings.Cut(address, ":")
	switch {
	case found && network == "unix" && rest != "":
		return &Client{network, rest}, nil
	case found && network == "tcp":
		if _, port, err := net.SplitHostPort(rest); err == nil && port != "" {
			return &Client{network, rest}, nil
		}
	}
	return nil, fmt.Errorf("%q is no address of clamd: give unix:PATH or tcp:HOST:PORT", address)
}

// Scan returns the name of what was found, or "" when nothing was. Any error but ErrTooLarge is
// worth trying again: the file has not been looked at.
func (c *Client) Scan(ctx context.Context, data []byte) (found string, err error) {
	answer, err := c.ask(ctx, "zINSTREAM\x00", data)
	if err != nil {
		return "", fmt.Errorf("scan %d bytes: %w", len(data), err)
	}
	return verdict(answer)
}

// verdict reads "stream: OK", "stream: NAME FOUND" or "… ERROR".
func verdict(answer string) (found string, err error) {
	if answer == clean {
		return "", nil
	}
	said := strings.TrimPrefix(answer, "stream: ")
	if name, is := strings.CutSuffix(said, " FOUND"); is && name != "" {
		return name, nil
	}
	if strings.Contains(said, "size limit exceeded") {
		return "", fmt.Errorf("scan: %w", ErrTooLarge)
	}
	return "", fmt.Errorf("scan: the daemon says %s", inShort(said))
}

// trouble is what clamd says of itself when it cannot scan.
var trouble = []string{"Can't allocate memory", "UNKNOWN COMMAND", "Can't open file or directory", "Time limit reached", "Error reading from socket"}

// inShort is what may be told of an answer that is no verdict. Whatever answers may repeat what it was
// sent: its own log has the rest.
func inShort(said string) string {
	for _, known := range trouble {
		if strings.Contains(said, known) {
			return known
		}
	}
	return "something else"
}

// Version asks whether the daemon is there: "ClamAV 1.4.6/27000/…", with the number and date of
// its signatures when it has any of its own.
func (c *Client) Version(ctx context.Context) (string, error) {
	answer, err := c.ask(ctx, "zVERSION\x00", nil)
	if err == nil && !strings.HasPrefix(answer, "ClamAV") {
		return "", errors.New("what answers is no clamd")
	}
	return answer, err
}

// ask sends a command, and for a scan the data, and reads the answer up to its zero.
func (c *Client) ask(ctx context.Context, command string, data []byte) (string, error) {
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(talkTime)); err != nil {
		return "", err
	}
	return talk(conn, command, data)
}

// talk sends and reads. The daemon may answer and hang up before everything was sent, when it is too
// much: then what it said counts, and not that sending failed, unless it says that all is well.
func talk(conn io.ReadWriter, command string, data []byte) (string, error) {
	sent := send(conn, command, data)
	answer, err := io.ReadAll(io.LimitReader(conn, maxAnswer))
	text := strings.TrimSpace(string(bytes.TrimRight(answer, "\x00")))
	switch {
	case text == "":
		return "", errors.Join(errors.New("no answer"), sent, err)
	case text == clean && sent != nil:
		return "", fmt.Errorf("it did not get everything: %w", sent)
	}
	return text, nil
}

func send(w io.Writer, command string, data []byte) error {
	if _, err := io.WriteString(w, command); err != nil || !strings.HasPrefix(command, "zINSTREAM") {
		return err
	}
	for len(data) > 0 {
		n := min(chunkSize, len(data))
		if err := sendChunk(w, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return sendChunk(w, nil) // the end
}

func sendChunk(w io.Writer, chunk []byte) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(chunk)))
	_, err := w.Write(append(head, chunk...))
	return err
}
