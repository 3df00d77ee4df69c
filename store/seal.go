package store

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
)

// sealVersion is the first byte of everything sealed, so that another way of sealing can
// follow one day.
const sealVersion = 1

// errUnseal hides why: the cause of a failed decryption says nothing useful.
var errUnseal = errors.New("cannot be opened with this key in this place")

// A sealer is the only thing that can read sealed columns: AES-256 in GCM with a random nonce.
// What is sealed for one place (table, column and row) opens nowhere else.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("make the sealer: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("make the sealer: %w", err)
	}
	return sealer{aead}, nil
}

// close seals a value, as JSON, for a column of a row.
func (s sealer) close(column, row string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", column, row, err)
	}
	return s.aead.Seal([]byte{sealVersion}, nil, plain, place(column, row)), nil
}

// open opens what was sealed for the same column and row.
func (s sealer) open(column, row string, sealed []byte, into any) error {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return fmt.Errorf("open %s of %s: %w", column, row, errUnseal)
	}
	plain, err := s.aead.Open(nil, nil, sealed[1:], place(column, row))
	if err != nil {
		return fmt.Errorf("open %s of %s: %w", column, row, errUnseal)
	}
	if json.Unmarshal(plain, into) != nil { // its error would quote the value
		return fmt.Errorf("open %s of %s: not what was expected", column, row)
	}
	return nil
}

func place(column, row string) []byte { return []byte(column + ":" + row) }
