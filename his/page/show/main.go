// Command show writes an HTML page of what lies in a HIS folder, for a person to read:
//
//	go run -tags goolm ./his/page/show DIRECTORY >page.html
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
	_ "time/tzdata" // a container may have no time zones

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/page"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: show DIRECTORY >page.html")
		os.Exit(2)
	}
	if err := show(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "show:", err)
		os.Exit(1)
	}
}

// show reads every Bundle below the directory, also of what the HIS has itself, in the order of their names.
func show(dir string) error {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		return err
	}
	var bundles []json.RawMessage
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".json", his.CopyExt}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		bundles = append(bundles, text)
		return err
	})
	if err != nil {
		return err
	}
	return page.Write(os.Stdout, bundles, zone)
}
