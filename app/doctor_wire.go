package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/media/clamd"
	"github.com/spreekkamer/spreekkamer/store"
)

// NewDoctor makes a doctor for these settings; wrong is what config.Load said about them.
func NewDoctor(c config.Config, wrong error) *Doctor {
	return &Doctor{
		Config:   c,
		Settings: wrong,
		Server:   newServerProbe(c),
		Database: func(ctx context.Context) error { return lookAtDatabase(ctx, c) },
		HIS:      lookAtHIS,
		Scanner:  askScanner,
		Running:  func(ctx context.Context) bool { return CheckHealth(ctx, c.Listen) == nil },
		Free:     freeBytes,
		Now:      time.Now,
	}
}

// lookAtDatabase leaves alone what does not exist yet: opening would make it. A running
// Spreekkamer has claimed its database, and its own health says how that is.
func lookAtDatabase(ctx context.Context, c config.Config) error {
	uri, err := c.DatabaseURI()
	if err != nil {
		return err
	}
	if c.Database.Type == config.SQLite {
		if _, err := os.Stat(sqlitePath(uri)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s is made at the first start", ErrCannotTell, sqlitePath(uri))
		}
	}
	key, err := c.MasterKey()
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{Kind: c.Database.Type, URI: uri, Key: key, Log: zerolog.Nop()})
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("%w: a running Spreekkamer holds it; its /health tells more", ErrCannotTell)
	}
	if err != nil {
		return err
	}
	return errors.Join(s.Check(ctx), s.Close())
}

// sqlitePath is the file of a uri that may have file: in front and options behind.
func sqlitePath(uri string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(uri, "file:"), "?")
	return path
}

func lookAtHIS(ctx context.Context, p config.Practice) error {
	for _, system := range []config.HIS{p.HIS, p.CRM} {
		if system.Type == "" {
			continue
		}
		connector, err := openHIS(system)
		if err != nil {
			return err
		}
		if err := connector.Check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func askScanner(ctx context.Context, address string, size int64) (string, error) {
	scanner, err := clamd.New(address)
	if err != nil {
		return "", err
	}
	version, err := scanner.Version(ctx)
	if err != nil {
		return "", err
	}
	if _, err := scanner.Scan(ctx, make([]byte, size)); errors.Is(err, clamd.ErrTooLarge) {
		return "", fmt.Errorf("it does not look at files of %d bytes: raise StreamMaxLength in clamd.conf to relay.max_file_size", size)
	} else if err != nil {
		return "", err
	}
	return version, nil
}

func freeBytes(path string) (uint64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err != nil {
		return 0, err
	}
	return disk.Bavail * uint64(disk.Bsize), nil // #nosec G115 -- a block size is positive
}

// CheckHealth asks a running Spreekkamer whether it is well. An address that listens on
// everything (0.0.0.0) is asked on this machine.
func CheckHealth(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health", nil)
	if err != nil {
		return fmt.Errorf("ask for the health: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no answer from Spreekkamer on %s: %w", listen, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not well: %d %s", resp.StatusCode, strings.TrimSpace(string(text)))
	}
	return nil
}
