package store

import (
	"context"
	"encoding/hex"
	"fmt"
)

// The rows of table meta.
const (
	metaKeyCheck = "key_check"
	metaChecked  = "checked_at"
)

// keyCheck is sealed into every database, to notice a key that does not fit before anything
// is written with it.
const keyCheck = "spreekkamer"

const (
	getMeta = `SELECT value FROM meta WHERE key = $1`
	putMeta = `
		INSERT INTO meta (key, value) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value
	`
)

func (s *Store) setMeta(ctx context.Context, key, value string) error {
	if _, err := s.exec(ctx, putMeta, key, value); err != nil {
		return fmt.Errorf("set %s: %w", key, err)
	}
	return nil
}

// checkKey refuses a key that this database was not sealed with. A new database takes any.
func (s *Store) checkKey(ctx context.Context) error {
	value, found, err := one(ctx, s, scalar[string], getMeta, metaKeyCheck)
	if err != nil {
		return fmt.Errorf("check the sealing key: %w", err)
	}
	if !found {
		sealed, err := s.seal.close("meta.value", metaKeyCheck, keyCheck)
		if err != nil {
			return err
		}
		return s.setMeta(ctx, metaKeyCheck, hex.EncodeToString(sealed))
	}
	var got string
	sealed, err := hex.DecodeString(value)
	if err != nil || s.seal.open("meta.value", metaKeyCheck, sealed, &got) != nil || got != keyCheck {
		return ErrWrongKey
	}
	return nil
}

// Note keeps a word under a name, until another is kept there; no personal data.
func (s *Store) Note(ctx context.Context, name, word string) error {
	return s.write(ctx, func(ctx context.Context) error { return s.setMeta(ctx, "note "+name, word) })
}

// Noted is the word that is kept under a name; "" when there is none.
func (s *Store) Noted(ctx context.Context, name string) (string, error) {
	word, _, err := one(ctx, s, scalar[string], getMeta, "note "+name)
	if err != nil {
		return "", fmt.Errorf("read what is noted of %s: %w", name, err)
	}
	return word, nil
}
