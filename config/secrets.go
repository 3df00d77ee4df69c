package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// KeySize is the size of the master key in bytes.
const KeySize = 32

// MasterKey gives the key from which all others are derived.
func (c Config) MasterKey() ([]byte, error) {
	if c.Secrets.Key != "" {
		key, err := decodeKey(string(c.Secrets.Key))
		if err != nil {
			return nil, fmt.Errorf("secrets.key: %w", err)
		}
		return key, nil
	}
	text, err := readSecret(c.Secrets.KeyFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("secrets.key_file: %s does not exist: make it with `spreekkamer keys`,"+
			" or put it back from the backup when there is a database already", c.Secrets.KeyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("secrets.key_file: %w", err)
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("secrets.key_file %s: %w", c.Secrets.KeyFile, err)
	}
	return key, nil
}

// decodeKey never repeats what it was given: it may be a key with one letter wrong.
func decodeKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != KeySize {
		return nil, errors.New("not 32 bytes in base64: make a key with `spreekkamer keys`")
	}
	return key, nil
}

// CreateMasterKey writes a fresh master key to key_file, readable only for its owner. What
// exists stays: created is false then, and nothing has changed.
func (c Config) CreateMasterKey() (created bool, err error) {
	key := make([]byte, KeySize)
	if _, err = rand.Read(key); err != nil {
		return false, fmt.Errorf("make the master key: %w", err)
	}
	f, err := os.OpenFile(c.Secrets.KeyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make the master key: %w", err)
	}
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key))
	// On disk before anything is sealed with it: a lost key is lost data.
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, fmt.Errorf("write the master key: %w", err)
	}
	return true, nil
}

// DatabaseURI gives the address of the database, from the file when there is one.
func (c Config) DatabaseURI() (string, error) {
	if c.Database.URIFile == "" {
		return string(c.Database.URI), nil
	}
	uri, err := readSecret(c.Database.URIFile)
	if err != nil {
		return "", fmt.Errorf("database.uri_file: %w", err)
	}
	var found Mistakes
	found.checkURI("database.uri_file", c.Database.Type, uri)
	return uri, found.err()
}

func readSecret(path string) (string, error) {
	data, err := os.ReadFile(path)
	return strings.TrimSpace(string(data)), err
}
