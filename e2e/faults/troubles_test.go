package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/proxy"
)

// apology is how the bot says that something did not arrive.
var apology = regexp.MustCompile(`niet aangekomen|hier ontbreekt|niet doorgegeven|weigert`)

// A fault is something that goes wrong, and how often it is let happen.
type fault struct {
	name, title string
	short, long int  // rounds in each selection
	postgres    bool // only where the bridge's database is PostgreSQL
	run         func(ctx context.Context, b *bed, r *row, rounds int) error
}

func (f fault) times(s setting) int {
	switch {
	case f.postgres && !s.postgres:
		return 0
	case *long:
		return f.long
	}
	return f.short
}

// faults are all of them, in the order in which they are tried.
var faults = []fault{
	{"delay", "requests and transactions held up", 0, 2, false, network(proxy.Delay)},
	{"cut-before", "cut before the request arrived", 1, 2, false, network(proxy.CutBefore)},
	{"cut-after", "cut after it was taken: the answer is lost", 1, 3, false, network(proxy.CutAfter)},
	{"429", "429 with retry_after_ms", 0, 2, false, network(proxy.TooMany)},
	{"502", "502, not taken", 0, 2, false, network(proxy.BadGateway)},
	{"504", "504, taken nevertheless", 0, 2, false, network(proxy.GatewayTimeout)},
	{"transactions", "transactions doubled and out of order", 1, 2, false, network(proxy.Double, proxy.Reorder)},
	{"points", "kill -9 at named points", 20, 90, false, walk},
	{"random", "kill -9 at random moments", 10, 50, false, killAtRandom},
	{"everything", "all of the above at once", 1, 4, false, everything},
	{"down", "bridge down for 120 messages of each side, homeserver restarted meanwhile", 1, 1, false, down},
	{"homeserver", "homeserver kill -9 and restart", 1, 4, false, homeserver},
	{"postgresql", "PostgreSQL restarted, and kill -9", 1, 3, true, postgres},
	{"disk", "disk full and back (database and HIS folder)", 1, 3, false, fullDisk},
	{"his", "HIS folder away and back", 1, 1, false, hisAway},
	{"clock", "clock set back an hour, twice", 1, 2, false, clock},
}

// network lets the proxy make trouble while both sides say something of every kind, some in each
// round, and while a conversation ends and another begins.
func network(kinds ...proxy.Fault) func(context.Context, *bed, *row, int) error {
	return func(ctx context.Context, b *bed, _ *row, rounds int) error {
		for range rounds {
			b.world.Proxy.Make(proxy.Plan{Seed: b.random.Uint64(), Share: 0.2, Faults: kinds})
			if err := b.round(ctx, hand(rounds), badFor); err != nil {
				return err
			}
			b.world.Proxy.Make(proxy.Plan{})
		}
		// A room takes twenty requests, all of which have to come through.
		b.world.Proxy.Make(proxy.Plan{Seed: b.random.Uint64(), Share: 0.08, Faults: kinds})
		return b.renew(ctx)
	}
}

// badFor is how long the network stays bad after a round was sent: long enough for several tries.
const badFor = 8 * time.Second

// round is a load of so many kinds that has arrived, as far as it does in a time.
func (b *bed) round(ctx context.Context, n int, within time.Duration) error {
	since := b.mark()
	if err := b.load(ctx, b.deck.deal(n)); err != nil {
		return err
	}
	b.settleWithin(ctx, since, within)
	return nil
}

// settleWithin is settle with less patience.
func (b *bed) settleWithin(ctx context.Context, since mark, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	b.settle(ctx, since)
}

// troubled is how many requests the proxy made trouble for so far.
func (b *bed) troubled() (n int) {
	for _, times := range b.world.Proxy.Counts() {
		n += times
	}
	return n
}

// calm ends everything that may still go wrong. The bridge starts anew, with nowhere to die.
func (b *bed) calm() error {
	b.world.Proxy.Make(proxy.Plan{})
	return b.setClock("0s")
}

func (b *bed) setClock(wrong string) error {
	return os.WriteFile(filepath.Join(b.world.Dir, "clock"), []byte(wrong), 0o600)
}

// everything has kills at random moments under a network that is bad in every way.
func everything(ctx context.Context, b *bed, r *row, rounds int) error {
	b.world.Proxy.Make(proxy.Plan{Seed: b.random.Uint64(), Share: 0.1, Faults: proxy.All})
	return b.killAtRandom(ctx, r, 5*rounds, later)
}

// down lets both sides write while the bridge is down and the homeserver is restarted, and
// forgets what it still wanted to push: more than an answer to /sync holds of a room.
func down(ctx context.Context, b *bed, _ *row, _ int) error {
	const half = 60
	if err := b.world.Bridge().Stop(); err != nil {
		return err
	}
	write := func() error { return b.load(ctx, b.deck.deal(half)) }
	if err := write(); err != nil {
		return err
	}
	if err := errors.Join(b.world.Home.Stop(), b.world.Home.Start(ctx)); err != nil {
		return err
	}
	return errors.Join(write(), b.world.StartBridge(ctx))
}

