package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Clamd is ClamAV's daemon with signatures of its own: it finds what the test says is harmful,
// and needs nothing from outside.
type Clamd struct {
	Address string // as Spreekkamer's setting relay.clamd has it

	process *Process
	command Command
	at      string // host:port
}

// Harmful is what every Clamd finds in whatever file, and HarmfulName what it calls that.
const (
	Harmful     = "spreekkamer-test-signature-of-harm"
	HarmfulName = "Spreekkamer.Test.Part"
)

// StartClamd starts the daemon. It finds Harmful anywhere, and the files given as a whole, under
// the name Spreekkamer.Test.Whole. It looks at files of up to 30 MB.
func StartClamd(ctx context.Context, dir string, whole ...[]byte) (*Clamd, error) {
	path, err := clamdPath()
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	if err := writeSignatures(filepath.Join(dir, "db"), whole); err != nil {
		return nil, fmt.Errorf("signatures of clamd: %w", err)
	}
	settings := filepath.Join(dir, "clamd.conf")
	lines := []string{
		"Foreground yes", "DatabaseDirectory " + filepath.Join(dir, "db"), fmt.Sprintf("TCPSocket %d", port),
		"TCPAddr 127.0.0.1", "StreamMaxLength 30M", "MaxThreads 2", "ConcurrentDatabaseReload no",
	}
	if os.Getuid() == 0 {
		lines = append(lines, "User root") // it would look for a user of its own
	}
	if err := os.WriteFile(settings, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	at := fmt.Sprintf("127.0.0.1:%d", port)
	c := &Clamd{Address: "tcp:" + at, at: at, command: Command{
		Path: path, Args: []string{"-c", settings}, Dir: dir, LogFile: filepath.Join(dir, "clamd.log"),
	}}
	return c, c.Start(ctx)
}

func clamdPath() (string, error) {
	if path, err := Tool("bin", "clamd"); err == nil {
		return path, nil
	}
	path, err := exec.LookPath("clamd")
	if err != nil {
		return "", fmt.Errorf("clamd: %w, or install ClamAV's daemon", ErrNotInstalled)
	}
	return path, nil
}

// writeSignatures makes a database: of parts of files (.ndb) and of whole files (.hsb).
func writeSignatures(dir string, whole [][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	part := HarmfulName + ":0:*:" + hex.EncodeToString([]byte(Harmful)) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "test.ndb"), []byte(part), 0o600); err != nil {
		return err
	}
	var hashes strings.Builder
	for _, file := range whole {
		fmt.Fprintf(&hashes, "%x:%d:Spreekkamer.Test.Whole\n", sha256.Sum256(file), len(file))
	}
	if hashes.Len() == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "test.hsb"), []byte(hashes.String()), 0o600)
}

// Start starts the daemon again after Stop, and waits until it listens.
func (c *Clamd) Start(ctx context.Context) (err error) {
	if c.process, err = StartProcess(c.command); err != nil {
		return err
	}
	err = waitFor(ctx, c.process, func(ctx context.Context) bool {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.at)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("clamd: %w\n%s", err, c.process.LogTail())
	}
	return nil
}

// Stop ends the daemon.
func (c *Clamd) Stop() error { return c.process.Stop() }
