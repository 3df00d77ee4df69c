package bridge

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

const (
	turnWorkers = 4                // turns of different people at the same time
	placeWait   = 30 * time.Second // for /sync to place an event that a transaction brought
	idle        = time.Second      // between looks when nothing rings
)

// errNotYet postpones a turn without calling it a failure.
var errNotYet = errors.New("not yet")

// runTurns gives every queue its turns in order, several queues at a time. No two turns
// of one queue overlap, so nothing about a person needs a lock.
func (b *Bridge) runTurns(ctx context.Context) error {
	p := &pool{slots: make(chan struct{}, turnWorkers), busy: map[string]bool{}, freed: b.turns.ring}
	defer p.wait()
	for {
		found, err := b.startTurns(ctx, p)
		if errors.Is(err, store.ErrTakenOver) {
			return err // another instance has this database: stop at once
		}
		if err != nil && ctx.Err() == nil {
			b.Log.Err(err).Msg("Looking for turns failed")
		}
		if found {
			continue
		}
		if err := b.turns.wait(ctx, idle); err != nil {
			return nil // stopped
		}
	}
}

// startTurns starts the first due turn of every queue that is not busy.
func (b *Bridge) startTurns(ctx context.Context, p *pool) (found bool, err error) {
	if err := b.tellOutages(ctx); err != nil {
		return false, err
	}
	if _, err := b.Store.PlaceOverdue(ctx, b.leaps.before(placeWait, b.Now())); err != nil {
		return false, err
	}
	if _, err := b.Store.ReopenParked(ctx, b.Now(), reopenBatch); err != nil {
		return false, err
	}
	if err := b.takeReminders(ctx); err != nil {
		return false, err
	}
	// Who is busy is asked before the database: a turn that ends in between is still in the
	// answer, and must not be taken twice.
	busy := p.keys()
	heads, err := b.Store.HeadTurns(ctx, b.Now(), 4*turnWorkers)
	if err != nil {
		return false, err
	}
	for _, t := range heads {
		if !slices.Contains(busy, t.Queue) && p.start(ctx, t.Queue, func() { b.takeTurn(ctx, t) }) {
			found = true
		}
	}
	return found, nil
}

// takeTurn runs one turn; whatever goes wrong concerns its own queue only.
func (b *Bridge) takeTurn(ctx context.Context, t store.Turn) {
	err := b.guarded(ctx, t)
	switch {
	case err == nil:
		b.outbox.ringAll()
	case ctx.Err() != nil: // stopped: the row is still there
	case errors.Is(err, errNotYet):
		b.postpone(ctx, t, b.nextTry(t, err), "not yet")
	default:
		if worthSaying(t.Attempt) {
			b.Log.Err(err).Str("event_id", t.EventID).Int("attempt", t.Attempt).Msg("Turn failed")
		}
		if isHopeless(t, err) && b.giveUpTurn(ctx, t) {
			return
		}
		if errors.Is(err, errAway) {
			b.postpone(ctx, t, b.Now().Add(shortly(t.Attempt)), store.TurnAway)
			return
		}
		b.postpone(ctx, t, b.Now().Add(backoff(t.Attempt)), store.TurnFailed)
	}
}

func (b *Bridge) postpone(ctx context.Context, t store.Turn, until time.Time, why string) {
	b.insist(ctx, "Postponing a turn", func() error { return b.Store.PostponeTurn(ctx, t.ID, until, why) })
}

// guarded turns a panic into an error, so that it blocks its own queue and no other.
func (b *Bridge) guarded(ctx context.Context, t store.Turn) (err error) {
	defer func() {
		if r := recover(); r != nil {
			b.Log.Error().Str("event_id", t.EventID).Bytes("stack", debug.Stack()).Msg("Turn panicked")
			err = fmt.Errorf("panic in turn %s", t.EventID)
		}
	}()
	return b.turn(ctx, t)
}

// A place is where an event happened: the room's kind decides who handles it.
type place struct {
	store.Turn
	room  store.Room
	event *event.Event // decrypted; nil for what has no content to read

	parked   *store.Parked  // set when it had to wait
	replaces string         // event that it edits, when that one is parked: it stands for it
	besides  []store.Effect // what it leads to whatever its handler makes of it
}

func (p place) roomID() id.RoomID   { return id.RoomID(p.RoomID) }
func (p place) eventID() id.EventID { return id.EventID(p.EventID) }
func (p place) sender() id.UserID   { return id.UserID(p.Sender) }

// handlers says who takes what happens in a room of each kind.
var handlers = map[store.RoomKind]func(*Bridge, context.Context, place) error{
	store.RoomContact:      (*Bridge).inContact,
	store.RoomConsulting:   (*Bridge).inConsulting,
	store.RoomConversation: (*Bridge).inConversation,
	store.RoomBalie:        (*Bridge).inStaffRoom,
	store.RoomBeheer:       (*Bridge).inStaffRoom,
}

