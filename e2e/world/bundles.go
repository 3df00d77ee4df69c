package world

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

// leaveBundles copies what was filed in the practice's HIS folder to .cache/bundles of the checkout,
// for HAPI's validator to judge (make conformance). A world replaces what one of the same name
// left before.
func (w *World) leaveBundles() error {
	if w.opts.Name == "" {
		return nil
	}
	root, err := harness.Root()
	if err != nil {
		return err
	}
	return copyBundles(w.HIS, filepath.Join(root, ".cache", "bundles", folderName(w.opts.Name)))
}

// folderName makes the name of a test that of one folder.
func folderName(test string) string { return strings.NewReplacer("/", "-", " ", "_").Replace(test) }

// copyBundles copies the Bundles of a HIS folder to a directory that is made anew.
func copyBundles(folder, to string) error {
	bundles, err := filepath.Glob(filepath.Join(folder, "*", "*", "*.json"))
	if err = errors.Join(err, os.RemoveAll(to)); err != nil || len(bundles) == 0 {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for n, bundle := range bundles {
		text, err := os.ReadFile(bundle)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, fmt.Sprintf("%05d-%s", n, filepath.Base(bundle))), text, 0o600)
		}
		if err != nil {
			return fmt.Errorf("leave a Bundle: %w", err)
		}
	}
	return nil
}
