package bridge

import (
	"context"
	"sync"

	"maunium.net/go/mautrix/event"
)

// A handover is a file that lies ready for the other side.
type handover struct {
	file *event.EncryptedFileInfo
	kind string // its type, as it was seen to be
	info map[string]any
}

// handed are the files of deliveries that have not ended. Sending the message may fail many times: the
// file is not fetched and uploaded again each time, and no copies are left behind. They are in
// memory: after a restart a file is uploaded once more, and the ledger knows both.
type handed struct {
	mu  sync.Mutex
	all map[int64]map[string]handover // by effect and by where the file came from
}

func (h *handed) of(effect int64, address string) (handover, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, known := h.all[effect][address]
	return f, known
}

func (h *handed) remember(effect int64, address string, f handover) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[int64]map[string]handover{}
	}
	if h.all[effect] == nil {
		h.all[effect] = map[string]handover{}
	}
	h.all[effect][address] = f
}

// forget is called when a delivery has ended, however it did.
func (h *handed) forget(effect int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, effect)
}

// handOver brings a file to the other side: fetched, made fit to pass on, and encrypted afresh.
// Of only one sort of message ("" = any), another sort of file is not carried.
func (b *Bridge) handOver(ctx context.Context, m *event.MessageEventContent, l leg, only event.MessageType) (handover, error) {
	isOther := func(kind string) bool { return only != "" && shownAs(only, kind) != only }
	if f, known := b.handed.of(l.effect, addressOf(m)); known {
		if isOther(f.kind) {
			return handover{}, errNotCarried("refused_type")
		}
		return f, nil
	}
	f, err := b.fetchInTurn(ctx, m)
	if err != nil {
		return handover{}, err
	}
	if isOther(f.Type) {
		return handover{}, errNotCarried("refused_type")
	}
	file, err := b.upload(ctx, f.Data, l.room)
	if err != nil {
		return handover{}, err
	}
	ready := handover{file, f.Type, fileInfo(m, f)}
	b.handed.remember(l.effect, addressOf(m), ready)
	return ready, nil
}
