package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/story"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// smallDisk is enough for the bridge's database and the HIS folder of one long run, in bytes.
const smallDisk = 64 << 20

// A bed is where faults are tried: a world with a conversation that is under way, and what was
// said in it so far. It is used for many faults, one after the other.
type bed struct {
	name           string
	world          *world.World
	story          *story.Story
	postgres       *harness.Postgres // nil when the bridge has SQLite
	disk           *harness.Disk     // that of the bridge and of the HIS folder
	random         *rand.Rand
	deck           *deck // of the fault that is tried
	patient, staff *writer
	talkRooms      []string // of all conversations
	his            string   // the HIS folder
	letters        map[string]string
	started        time.Time
}

// A place is a homeserver and a database on which faults are tried.
type setting struct {
	kind     harness.Kind
	postgres bool
}

func (s setting) name() string {
	if s.postgres {
		return string(s.kind) + "-postgresql"
	}
	return string(s.kind) + "-sqlite"
}

// makeBed starts a world and plays the story up to an answer.
func makeBed(t *testing.T, s setting) *bed {
	t.Helper()
	b := &bed{name: s.name(), letters: map[string]string{}, random: seeded(1), started: time.Now()}
	dir := t.TempDir()
	o := world.Options{Kind: s.kind, Dir: dir, Patients: 2, Faults: true, HIS: filepath.Join(dir, "bridge", "his")}
	o.Env = []string{"FAULTPOINT_CLOCK=" + filepath.Join(dir, "clock"), "FAULTPOINT_LOG=" + filepath.Join(dir, "points.log")}
	if s.postgres {
		o.Database = b.startPostgres(t)
	}
	var err error
	b.disk, err = harness.NewDisk(filepath.Join(dir, "bridge"), smallDisk)
	must(t, err)
	t.Cleanup(func() { must(t, b.disk.Remove()) })
	b.his = o.HIS
	b.world = world.InTest(t, o)
	t.Cleanup(func() {
		if t.Failed() {
			b.keepLog(t)
		}
	})
	b.story = &story.Story{World: b.world, Tell: func(string, ...any) {}}
	if _, err := b.story.Play(t.Context(), story.Answered(b.world.Patients[0])); err != nil {
		t.Fatalf("%v\n%s", err, b.world.Bridge().LogTail())
	}
	patient, staff := sides(b.story)
	b.patient, b.staff = &writer{side: patient}, &writer{side: staff}
	b.patient.other, b.staff.other = b.staff, b.patient
	b.talkRooms = []string{b.story.TalkRoom}
	t.Logf("%s: ready after %v", b.name, time.Since(b.started).Round(time.Second))
	return b
}

func (b *bed) startPostgres(t *testing.T) (uri string) {
	t.Helper()
	pg, err := harness.StartPostgres(t.Context(), filepath.Join(t.TempDir(), "postgres"))
	must(t, err)
	t.Cleanup(func() { _ = pg.Stop() })
	b.postgres = pg
	uri, err = pg.NewDatabase(t.Context(), "spreekkamer")
	must(t, err)
	return uri
}

// keepLog puts the bridge's log where it outlives the world, for whoever has to find out.
func (b *bed) keepLog(t *testing.T) {
	log, err := os.ReadFile(b.world.LogFile())
	if err != nil {
		return
	}
	file := filepath.Join(os.TempDir(), "spreekkamer-"+b.name+".log")
	if err := os.WriteFile(file, log, 0o600); err == nil {
		t.Logf("the bridge's log is in %s", file)
	}
}

// up has the bridge running and ready, whatever happened before.
func (b *bed) up(ctx context.Context) error {
	for range 20 {
		select {
		case <-b.world.Bridge().Done():
			if err := b.world.LaunchBridge(); err != nil {
				return err
			}
		default:
		}
		if err := b.world.WaitReady(ctx); err == nil {
			return nil
		} else if ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("the bridge does not stay up:\n%s", b.world.Bridge().LogTail())
}

// mark is how far the load had come when a fault began.
type mark struct{ patient, staff int }

func (b *bed) mark() mark { return mark{len(b.patient.messages()), len(b.staff.messages())} }

// count is what became of everything that was sent since a mark.
func (b *bed) count(since mark) (t tally) {
	t.add(b.check(b.patient, since.patient))
	t.add(b.check(b.staff, since.staff))
	return t
}

// seeded is a chance of its own, so that it does not depend on what else was tried.
func seeded(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(*seed, stream)) }

