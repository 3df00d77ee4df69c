package appservice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto/attachment"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Upload encrypts data with a fresh key and puts it into the media repository. before is told
// the address as early as the homeserver allows: before any byte goes out where addresses can be
// made first, so that a crash leaves no file behind that nobody knows of. If before fails,
// nothing more happens.
func (c *Client) Upload(ctx context.Context, data []byte, before func(uri id.ContentURIString) error) (*event.EncryptedFileInfo, error) {
	ctx = c.quiet(ctx)
	if limit, err := c.UploadLimit(ctx); err == nil && limit > 0 && int64(len(data)) > limit {
		return nil, fmt.Errorf("upload %d bytes, allowed are %d: %w", len(data), limit, ErrTooLarge)
	}
	file := attachment.NewEncryptedFile()
	sealed := slices.Clone(data)
	file.EncryptInPlace(sealed)
	uri, err := c.reserve(ctx, before)
	if err != nil {
		return nil, err
	}
	req := mautrix.ReqUploadMedia{ContentBytes: sealed, ContentType: "application/octet-stream", MXC: uri}
	answer, err := c.matrix.UploadMedia(ctx, req)
	if err != nil {
		return nil, failed(err, "upload %d bytes", len(sealed))
	}
	if uri.IsEmpty() {
		if uri = answer.ContentURI; uri.IsEmpty() {
			return nil, errors.New("upload: the homeserver gave no address")
		}
		if err := before(uri.CUString()); err != nil {
			return nil, fmt.Errorf("record upload %s: %w", uri, err)
		}
	}
	return &event.EncryptedFileInfo{EncryptedFile: written(*file), URL: uri.CUString()}, nil
}

// reserve asks for an address and has it recorded. Where the homeserver gives none beforehand,
// or no more of them now, the address is empty.
func (c *Client) reserve(ctx context.Context, before func(id.ContentURIString) error) (id.ContentURI, error) {
	made, err := c.matrix.CreateMXC(ctx)
	var answer mautrix.HTTPError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.StatusCode/100 == 4 && classOf(err) != ErrUnknownToken {
		return id.ContentURI{}, nil
	}
	if err != nil {
		return id.ContentURI{}, failed(err, "reserve an address for media")
	}
	if err := before(made.ContentURI.CUString()); err != nil {
		return id.ContentURI{}, fmt.Errorf("record upload %s: %w", made.ContentURI, err)
	}
	return made.ContentURI, nil
}

// Download fetches media and decrypts them with file, which is nil for unencrypted media. More
// than max bytes is ErrTooLarge.
func (c *Client) Download(ctx context.Context, uri id.ContentURIString, file *event.EncryptedFileInfo, most int64) ([]byte, error) {
	address, err := uri.Parse()
	if err != nil || address.IsEmpty() {
		return nil, fmt.Errorf("download: the address is no media address: %w", ErrPermanent)
	}
	answer, err := c.matrix.Download(c.quiet(ctx), address)
	if err != nil {
		return nil, failed(err, "download %s", uri)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil:
		return nil, failed(err, "download %s", uri)
	case int64(len(data)) > most:
		return nil, fmt.Errorf("download %s: more than %d bytes: %w", uri, most, ErrTooLarge)
	case isRefusal(answer.Header.Get("Content-Type"), data):
		return nil, fmt.Errorf("download %s: the homeserver's limit is reached", uri)
	case file == nil:
		return data, nil
	}
	return decryptFile(uri, file, data)
}

// isRefusal recognises Dendrite's answer when its download limit is reached: JSON with status
// 200 in place of the file.
func isRefusal(contentType string, data []byte) bool {
	var body struct {
		Code string `json:"errcode"`
	}
	return strings.HasPrefix(contentType, "application/json") && bytes.Contains(data[:min(len(data), 200)], []byte("errcode")) &&
		json.Unmarshal(data, &body) == nil && strings.HasPrefix(body.Code, "M_")
}

func decryptFile(uri id.ContentURIString, file *event.EncryptedFileInfo, data []byte) ([]byte, error) {
	keys := written(file.EncryptedFile)
	if err := guard(func() error { return keys.DecryptInPlace(data) }); err != nil {
		return nil, fmt.Errorf("decrypt %s: %w: %w", uri, ErrUndecryptable, err)
	}
	return data, nil
}

// written is a file's key as it stands in an event. The library remembers more in the value,
// which is not complete right after encryption and must not be shared between readers.
func written(f attachment.EncryptedFile) attachment.EncryptedFile {
	return attachment.EncryptedFile{Key: f.Key, InitVector: f.InitVector, Hashes: f.Hashes, Version: f.Version}
}

// uploadLimit remembers what the homeserver said about sizes.
type uploadLimit struct {
	mu    sync.Mutex
	bytes int64
	asked time.Time
}

const limitAge = time.Hour

// UploadLimit is the largest file the homeserver takes, in bytes; 0 when it does not say.
// Synapse cuts the connection on a larger one instead of saying so.
func (c *Client) UploadLimit(ctx context.Context) (int64, error) {
	c.uploads.mu.Lock()
	defer c.uploads.mu.Unlock()
	if now := c.opts.Now(); !c.uploads.asked.IsZero() && now.Sub(c.uploads.asked) < limitAge {
		return c.uploads.bytes, nil
	}
	config, err := c.matrix.GetMediaConfig(c.quiet(ctx))
	if err != nil {
		return 0, failed(err, "ask how large a file may be")
	}
	c.uploads.bytes, c.uploads.asked = config.UploadSize, c.opts.Now()
	return c.uploads.bytes, nil
}
