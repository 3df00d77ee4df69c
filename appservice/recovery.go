package appservice

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"maunium.net/go/mautrix/crypto/utils"
)

const recoveryNote = "# Recovery key of the bot's Matrix identity. Keep this file secret and in the backup:\n" +
	"# without it every patient is warned about the practice when the bot has to start anew.\n"

// readRecoveryKey returns the key in the file; found is false when there is no file. A file
// that holds no key is an error: it must not be taken for "none" and replaced.
func readRecoveryKey(path string) (recovery string, found bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the recovery key: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			recovery = line
		}
	}
	if decodeRecoveryKey(recovery) == nil {
		return "", false, fmt.Errorf("%s holds no recovery key: put the right file back from the backup", path)
	}
	return recovery, true, nil
}

// createRecoveryKey makes a key and writes it down before anyone can rely on it. The file
// appears complete or not at all, and one that is there already is never replaced.
func createRecoveryKey(path string) (string, error) {
	secret := make([]byte, utils.AESCTRKeyLength)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("make a recovery key: %w", err)
	}
	recovery := utils.EncodeBase58RecoveryKey(secret)
	if err := writeOnce(path, []byte(recoveryNote+recovery+"\n")); err != nil {
		return "", fmt.Errorf("write the recovery key: %w", err)
	}
	read, _, err := readRecoveryKey(path)
	if err != nil || read != recovery {
		return "", fmt.Errorf("the recovery key just written to %s cannot be read back: %w", path, err)
	}
	return recovery, nil
}

// writeOnce writes a new file that only its owner may read, and makes sure that it is on disk.
func writeOnce(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".recovery-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil { // unlike a rename, this replaces nothing
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// decodeRecoveryKey returns nil when the text is no recovery key.
func decodeRecoveryKey(text string) (secret []byte) {
	if guard(func() error { secret = utils.DecodeBase58RecoveryKey(text); return nil }) != nil {
		return nil
	}
	return secret
}
