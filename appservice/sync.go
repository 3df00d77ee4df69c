package appservice

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/spreekkamer/spreekkamer/store"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

const (
	longPoll     = 30_000 // milliseconds a /sync waits for something new
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// Run takes in events until ctx ends, and returns ctx's error. Errors of the homeserver and of
// the database are logged and tried again.
func (c *Client) Run(ctx context.Context) error {
	ctx = c.quiet(ctx)
	if err := c.Ping(ctx); err != nil && !errors.Is(err, ErrUnsupported) {
		c.log.Warn().Str("error", said(err)).Msg("The homeserver cannot reach us; events come by /sync only")
	}
	var filling sync.WaitGroup
	filling.Go(func() { c.fillGaps(ctx) })
	defer filling.Wait()
	backoff, wait := firstBackoff, 0 // the first answer comes at once, and tells that we caught up
	for ctx.Err() == nil {
		err := c.takeIn(ctx, wait)
		if err == nil {
			backoff, wait = firstBackoff, longPoll
			c.caught.Do(func() { close(c.caughtUp) })
			continue
		}
		if ctx.Err() != nil {
			break
		}
		c.log.Warn().Str("error", said(err)).Dur("again_in", backoff).Msg("Taking in events failed")
		c.renewToken(ctx, err)
		pause(ctx, delay(err, backoff))
		backoff, wait = min(2*backoff, lastBackoff), 0
	}
	return ctx.Err()
}

// CaughtUp is closed when everything has been kept that happened before Run.
func (c *Client) CaughtUp() <-chan struct{} { return c.caughtUp }

// renewToken signs in again when the homeserver has forgotten the bot's token or device.
func (c *Client) renewToken(ctx context.Context, err error) {
	if !errors.Is(err, ErrUnknownToken) {
		return
	}
	for _, step := range []func(context.Context) error{c.signIn, c.publishKeys, c.secureIdentity} {
		if err := step(ctx); err != nil {
			c.log.Error().Str("error", said(err)).Msg("The bot cannot sign in")
			return
		}
	}
}

// delay is how long to wait after an error: as long as the homeserver asks, otherwise about the
// backoff, spread so that several bridges do not come back in the same second.
func delay(err error, backoff time.Duration) time.Duration {
	if asked, ok := RetryAfter(err); ok && asked > 0 {
		return asked
	}
	return backoff/2 + rand.N(backoff)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// syncOnce takes in one answer: keys and room state first, because turns need them, then the
// events together with the place in the stream. If it fails anywhere, the same comes again.
func (c *Client) syncOnce(ctx context.Context, wait int) error {
	bot, err := c.store.Bot(ctx)
	if err != nil {
		return fmt.Errorf("load the place in the stream: %w", err)
	}
	answer, err := c.whatIsNew(ctx, bot.NextBatch, wait, timelineLimit)
	if err != nil {
		return err
	}
	return c.take(ctx, answer, bot.NextBatch, "")
}

// take takes in what /sync answered to a place. lost is the place that the bot had before when that
// is known no more; "" = it goes on.
func (c *Client) take(ctx context.Context, answer syncAnswer, since, lost string) error {
	if err := c.takeDeviceNews(ctx, answer.deviceNews); err != nil {
		return err
	}
	events, gaps, err := c.collect(ctx, answer, since, lost)
	if err != nil {
		return err
	}
	var reads []store.Read
	for room, news := range answer.Rooms.Join {
		reads = append(reads, readsIn(room, news.Ephemeral.Events)...)
	}
	batch := store.Batch{NextBatch: answer.NextBatch, Reads: reads, Gaps: gaps, Anew: lost != ""}
	if err := c.keepBatch(ctx, batch, events); err != nil {
		return err
	}
	c.seen.add(events)
	c.announceArrivals(ctx)
	c.announceTyping(answer.Rooms.Join)
	return nil
}

// collect brings the room state up to date and returns the answer's events in their order, and
// what of the events before them could not be read.
func (c *Client) collect(ctx context.Context, answer syncAnswer, since, lost string) (rows []row, gaps []store.Gap, err error) {
	patience, done := context.WithTimeout(ctx, gapPatience) // for all rooms together
	defer done()
	var rooms [][]incoming
	history := map[id.EventID]bool{} // for the ledger only
	for _, news := range []map[id.RoomID]roomNews{answer.Rooms.Leave, answer.Rooms.Join} {
		for room, n := range news {
			timeline := c.parseAll(room, n.Timeline.Events)
			before, err := c.pastOf(ctx, patience, room, n, timeline, since, lost)
			if err != nil {
				return nil, nil, err
			}
			if before.gap != nil {
				gaps = append(gaps, *before.gap)
			}
			for _, e := range before.history {
				history[e.ID] = true
			}
			c.updateState(ctx, append(withoutCrowd(c.parseAll(room, n.State.Events)), timeline...))
			rooms = append(rooms, whole(before.events, timeline))
		}
	}
	for room, invite := range answer.Rooms.Invite {
		if r, ok := c.invitation(room, invite.State.Events, since); ok {
			rows = append(rows, r)
		}
	}
	for _, e := range merged(rooms) {
		rows = append(rows, c.rowOf(ctx, e, history[e.ID]))
	}
	return rows, gaps, nil
}

// row is an event and what the store keeps of it.
type row struct {
	event   incoming
	kept    store.Event
	history bool // is kept for the ledger only
}

func (c *Client) rowOf(ctx context.Context, e incoming, ledgerOnly bool) row {
	if e.Sender == c.user && e.TxnID == "" {
		e.TxnID = c.markerOf(ctx, e)
	}
	kept := e.row(c.user, c.opts.Now())
	kept.ForInbox = kept.ForInbox && !ledgerOnly
	return row{e, kept, ledgerOnly}
}

// keep stores events and, when it came with them, the place in the stream.
func (c *Client) keep(ctx context.Context, nextBatch string, rows []row) error {
	return c.keepBatch(ctx, store.Batch{NextBatch: nextBatch}, rows)
}

// keepBatch stores events and everything that came with them: all or none.
func (c *Client) keepBatch(ctx context.Context, batch store.Batch, rows []row) error {
	batch.Now, batch.Away, batch.Due = c.opts.Now(), c.opts.Away, c.opts.Due
	for _, r := range rows {
		batch.Events = append(batch.Events, r.kept)
		if r.kept.ForInbox && r.kept.HasContent {
			c.raw.put(r.event.ID, r.event.Room, r.event.Raw)
		}
		if r.event.Type == event.EventRedaction.Type {
			c.raw.forget(r.event.Redacts)
		}
	}
	if _, err := c.store.Keep(ctx, batch); err != nil {
		return fmt.Errorf("keep %d events: %w", len(rows), err)
	}
	if len(rows)+len(batch.Reads) > 0 && c.opts.Wake != nil {
		c.opts.Wake()
	}
	return nil
}