// homeserver kills it as soon as it has taken a round, while the bridge carries that.
func homeserver(ctx context.Context, b *bed, _ *row, rounds int) error {
	for range rounds {
		since := b.mark()
		if err := b.load(ctx, b.deck.deal(hand(rounds))); err != nil {
			return err
		}
		if err := errors.Join(b.world.Home.Kill(), b.world.Home.Start(ctx)); err != nil {
			return err
		}
		b.settle(ctx, since)
	}
	return nil
}

// postgres restarts the database while both sides write, politely and otherwise.
func postgres(ctx context.Context, b *bed, r *row, rounds int) error {
	stop := b.keepUp(ctx, nil)
	for range rounds {
		for _, restart := range []func() error{
			func() error { return b.postgres.Restart(ctx) },
			func() error { return errors.Join(b.postgres.Kill(), b.postgres.Start(ctx)) },
		} {
			err := b.during(ctx, hand(2*rounds), restart)
			if err != nil {
				_, _ = stop()
				return err
			}
		}
	}
	_, err := stop()
	return err
}

// during lets something happen while both sides write so many kinds.
func (b *bed) during(ctx context.Context, n int, what func() error) error {
	since, loaded, dealt := b.mark(), make(chan error, 1), b.deck.deal(n)
	go func() { loaded <- b.load(ctx, dealt) }()
	err := what()
	if err := errors.Join(err, <-loaded); err != nil {
		return err
	}
	b.settle(ctx, since)
	return nil
}

// fullDisk leaves no room for the database and the HIS folder until the bridge says that it is
// not well, or, when its database is elsewhere, until a round has come across.
func fullDisk(ctx context.Context, b *bed, _ *row, rounds int) error {
	for range rounds {
		since := b.mark()
		bridge := b.world.Bridge()
		if err := b.disk.Fill(bridge); err != nil {
			return err
		}
		err := b.load(ctx, b.deck.deal(hand(rounds)))
		if b.postgres == nil && err == nil {
			err = b.unwell(ctx)
		}
		if err := errors.Join(err, b.disk.Free(bridge)); err != nil {
			return err
		}
		b.settle(ctx, since)
	}
	return nil
}

func (b *bed) unwell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for b.world.Healthy(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("the bridge says that it is well, and its disk is full")
		}
	}
	return nil
}

// hisAway puts a file in the place of the HIS folder, which stops root too. The chat goes on,
// and filing catches up.
func hisAway(ctx context.Context, b *bed, _ *row, _ int) error {
	away := b.world.HIS + "-away"
	if err := os.Rename(b.world.HIS, away); err != nil {
		return err
	}
	if err := os.WriteFile(b.world.HIS, nil, 0o600); err != nil {
		return err
	}
	return errors.Join(b.unfiled(ctx), os.Remove(b.world.HIS), os.Rename(away, b.world.HIS))
}

// unfiled is a load of which nothing can be filed yet: what its sender removes again never is.
func (b *bed) unfiled(ctx context.Context) error {
	since := b.mark()
	for _, dealt := range [][]kind{b.deck.deal(len(everyKind)), slices.Concat(plain, attachments[:2])} {
		if err := b.load(ctx, dealt); err != nil {
			return err
		}
	}
	first := b.await(ctx, since, b.inRooms)
	if err := b.takeBack(ctx, 3); err != nil {
		return err
	}
	if then := b.await(ctx, since, b.inRooms); first.bad()+then.bad() > 0 {
		return fmt.Errorf("while the HIS was away: %v; %v", &first, &then)
	}
	for _, m := range slices.Concat(b.patient.messages()[since.patient:], b.staff.messages()[since.staff:]) {
		m.unfiled = m.gone
	}
	return nil
}

// takeBack has both sides remove the last messages that they sent, which have arrived.
func (b *bed) takeBack(ctx context.Context, n int) error {
	for _, w := range []*writer{b.patient, b.staff} {
		all := w.messages()
		for _, m := range all[len(all)-n:] {
			m.gone = true
			if _, err := w.who.Redact(ctx, w.room, m.id, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// clock has the bridge's clock an hour ahead, under a bad network so that much is to be tried
// again; then sets it right, and then an hour back.
func clock(ctx context.Context, b *bed, _ *row, rounds int) error {
	for range rounds {
		for _, wrong := range []string{"1h", "0s", "-1h"} {
			b.world.Proxy.Make(proxy.Plan{Seed: b.random.Uint64(), Share: 0.3, Faults: []proxy.Fault{proxy.BadGateway, proxy.CutAfter}})
			if err := b.setClock(wrong); err != nil {
				return err
			}
			if err := b.load(ctx, b.deck.deal(hand(3*rounds))); err != nil {
				return err
			}
		}
	}
	return nil
}
