package bridge

import (
	"context"
	"errors"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/media"
	"github.com/spreekkamer/spreekkamer/store"
)

// refusals are what package media says, in the words of a text.
var refusals = []struct {
	theirs error
	why    errNotCarried
}{
	{media.ErrType, "refused_type"},
	{media.ErrPixels, "too_large"},
	{media.ErrBroken, "broken"},
}

const (
	// mostFetching is how many files are fetched at once to be passed on. Fewer than there are
	// workers: slow files must not hold up everybody's messages.
	mostFetching = 2
	fetchLimit   = time.Minute // for one file to come down
)

// fetchInTurn fetches a file that is passed on, or asks to come back when others are at it.
func (b *Bridge) fetchInTurn(ctx context.Context, m *event.MessageEventContent) (media.File, error) {
	select {
	case b.fetching <- struct{}{}:
		defer func() { <-b.fetching }()
		return b.fetch(ctx, m, calm)
	default:
		return media.File{}, errNotYet
	}
}

// fetch downloads the file of a message, has it scanned and makes it fit to pass on.
func (b *Bridge) fetch(ctx context.Context, m *event.MessageEventContent, u urgency) (f media.File, err error) {
	data, err := b.download(ctx, m, u)
	if err != nil {
		return f, err
	}
	if err := b.scan(ctx, data, addressOf(m), u); err != nil {
		return f, err
	}
	f, err = media.Clean(data, m.GetFileName(), b.Files)
	for _, r := range refusals {
		if errors.Is(err, r.theirs) {
			b.Log.Info().Str("type", f.Type).Str("why", string(r.why)).Msg("A file was refused")
			return f, r.why
		}
	}
	return f, err
}

// download fetches and decrypts.
func (b *Bridge) download(ctx context.Context, m *event.MessageEventContent, u urgency) ([]byte, error) {
	if m.Info != nil && int64(m.Info.Size) > b.MaxFile {
		return nil, errNotCarried("too_large")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	data, err := b.Matrix.Download(ctx, m.File, m.URL, b.MaxFile)
	switch {
	case err == nil:
		b.troubles.over(addressOf(m))
		return data, nil
	case errors.Is(err, ErrTooLarge):
		return nil, errNotCarried("too_large")
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrRefused):
		return nil, errNotCarried("gone")
	}
	return nil, b.patience(ctx, addressOf(m), u, err, fileWait, "gone")
}

// scan asks the virus scanner, when there is one. What it did not look at does not pass.
func (b *Bridge) scan(ctx context.Context, data []byte, address string, u urgency) error {
	if b.Scanner == nil {
		return nil
	}
	found, err := b.Scanner.Scan(ctx, data)
	if err != nil {
		return b.patience(ctx, "scan "+address, u, err, scanWait, "not_scanned")
	}
	b.troubles.over("scan " + address)
	if found != "" {
		b.Log.Warn().Str("found", found).Msg("The virus scanner refused a file")
		return errNotCarried("infected")
	}
	return nil
}

// addressOf is where the file of a message is.
func addressOf(m *event.MessageEventContent) string {
	if m.File != nil {
		return string(m.File.URL)
	}
	return string(m.URL)
}

// upload encrypts with a fresh key for the room it goes to. The address is in the ledger
// before the bytes are sent, so that a crash leaves nothing behind.
func (b *Bridge) upload(ctx context.Context, data []byte, room string) (*event.EncryptedFileInfo, error) {
	file, err := b.Matrix.Upload(ctx, data, func(uri string) error {
		return b.Store.AddMedia(ctx, store.Media{
			URI: uri, RoomID: room, Own: true, SentAt: b.Now(), DueAt: b.due(b.Now()),
		})
	})
	if errors.Is(err, ErrTooLarge) {
		return nil, errNotCarried("too_large")
	}
	return file, err
}

// noteMedia enters the files of an event that someone else sent in the ledger. It runs in
// the transaction of the turn that read them.
func (b *Bridge) noteMedia(ctx context.Context, p place) error {
	for _, file := range b.mediaOf(p.event, p.OriginAt) {
		if err := b.Store.AddMedia(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// mediaOf lists the files of an event as the ledger has them.
func (b *Bridge) mediaOf(evt *event.Event, sent time.Time) (all []store.Media) {
	m, ok := evt.Content.Parsed.(*event.MessageEventContent)
	if !ok {
		return nil
	}
	for _, uri := range filesOf(m) {
		all = append(all, store.Media{
			URI: string(uri), RoomID: string(evt.RoomID), EventID: string(evt.ID), Own: evt.Sender == b.Matrix.UserID(),
			SentAt: sent, DueAt: b.due(sent),
		})
	}
	return all
}

// filesOf lists the addresses of everything that a message uploaded.
func filesOf(m *event.MessageEventContent) (all []id.ContentURIString) {
	add := func(file *event.EncryptedFileInfo, uri id.ContentURIString) {
		if file != nil {
			uri = file.URL
		}
		if parsed, err := uri.Parse(); err == nil && !parsed.IsEmpty() {
			all = append(all, uri)
		}
	}
	add(m.File, m.URL)
	if m.Info != nil {
		add(m.Info.ThumbnailFile, m.Info.ThumbnailURL)
	}
	if m.NewContent != nil {
		all = append(all, filesOf(m.NewContent)...)
	}
	return all
}
