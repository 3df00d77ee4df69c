package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

// ErrNoBot says that Keep was called before SaveBot: it would not know which events are ours.
var ErrNoBot = errors.New("the bot is not known yet")

// An Event is what intake says about an event that came in. What it says is not here.
type Event struct {
	ID         string
	RoomID     string
	Type       string
	Sender     string
	StateKey   *string // nil: no state event
	OriginAt   time.Time
	TxnID      string // of our own sending it, when the homeserver or the content tells
	Target     string // event that it reacts to, removes or edits, as far as that can be seen
	Session    string // message key that opens it; "" when it is not encrypted
	Index      int64  // its number with that key; -1 = unknown
	HasContent bool   // must be gone one day: gets a row in the ledger
	ForInbox   bool   // waits for a turn; our own events never do
	Queue      string // used while nobody knows whose room it is, e.g. "user:<sender>" for an invite; "" = the room's own
}

// A Batch is what one answer of /sync or one transaction brought.
type Batch struct {
	NextBatch string  // where /sync goes on; "" = this came in a transaction
	Events    []Event // in the order of the homeserver
	Reads     []Read  // how far people have read, after the events
	Gaps      []Gap   // what could not be read of what was before the events of some rooms
	Anew      bool    // the place before was lost: this is where /sync begins anew
	Fills     *Gap    // the events are what was missing there; nil = they are new
	Now       time.Time
	Away      time.Duration                  // without an answer of /sync for this long is an outage; 0 = never
	Due       func(sent time.Time) time.Time // when an event must be gone
}

// KeepResult is what Keep made of a batch.
type KeepResult struct {
	Added     int      // turns that were not known before
	Placed    int      // turns that got their place in a queue
	Confirmed []string // transaction ids of effects that were seen to have arrived
}

// Keep stores what came in, in one transaction: our own events confirm the effects that sent
// them, events with content enter the ledger, others enter the inbox. Events of /sync get
// their place in a queue, in the order given; events of a transaction wait for that, and events of a
// room with a gap for what was before them. Where /sync goes on is stored with them. Keeping something twice, in any order and from either
// source, is keeping it once.
func (s *Store) Keep(ctx context.Context, b Batch) (result KeepResult, err error) {
	err = s.write(ctx, func(ctx context.Context) error {
		k := keeper{store: s, batch: b, rooms: map[string]keptRoom{}, behind: map[string]bool{}, lateness: s.lateness()}
		if err := k.keep(ctx); err != nil {
			return fail(ctx, err)
		}
		result = k.result
		return nil
	})
	if err != nil {
		return KeepResult{}, fmt.Errorf("keep %d events: %w", len(b.Events), err)
	}
	return result, nil
}

// A keeper keeps one batch.
type keeper struct {
	store    *Store
	batch    Batch
	bot      string
	rooms    map[string]keptRoom
	behind   map[string]bool // rooms in which something earlier is missing
	latest   time.Time       // when a gap is filled: what was sent before this is overtaken
	missed   bool            // a walk found what intake had missed: all of it is overtaken
	result   KeepResult
	lateness lateness
}

// A keptRoom is what a keeper has found out about a room.
type keptRoom struct {
	queue string
	owned bool
}

func (k *keeper) keep(ctx context.Context) error {
	bot, err := k.store.Bot(ctx)
	if err != nil {
		return err
	}
	if bot.UserID == "" {
		return ErrNoBot
	}
	k.bot = bot.UserID
	if err := k.gaps(ctx, bot.AliveAt); err != nil {
		return err
	}
	for _, e := range k.batch.Events {
		if err := k.event(ctx, e.clean()); err != nil {
			return fmt.Errorf("event %s in %s: %w", e.ID, e.RoomID, err)
		}
	}
	for _, r := range k.batch.Reads {
		if err := k.read(ctx, r.clean()); err != nil {
			return fmt.Errorf("receipt for %s in %s: %w", r.Event, r.Room, err)
		}
	}
	if k.batch.NextBatch == "" {
		return nil
	}
	if err := k.alive(ctx, bot.AliveAt); err != nil {
		return err
	}
	if _, err = k.store.exec(ctx, setNextBatch, k.batch.NextBatch, ms(k.batch.Now)); err != nil || !k.batch.Anew {
		return err
	}
	return k.anew(ctx)
}