// inRooms is count without the HIS.
func (b *bed) inRooms(since mark) (t tally) {
	t.add(b.atTheOtherSide(b.patient.messages()[since.patient:], b.patient, since.patient))
	t.add(b.atTheOtherSide(b.staff.messages()[since.staff:], b.staff, since.staff))
	return t
}

// settle waits until everything since a mark has arrived, as far as it does in time, and says
// what became of it.
func (b *bed) settle(ctx context.Context, since mark) tally { return b.await(ctx, since, b.count) }

func (b *bed) await(ctx context.Context, since mark, count func(mark) tally) tally {
	deadline, tick := time.Now().Add(patience), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	looked := time.Now()
	for {
		t := count(since)
		if t.Lost == 0 || time.Now().After(deadline) || ctx.Err() != nil {
			b.patient.settled, b.staff.settled = len(b.patient.messages()), len(b.staff.messages())
			return t
		}
		// A client that was away, or got very much at once, has a gap in what came in by itself:
		// it scrolls back, as a person would.
		if time.Since(looked) > 10*time.Second {
			b.scrollBack(ctx)
			looked = time.Now()
		}
		<-tick.C
	}
}

func (b *bed) scrollBack(ctx context.Context) {
	for _, w := range []*writer{b.patient, b.staff} {
		for _, room := range b.roomsOf(w)[len(b.roomsOf(w))-1:] {
			_ = w.who.Backfill(ctx, room.ID) // when it fails it is tried again, or the message counts as lost
		}
	}
}

// renew closes the conversation and opens another, so that rooms are made and renamed too. The
// patient's question is one of the load.
func (b *bed) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	closed := b.said("gesloten")
	if _, err := b.staff.who.SendText(ctx, b.staff.room, "!sluiten"); err != nil {
		return err
	}
	if err := b.hears(ctx, "gesloten", closed); err != nil {
		return err
	}
	return b.open(ctx)
}

// hears waits until the bot has said more messages with a part to the patient than before.
func (b *bed) hears(ctx context.Context, part string, before int) error {
	return b.patient.who.WaitFor(ctx, "a message with "+part, func(*client.Client) bool { return b.said(part) > before })
}

// whom is what the bot asks at the beginning of a conversation.
const whom = "Over wie gaat uw vraag?"

// open begins a conversation with a question.
func (b *bed) open(ctx context.Context) error {
	asked := b.said(whom)
	if err := b.patient.write(ctx, b.random, plain); err != nil {
		return err
	}
	if err := b.hears(ctx, whom, asked); err != nil {
		return err
	}
	if _, err := b.patient.who.SendText(ctx, b.patient.room, "over mijzelf"); err != nil {
		return err
	}
	room, err := b.staff.who.WaitInvite(ctx, b.world.Bot)
	if err != nil {
		return err
	}
	if err := b.staff.who.Join(ctx, room); err != nil {
		return err
	}
	b.staff.room, b.talkRooms = room, append(b.talkRooms, room)
	return nil
}

// said counts the bot's messages to the patient with a part.
func (b *bed) said(part string) (n int) {
	for _, e := range b.patient.who.Room(b.patient.room).Messages() {
		if e.Sender == b.world.Bot && strings.Contains(e.Body(), part) {
			n++
		}
	}
	return n
}

// apologies are the bot's messages that say that something did not arrive, on both sides.
func (b *bed) apologies() (all []string) {
	for _, w := range []*writer{b.patient, b.staff} {
		for _, room := range b.roomsOf(w) {
			for _, e := range room.Messages() {
				if e.Sender == b.world.Bot && apology.MatchString(e.Body()) {
					all = append(all, e.Body())
				}
			}
		}
	}
	return all
}
