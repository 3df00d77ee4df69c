package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

const tellDevice = `INSERT INTO told_device (device, sender, at) VALUES ($1, $2, $3) ON CONFLICT (device) DO NOTHING`

// TellDevice remembers that the owner of a device was told something about it; false when that
// had been remembered before.
func (s *Store) TellDevice(ctx context.Context, user, device string, now time.Time) (first bool, err error) {
	sum := sha256.Sum256([]byte(user + "\x00" + device))
	n, err := s.exec(ctx, tellDevice, hex.EncodeToString(sum[:]), user, ms(now))
	if err != nil {
		return false, fmt.Errorf("remember that a device was told of: %w", err)
	}
	return n > 0, nil
}