// turn decides what one event leads to. Whoever handles it stores the result and the end
// of the turn in one transaction (finish).
func (b *Bridge) turn(ctx context.Context, t store.Turn) error {
	if t.RoomID == "" {
		return b.inAct(ctx, place{Turn: t})
	}
	room, known, err := b.Store.Room(ctx, t.RoomID)
	if err != nil {
		return err
	}
	p := place{Turn: t, room: room}
	if !known {
		return b.inUnknown(ctx, p)
	}
	if t.Type == store.LostTurn {
		return b.partLost(ctx, p)
	}
	handle, ok := handlers[room.Kind]
	if !ok {
		return b.finish(ctx, p, nil)
	}
	if !b.reads(p) {
		return handle(b, ctx, p)
	}
	return b.read(ctx, p, handle)
}

// read decrypts the event of a turn and hands it on. A turn whose key is missing, or that must
// not come before another such one, is parked instead.
func (b *Bridge) read(ctx context.Context, p place, handle func(*Bridge, context.Context, place) error) error {
	parked, waited, err := b.Store.ParkedEvent(ctx, p.EventID)
	if err != nil {
		return err
	}
	if waited {
		p.parked = &parked
	}
	row, wait, err := b.inLine(ctx, p)
	if err != nil {
		return err
	}
	if wait {
		return b.park(ctx, p, row, func(context.Context) error { return nil })
	}
	if p.event, err = b.readEvent(ctx, p.roomID(), p.eventID()); err != nil {
		return b.unread(ctx, p, err)
	}
	if arriving, err := b.isAboutArriving(ctx, p); err != nil {
		return err
	} else if arriving {
		return errNotYet
	}
	if isBare(p) {
		return b.refuseBare(ctx, p)
	}
	if held, err := b.waitsForDevice(ctx, p); err != nil {
		return err
	} else if held {
		return b.holdForDevice(ctx, p)
	}
	if target := edited(p.event); target != "" {
		if counts, err := b.counts(ctx, p, target); err != nil {
			return err
		} else if !counts {
			return b.finish(ctx, p, nil)
		}
		_, waits, err := b.Store.ParkedEvent(ctx, target)
		if err != nil {
			return err
		}
		if waits {
			p.replaces = target
		}
	}
	return handle(b, ctx, p)
}

// reads says whether a turn needs the content of its event. In the patient's own chat
// nothing is read: a key that never comes must not hold up the consulting room.
func (b *Bridge) reads(p place) bool {
	return p.room.Kind != store.RoomContact || p.Type == event.EventMessage.Type
}

// unread ends the turn of an event that has no content any more, or that nothing will ever
// open: then both sides are told (requirement B2).
func (b *Bridge) unread(ctx context.Context, p place, err error) error {
	switch {
	case errors.Is(err, errNotYet):
		return err
	case wasRemoved(err):
		return b.finish(ctx, p, nil)
	case errors.Is(err, ErrUnreadable), errors.Is(err, ErrRefused):
		return b.finish(ctx, p, func(ctx context.Context) error { return b.tellMissing(ctx, p, "unreadable") })
	case errors.Is(err, ErrNoKey):
		return b.noKey(ctx, p)
	}
	return errors.Join(errAway, err)
}

// finish stores what a turn leads to, the files it brought, and its end, in one
// transaction.
func (b *Bridge) finish(ctx context.Context, p place, changes func(ctx context.Context) error) error {
	return b.conclude(ctx, p, func(ctx context.Context) error {
		if p.event != nil {
			if err := errors.Join(b.noteMedia(ctx, p), b.mindDevice(ctx, p)); err != nil {
				return err
			}
		}
		if changes != nil {
			if err := changes(ctx); err != nil {
				return err
			}
		}
		return errors.Join(b.add(ctx, p.besides...), b.unpark(ctx, p))
	})
}

// unpark ends the waiting of a turn, and of what its event stands for.
func (b *Bridge) unpark(ctx context.Context, p place) error {
	if p.replaces != "" {
		if err := b.Store.Unpark(ctx, p.replaces); err != nil {
			return err
		}
	}
	if p.parked == nil {
		return nil
	}
	return b.Store.Unpark(ctx, p.EventID)
}

// conclude ends a turn, once, in the transaction of what it leads to.
func (b *Bridge) conclude(ctx context.Context, p place, changes func(ctx context.Context) error) error {
	return b.Store.Transact(ctx, func(ctx context.Context) error {
		if open, err := b.Store.TurnIsOpen(ctx, p.ID); err != nil || !open {
			return err // it has been taken already: what it leads to must not happen twice
		}
		if err := changes(ctx); err != nil {
			return err
		}
		return b.Store.FinishTurn(ctx, p.ID, b.Now())
	})
}

// A pool runs one job per key at a time, and a few keys at once.
type pool struct {
	slots chan struct{}
	freed func()
	group sync.WaitGroup
	mu    sync.Mutex
	busy  map[string]bool
}

// start runs job unless its key is busy or no slot comes free before ctx ends.
func (p *pool) start(ctx context.Context, key string, job func()) bool {
	if !p.take(key) {
		return false
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		p.release(key)
		return false
	}
	p.group.Go(func() {
		defer func() { <-p.slots; p.release(key); p.freed() }()
		job()
	})
	return true
}

func (p *pool) take(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[key] {
		return false
	}
	p.busy[key] = true
	return true
}

func (p *pool) release(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, key)
}

// keys are the keys that are busy now.
func (p *pool) keys() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.busy {
		all = append(all, key)
	}
	return all
}

func (p *pool) wait() { p.group.Wait() }
