package appservice

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/ssss"
	"maunium.net/go/mautrix/id"
)

// openKeys loads the bot's olm account and sessions, or makes the account.
func (c *Client) openKeys(ctx context.Context) error {
	if err := c.rooms.Upgrade(ctx); err != nil {
		return fmt.Errorf("bring the room state tables up to date: %w", err)
	}
	c.keys = newCryptoStore(c.store.DB(), c.user, c.matrix.DeviceID, c.store.PickleKey())
	if err := c.keys.DB.Upgrade(ctx); err != nil {
		return fmt.Errorf("bring the key tables up to date: %w", err)
	}
	c.machine = crypto.NewOlmMachine(c.matrix, &c.libraryLog, c.keys, c.rooms)
	// Patients who never verified a device get their answers too; who is not trusted is told
	// apart when their messages come in (TrustState).
	c.machine.SendKeysMinTrust = id.TrustStateUnset
	c.machine.IgnorePostDecryptionParseErrors = true // odd content is the reader's business
	// Keys are moved on when what they opened is gone (ForgetKeys), and by nobody else: a reader
	// that stores what it has read would undo that.
	c.machine.DisableRatchetTracking = true
	c.machine.SessionReceived = c.sessionReceived
	if err := c.machine.Load(ctx); err != nil {
		return fmt.Errorf("load the bot's keys: %w", err)
	}
	return nil
}

// publishKeys makes sure that the homeserver has this device's keys. It had them and lost them
// when someone removed the device: then they are published again. Other keys than ours mean
// that two databases claim to be the same device.
func (c *Client) publishKeys(ctx context.Context) error {
	mine := c.machine.OwnIdentity()
	answer, err := c.matrix.QueryKeys(ctx, &mautrix.ReqQueryKeys{
		DeviceKeys: mautrix.DeviceKeysRequest{c.user: {mine.DeviceID}},
	})
	if err != nil {
		return failed(err, "ask for the bot's own keys")
	}
	published, ok := answer.DeviceKeys[c.user][mine.DeviceID]
	switch key := published.Keys.GetEd25519(mine.DeviceID); {
	case ok && key == mine.SigningKey:
		c.machine.GetAccount().Shared = true // also after a crash before this was written down
		return nil
	case ok && key != "":
		return fmt.Errorf("the homeserver knows the bot's device %s with other keys than this database: "+
			"restore the database that belongs to it, or remove the device at the homeserver", mine.DeviceID)
	}
	c.machine.GetAccount().Shared = false
	return failed(c.machine.ShareKeys(ctx, 0), "publish the bot's keys")
}

// secureIdentity makes sure that the bot's device is cross-signed, so that no client warns
// about it.
//
// The recovery key is made first and written to its file; everything else is derived from the
// file or stored at the homeserver under it, and the public keys, which make an identity
// binding, come last. So whatever is cut off between two steps is picked up from the file.
func (c *Client) secureIdentity(ctx context.Context) error {
	if _, err := c.machine.FetchKeys(ctx, []id.UserID{c.user}, true); err != nil {
		return failed(err, "ask for the bot's identity")
	}
	exists, signed, err := c.machine.GetOwnVerificationStatus(ctx)
	if err != nil {
		return failed(err, "look at the bot's identity")
	}
	recovery, found, err := readRecoveryKey(c.opts.RecoveryKeyFile)
	switch {
	case err != nil:
		return err
	case exists && signed && !found:
		c.log.Error().Str("file", c.opts.RecoveryKeyFile).Msg("The recovery key file is missing: put it back from the backup, the bot cannot keep its identity without it")
		return nil
	case exists && signed:
		return nil
	case exists && !found:
		return fmt.Errorf("the bot %s has an identity already and this device is not part of it: put the recovery key file %s back from the backup", c.user, c.opts.RecoveryKeyFile)
	case !exists && !found:
		recovery, err = createRecoveryKey(c.opts.RecoveryKeyFile)
	}
	if err != nil {
		return err
	}
	return c.joinIdentity(ctx, exists, recovery)
}

// joinIdentity makes the identity if there is none, and signs this device with it.
func (c *Client) joinIdentity(ctx context.Context, exists bool, recovery string) error {
	if !exists {
		if err := c.createIdentity(ctx, recovery); err != nil {
			return fmt.Errorf("create the bot's identity: %w", err)
		}
	}
	if err := c.machine.VerifyWithRecoveryKey(ctx, recovery); err != nil {
		return fmt.Errorf("sign the bot's device with the recovery key in %s (is it the right file?): %w", c.opts.RecoveryKeyFile, err)
	}
	c.log.Info().Msg("The bot's device is cross-signed")
	return nil
}

// createIdentity stores new private keys at the homeserver, encrypted with the recovery key,
// and then publishes the public ones.
func (c *Client) createIdentity(ctx context.Context, recovery string) error {
	vault, err := c.vault(ctx, recovery)
	if err != nil {
		return err
	}
	keys, err := c.privateKeys(ctx, vault)
	if err != nil {
		return err
	}
	return failed(c.machine.PublishCrossSigningKeys(ctx, keys, nil), "publish the public keys")
}

// privateKeys returns those that an attempt stored which was cut off, or new ones, stored.
func (c *Client) privateKeys(ctx context.Context, vault *ssss.Key) (*crypto.CrossSigningKeysCache, error) {
	if c.machine.FetchCrossSigningKeysFromSSSS(ctx, vault) == nil {
		return c.machine.CrossSigningKeys, nil
	}
	keys, err := c.machine.GenerateCrossSigningKeys()
	if err != nil {
		return nil, err
	}
	return keys, failed(c.machine.UploadCrossSigningKeysToSSSS(ctx, vault, keys), "store the private keys")
}

// vault is the homeserver's secret storage that the recovery key opens; it is made when there
// is none.
func (c *Client) vault(ctx context.Context, recovery string) (*ssss.Key, error) {
	keyID, data, err := c.machine.SSSS.GetDefaultKeyData(ctx)
	if err == nil {
		key, err := data.VerifyRecoveryKey(keyID, recovery)
		if err != nil {
			return nil, fmt.Errorf("the recovery key in %s does not open the bot's secret storage: put the right file back from the backup: %w", c.opts.RecoveryKeyFile, err)
		}
		return key, nil
	}
	if !errors.Is(err, ssss.ErrNoDefaultKeyAccountDataEvent) && classOf(err) != ErrNotFound {
		return nil, failed(err, "look for the bot's secret storage")
	}
	key, err := ssss.WrapKey(decodeRecoveryKey(recovery), nil)
	if err != nil {
		return nil, fmt.Errorf("recovery key in %s: %w", c.opts.RecoveryKeyFile, err)
	}
	if err := c.machine.SSSS.SetKeyData(ctx, key.ID, key.Metadata); err != nil {
		return nil, failed(err, "make the bot's secret storage")
	}
	return key, failed(c.machine.SSSS.SetDefaultKeyID(ctx, key.ID), "name the bot's secret storage")
}

// Signed reports whether the bot's device is cross-signed as far as the homeserver tells.
func (c *Client) Signed(ctx context.Context) (bool, error) {
	ctx = c.quiet(ctx)
	if _, err := c.machine.FetchKeys(ctx, []id.UserID{c.user}, true); err != nil {
		return false, failed(err, "ask for the bot's identity")
	}
	_, signed, err := c.machine.GetOwnVerificationStatus(ctx)
	return signed, failed(err, "look at the bot's identity")
}
