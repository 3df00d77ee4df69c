package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// An address is under what name and where a homeserver can be reached. It is kept in the
// homeserver's directory, because its data is of no use under another name.
type address struct {
	ServerName string `json:"server_name"`
	Port       int    `json:"port"`
	TLSPort    int    `json:"tls_port,omitempty"` // of the federation listener; 0: none
}

// chooseAddress is the address from the directory, or a new one.
func chooseAddress(dir string, opts Options) (a address, err error) {
	path := filepath.Join(dir, "address.json")
	kept, err := os.ReadFile(path)
	if err == nil {
		return a, json.Unmarshal(kept, &a)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a, err = newAddress(opts); err != nil {
		return a, err
	}
	b, err := json.Marshal(a)
	if err != nil {
		return a, err
	}
	return a, os.WriteFile(path, b, 0o600)
}

func newAddress(opts Options) (a address, err error) {
	if a.Port, err = FreePort(); err != nil {
		return a, err
	}
	if opts.Federation {
		if a.TLSPort, err = FreePort(); err != nil {
			return a, err
		}
		a.ServerName = fmt.Sprintf("localhost:%d", a.TLSPort)
		return a, nil
	}
	a.ServerName = opts.ServerName
	if a.ServerName == "" {
		a.ServerName = fmt.Sprintf("%s-%d.test", opts.Kind, a.Port)
	}
	return a, nil
}
