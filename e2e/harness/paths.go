package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// ErrNotInstalled says that a program is missing from .cache and how it gets there.
var ErrNotInstalled = errors.New("not installed: run e2e/tools/install.sh")

// rootMarker is a path that only the root of the checkout has.
const rootMarker = "e2e/tools/install.sh"

// Root is the top directory of the checkout: the first one upwards from the working directory
// that holds the install script, or else the one this package was compiled from.
func Root() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	starts := []string{wd}
	if _, file, _, ok := runtime.Caller(0); ok {
		starts = append(starts, filepath.Dir(file))
	}
	for _, dir := range starts {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, rootMarker)); err == nil {
				return dir, nil
			}
		}
	}
	return "", fmt.Errorf("find the checkout: no directory above %s holds %s", wd, rootMarker)
}

// Tool is the absolute path of something that the install script put below .cache, such as
// Tool("bin", "dendrite").
func Tool(elem ...string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(append([]string{root, ".cache"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Join(elem...), ErrNotInstalled)
	}
	return path, nil
}

// Install runs the install script, which skips what is up to date. Its output goes to stdout
// and stderr.
func Install(ctx context.Context) error {
	root, err := Root()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, rootMarker))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", rootMarker, err)
	}
	return nil
}
