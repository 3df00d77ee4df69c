package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/e2e/practice"
	"github.com/spreekkamer/spreekkamer/e2e/world"
	"github.com/spreekkamer/spreekkamer/store"
)

// atRest are the numbers of accounts, and how long the bridge is left alone and then watched.
var atRest = []int{10, 1_000, 10_000}

const settle, watch = 15 * time.Second, 15 * time.Second

// perAccount is how many events of the past month each account has in the ledger.
const perAccount = 20

// rest measures memory and processor time of a bridge to which nobody writes.
func (b *bench) rest(ctx context.Context) error {
	w, err := world.Start(ctx, world.Options{Kind: b.kind, Dir: b.dir, Env: b.env()})
	if err != nil {
		return err
	}
	defer w.Stop()
	have := 0
	for _, want := range atRest {
		if err := w.Bridge().Stop(); err != nil {
			return err
		}
		if err := b.addAccounts(ctx, w, have, want); err != nil {
			return err
		}
		have = want
		if err := w.StartBridge(ctx); err != nil {
			return err
		}
		pause(ctx, settle)
		before, err := usageOf(w.Bridge().Pid())
		if err != nil {
			return err
		}
		pause(ctx, watch)
		after, err := usageOf(w.Bridge().Pid())
		if err != nil {
			return err
		}
		cpu := 100 * (after.cpu - before.cpu).Seconds() / watch.Seconds()
		b.log("%d accounts: %.0f MB, %.1f %% of one core", want, after.megabytes, cpu)
		b.results[fmt.Sprintf("rest_%d_mb", want)], b.results[fmt.Sprintf("rest_%d_cpu", want)] = after.megabytes, cpu
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// addAccounts puts accounts in the database, each with a past conversation and what it left. Their
// rooms are not on the homeserver, so they count as left, and nothing walks through them.
func (b *bench) addAccounts(ctx context.Context, w *world.World, from, to int) error {
	db, err := practice.OpenStore(ctx, w)
	if err != nil {
		return err
	}
	const batch = 250
	for ; from < to && err == nil; from += batch {
		err = db.Transact(ctx, func(ctx context.Context) error {
			for i := from; i < min(from+batch, to); i++ {
				if err := addAccount(ctx, db, practice.Account(i, fmt.Sprintf("@rest%d:%s", i, w.Home.ServerName))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if failed := db.Close(); err == nil {
		err = failed
	}
	return err
}

func addAccount(ctx context.Context, db *store.Store, p care.Person) error {
	now, room := time.Now(), "!"+p.ID+":rest"
	if err := db.SavePerson(ctx, p); err != nil {
		return err
	}
	row := store.Room{ID: room, Kind: store.RoomConsulting, Person: p.ID, CreatedAt: now, LeftAt: now}
	if err := db.SaveRoom(ctx, row); err != nil {
		return err
	}
	c := care.Conversation{ID: p.ID, Person: p.ID, Practice: world.PracticeID, State: care.Closed, OpenedAt: now, ClosedAt: now}
	if err := db.SaveConversation(ctx, c); err != nil {
		return err
	}
	for i := range perAccount {
		event := store.LedgerRow{
			EventID: fmt.Sprintf("$%s-%d", p.ID, i), RoomID: room, Type: "m.room.encrypted", SentAt: now, DueAt: now.AddDate(0, 0, 30),
		}
		if err := db.AddLedger(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

// A usage is what a process takes.
type usage struct {
	megabytes float64       // resident
	cpu       time.Duration // since it started
}

// usageOf reads Linux's account of a process.
func usageOf(pid int) (u usage, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "VmRSS:"); is {
			kB, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				return u, err
			}
			u.megabytes = kB * 1024 / 1e6
		}
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return u, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	for _, i := range []int{11, 12} { // utime and stime, in hundredths of a second (proc(5))
		ticks, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	return u, nil
}