func (k *keeper) event(ctx context.Context, e Event) error {
	own := e.Sender == k.bot
	if e.HasContent {
		if err := k.enterLedger(ctx, e, own); err != nil {
			return err
		}
	}
	switch {
	case own:
		return k.confirm(ctx, e)
	case e.ForInbox:
		return k.enterInbox(ctx, e)
	}
	return nil
}

func (k *keeper) enterLedger(ctx context.Context, e Event, own bool) error {
	sent := e.OriginAt
	if sent.IsZero() || k.batch.Now.Before(sent) { // a clock that is ahead keeps nothing longer
		sent = k.batch.Now
	}
	return k.store.AddLedger(ctx, LedgerRow{
		EventID: e.ID, RoomID: e.RoomID, Type: e.Type, Own: own, About: e.about(),
		Session: e.Session, Index: e.Index, SentAt: sent, DueAt: k.batch.Due(sent),
	})
}

// about is the event that this one belongs to, for the ledger. A removal stays a while after
// what it removed.
func (e Event) about() string {
	if e.Type == removal {
		return ""
	}
	return e.Target
}

// removal is the type of the event that removes another.
const removal = "m.room.redaction"

// confirm notes on the effect that sent an event that it has arrived.
func (k *keeper) confirm(ctx context.Context, e Event) error {
	if e.TxnID == "" {
		return nil
	}
	n, err := k.store.exec(ctx, confirmEffect, e.TxnID, e.ID)
	if err == nil && n > 0 {
		k.result.Confirmed = append(k.result.Confirmed, e.TxnID)
	}
	return err
}

// enterInbox adds an event, or gives one that was known from a transaction its place.
func (k *keeper) enterInbox(ctx context.Context, e Event) error {
	queue, err := k.queue(ctx, e)
	if err != nil {
		return err
	}
	n, err := k.store.addTurn(ctx, Turn{
		EventID: e.ID, RoomID: e.RoomID, Queue: queue, Type: e.Type, Sender: e.Sender, StateKey: e.stateKey(),
		Target: e.Target, OriginAt: e.OriginAt, ReceivedAt: k.batch.Now,
	})
	if err != nil {
		return err
	}
	k.result.Added += n
	if n > 0 && k.missed {
		_, err := k.store.exec(ctx, overtakeEvent, e.ID)
		return err
	}
	if !k.places(e) {
		return nil
	}
	turn, _, err := one(ctx, k.store, scanUnplaced, incoming, e.ID)
	if err != nil || !turn.waits {
		return err
	}
	k.result.Placed++
	if err := k.late(ctx, e, turn.id); err != nil {
		return err
	}
	return k.store.placeTurn(ctx, turn.id)
}

// An unplaced is a turn that may wait for its place.
type unplaced struct {
	id    int64
	waits bool
}

func scanUnplaced(row dbutil.Scannable) (u unplaced, err error) {
	err = row.Scan(&u.id, &u.waits)
	return u, err
}

// queue is where an event of a room waits; its own word counts while nobody knows whose room
// that is.
func (k *keeper) queue(ctx context.Context, e Event) (string, error) {
	r, known := k.rooms[e.RoomID]
	if !known {
		var err error
		if r.queue, r.owned, err = k.store.queueOfRoom(ctx, e.RoomID); err != nil {
			return "", err
		}
		k.rooms[e.RoomID] = r
	}
	if e.Queue != "" && !r.owned {
		return e.Queue, nil
	}
	return r.queue, nil
}

func (e Event) stateKey() string {
	if e.StateKey == nil {
		return ""
	}
	return *e.StateKey
}

// clean makes strings from elsewhere fit for PostgreSQL, which takes neither NUL nor what is
// not UTF-8: an event that cannot be stored would stop intake for good.
func (e Event) clean() Event {
	cleanAll(&e.ID, &e.RoomID, &e.Type, &e.Sender, &e.TxnID, &e.Target, &e.Queue, &e.Session)
	if e.StateKey != nil {
		key := clean(*e.StateKey)
		e.StateKey = &key
	}
	return e
}

func (r Read) clean() Read {
	cleanAll(&r.Room, &r.User, &r.Event, &r.Thread)
	return r
}

func cleanAll(texts ...*string) {
	for _, text := range texts {
		*text = clean(*text)
	}
}

func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
