package bridge

import (
	"context"
	"errors"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// download fetches and decrypts the file of a message.
func (b *Bridge) download(ctx context.Context, m *event.MessageEventContent) ([]byte, error) {
	if m.Info != nil && int64(m.Info.Size) > b.MaxFile {
		return nil, errNotCarried("too_large")
	}
	data, err := b.Matrix.Download(ctx, m.File, m.URL, b.MaxFile)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, errNotCarried("failed")
	case errors.Is(err, ErrRefused):
		return nil, errNotCarried("too_large")
	}
	return data, err
}

// upload encrypts with a fresh key for the room it goes to. The address is in the ledger
// before the bytes are sent, so that a crash leaves nothing behind.
func (b *Bridge) upload(ctx context.Context, data []byte, room string) (*event.EncryptedFileInfo, error) {
	return b.Matrix.Upload(ctx, data, func(uri string) error {
		return b.Store.AddMedia(ctx, store.Media{
			URI: uri, RoomID: room, Own: true, SentAt: b.Now(), DueAt: b.due(b.Now()),
		})
	})
}

// noteMedia enters the files of an event that someone else sent in the ledger. It runs in
// the transaction of the turn that read them.
func (b *Bridge) noteMedia(ctx context.Context, p place) error {
	for _, media := range b.mediaOf(p.event, p.OriginAt) {
		if err := b.Store.AddMedia(ctx, media); err != nil {
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
