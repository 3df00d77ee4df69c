package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spreekkamer/spreekkamer/config"
)

// leastFree is the space below which a practice should look at its disk.
const leastFree = 1 << 30

func masterKey(_ context.Context, d *Doctor) (string, error) {
	if _, err := d.Config.MasterKey(); err != nil {
		return "", err
	}
	if d.Config.Secrets.Key != "" {
		return "set as secrets.key", nil
	}
	return d.Config.Secrets.KeyFile + " is readable", private(d.Config.Secrets.KeyFile)
}

// recoveryKey is made at the first start, so that it may be missing before the bot has an
// identity, and never after.
func recoveryKey(ctx context.Context, d *Doctor) (string, error) {
	path := d.Config.Secrets.RecoveryKeyFile
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, signedErr := d.Server.Signed(ctx); signedErr != nil {
			return "", fmt.Errorf("%w: %s is made at the first start", ErrCannotTell, path)
		}
		return "", fmt.Errorf("%s is missing, and the bot has an identity", path)
	}
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return path + " is readable", private(path)
}

// private fails when everybody on the machine may read or change the file. Its group may
// read: that is how containers and service managers hand secrets over.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o027 != 0 {
		return fmt.Errorf("%s can be read or changed by others (mode %#o)", path, info.Mode().Perm())
	}
	return nil
}

func database(ctx context.Context, d *Doctor) (string, error) {
	return d.Config.Database.Type + ": the master key fits and it can be written", d.Database(ctx)
}

func freeDisk(_ context.Context, d *Doctor) (string, error) {
	var told []string
	for _, dir := range d.directories() {
		free, err := d.Free(existing(dir))
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrCannotTell, dir, err)
		}
		if free < leastFree {
			return "", fmt.Errorf("%d MB left for %s", free/1e6, dir)
		}
		told = append(told, fmt.Sprintf("%d GB for %s", free/1e9, dir))
	}
	return strings.Join(told, ", "), nil
}

// directories are the places on this machine that grow.
func (d *Doctor) directories() (dirs []string) {
	if d.Config.Database.Type == config.SQLite {
		if uri, err := d.Config.DatabaseURI(); err == nil {
			dirs = append(dirs, filepath.Dir(sqlitePath(uri)))
		}
	}
	for _, p := range d.Config.Practices {
		dirs = append(dirs, p.HIS.Path)
	}
	return dirs
}

// existing is the nearest directory that exists: the disk on which the rest would come.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func registration(_ context.Context, d *Doctor) (string, error) {
	r, err := LoadRegistration(d.Config)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s fits the settings and calls us at %s", d.Config.Registration, r.URL),
		private(d.Config.Registration)
}

func hisCanFile(ctx context.Context, d *Doctor) (string, error) {
	var failed error
	var told []string
	for _, p := range d.Config.Practices {
		if err := d.HIS(ctx, p); err != nil {
			failed = errors.Join(failed, fmt.Errorf("practice %s cannot file: %w", p.ID, err))
		}
		told = append(told, p.ID+" ("+p.HIS.Type+")")
	}
	return "can file: " + strings.Join(told, ", "), failed
}

func virusScanner(ctx context.Context, d *Doctor) (string, error) {
	address := d.Config.Relay.Clamd
	if address == "" {
		return "none: files are passed on without a scan (relay.clamd)", nil
	}
	version, err := d.Scanner(ctx, address, int64(d.Config.Relay.MaxFileSize))
	return version + " answers at " + address, err
}
